/* temp.h - a nameless temporary file: it is made at the first write and gone with the process. */
#ifndef SPILL_TEMP_H
#define SPILL_TEMP_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct temp {
    int fd;           // -1: not made yet
    char *dir;        // where it will be; messages say so
    uint64_t size;    // bytes written
};

/* In dir (NULL: $TMPDIR, else /tmp). Nothing is made yet. */
void temp_init(struct temp *t, const char *dir);
/* Append n bytes; none make the file. 0, or -1: no file can be made there, the disk is full. */
int temp_write(struct temp *t, const void *p, size_t n, struct err *err);
/* n bytes from `at` on, which were written: 0, or -1. */
int temp_read(const struct temp *t, uint64_t at, void *p, size_t n, struct err *err);
void temp_release(struct temp *t);

#endif
