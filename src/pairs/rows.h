/* rows.h - pairs of texts into rows of an example shard: each text as ids, cut to a row, with an
 * EOS; each pair a segment of an open row of its language.
 */
#ifndef PAIRS_ROWS_H
#define PAIRS_ROWS_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct rows;

struct rows_plan {
    const char *output, *model;    // the shard to write; a SentencePiece model
    const char *task;              // its name, for the header
    const char *lang;              // label of the language of all; NULL: each pair's own
    int64_t n_extra;               // sentinels after the pieces; -1: as many as it needs
    int64_t inputs, targets;       // ids of a row
    int n_open;                    // rows of a language that are open at a time
    int alone;                     // one pair a row
};

struct rows_count {
    uint64_t pairs, rows, inputs, targets;    // rows, inputs, targets: written so far
};

/* Nothing of plan is kept. NULL on failure. */
struct rows *rows_open(const struct rows_plan *plan, struct err *err);

enum { ROWS_CUT_INPUT = 1, ROWS_CUT_TARGET = 2 };

/* lang: a number in langs[], 0 when all is of one. -1, or what was cut. */
int rows_add(struct rows *r, struct bytes input, struct bytes target, int lang, struct err *err);

/* Write what is left; the shard is whole when this is 0. To be called once. */
int rows_finish(struct rows *r, struct err *err);
struct rows_count rows_counts(const struct rows *r);

/* Without rows_finish() there will be no shard. r may be NULL. */
void rows_free(struct rows *r);

#endif
