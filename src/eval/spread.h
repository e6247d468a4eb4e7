/* spread.h - how a model's speed-ups spread over languages: the paper's Figure 8. */
#ifndef EVAL_SPREAD_H
#define EVAL_SPREAD_H

#include <stddef.h>

struct report;
struct report_model;

enum { SPREAD_BINS = 9 };

struct spread {
    size_t bin[SPREAD_BINS];         // languages with spread_from[i] <= speed-up < [i + 1]
    size_t known, fourfold, most;    // languages; of them at least 4 times; in the fullest bin
    double mean;                     // never as good counts 0, at once as the last bound
};

extern const double spread_from[SPREAD_BINS + 1];    // the last is infinity

void spread_of(struct spread *s, const struct report *r, const struct report_model *m);

#endif
