/* count.h - how often candidates come in the words, expected over all ways to say them or along the
 * likeliest: the work of unigram training, on several threads.
 *
 * Counts are whole numbers, so that the order in which threads add does not matter.
 */
#ifndef VOCAB_COUNT_H
#define VOCAB_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "vocab/corpus.h"
#include "vocab/pieces.h"

enum { COUNT_UNITS = 1 << 10 };    // of an expected count, by CORPUS_ONE

struct err;
struct counter;

/* c may lose candidates, and get new scores, between calls. */
struct counter *counter_new(const struct candidates *c, const struct corpus *from, int n_thread);
void counter_free(struct counter *t);    // t may be NULL

/* Call this when the candidates have become others. 0 or -1. */
int counter_build(struct counter *t, struct err *err);

/* By the scores as they are: how often each candidate is expected, in COUNT_UNITS-ths of
 * CORPUS_ONE-ths, or comes in the likeliest ways, in CORPUS_ONE-ths. Valid until the next call.
 * NULL on failure. */
const int64_t *counter_expect(struct counter *t, struct err *err);
const int64_t *counter_best(struct counter *t, struct err *err);
double counter_bits(const struct counter *t);    // a character, of the last counter_expect()

/* The likeliest way to say candidate number piece without itself, as numbers of candidates: how
 * many, 0 when there is no way. *score is of it. Valid until the next call. */
size_t counter_without(struct counter *t, size_t piece, const uint32_t **way, double *score);

#endif
