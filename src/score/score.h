/* score.h - scores of a set of examples by metric and language, with bootstrap intervals. */
#ifndef SCORE_SCORE_H
#define SCORE_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct measure;
struct measure_how;
struct trial;
struct score;

struct score_value {
    const struct measure *measure;
    const char *lang;    // "mean": of the languages' scores; "all": of all examples together
    size_t n;            // examples or groups; of "mean": languages
    double score;        // times 100; NAN: not defined
    double low, high;    // NAN without resamples
};

/* Scores by these n measures. how is kept and must outlive the score. */
struct score *score_new(struct measure_how *how, const struct measure *const *measure, size_t n);

/* Take in an example. -1 and err, without the place. */
int score_add(struct score *s, const struct trial *p, struct err *err);
size_t score_examples(const struct score *s);

/* Compute: n_sample resamples (0: no intervals), from which each interval holds the middle
 * confidence percent. Resamples of a language depend on the seed and its tag alone. */
void score_compute(struct score *s, size_t n_sample, uint64_t seed, double confidence);

/* The i-th score: 1; 0 past the last. For each measure the languages by tag, then, if there are
 * several, "mean", then "all". */
int score_get(const struct score *s, size_t i, struct score_value *v);

void score_free(struct score *s);    // s may be NULL

#endif
