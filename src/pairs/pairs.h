/* pairs.h - a public file of a task, forward: one input and target after the other.
 *
 * TSV, JSON Lines and columns of words with BIO tags are read a record at a time; one JSON object
 * or list (SQuAD's format) is held whole, up to PAIRS_JSON_MAX bytes.
 */
#ifndef PAIRS_PAIRS_H
#define PAIRS_PAIRS_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct pairs;
struct task;

enum { PAIRS_LINE_MAX = 1 << 26, PAIRS_JSON_MAX = 1 << 30 };

struct pair {                      // views, valid until the next call
    struct bytes input, target;    // target without a label: <unk>, as T5 has it
    struct bytes lang;             // empty: the record does not say
    int unlabelled;
    const char *dropped;    // no pair came of the record: why, in a word; else NULL
    struct err *why;        // and where; NULL unless dropped
};

/* t must outlive it. "-" is standard input. NULL on failure. */
struct pairs *pairs_open(const struct task *t, const char *path, struct err *err);

/* 1, 0 at the end, -1: a damaged file, JSON that is none where one object is the whole file. */
int pairs_next(struct pairs *p, struct pair *pair, struct err *err);

/* Of the pair that was given last, the target that it would have if the lists in it began at item
 * k > 0: 1; 0: there is none. Valid until the next call. */
int pairs_other(struct pairs *p, size_t k, struct bytes *target);

uint64_t pairs_bytes(const struct pairs *p);      // plain bytes read so far
const char *pairs_path(const struct pairs *p);    // "standard input" for "-"
void pairs_close(struct pairs *p);                // p may be NULL

#endif
