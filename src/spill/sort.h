/* sort.h - records of one size in the order of their bytes, more of them than memory holds.
 *
 * What is over mem bytes is written in sorted runs to nameless files in a folder and merged while
 * it is read. The order is that of memcmp() over the whole record, so what comes out does not
 * depend on mem or on the order in which records came: store numbers big-endian, key first.
 */
#ifndef SPILL_SORT_H
#define SPILL_SORT_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct sorter;

/* Records of size bytes; mem bytes at most are held (room for a few thousand records at least);
 * dir NULL: $TMPDIR, else /tmp. */
struct sorter *sorter_new(size_t size, size_t mem, const char *dir);

int sorter_add(struct sorter *s, const void *record, struct err *err);    // 0, or -1: disk full
int sorter_start(struct sorter *s, struct err *err);    // all are added: begin to read. 0 or -1

/* The next record, valid until the next call: 1, 0 at the end, -1 on a failed read. */
int sorter_next(struct sorter *s, const void **record, struct err *err);

uint64_t sorter_n(const struct sorter *s);          // records added
uint64_t sorter_spilled(const struct sorter *s);    // bytes written to files
void sorter_free(struct sorter *s);                 // s may be NULL

#endif
