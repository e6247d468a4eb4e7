/* score.h - how often a model is right about labelled texts, by label. */
#ifndef LEARN_SCORE_H
#define LEARN_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "learn/corpus.h"

struct err;
struct langid;
struct out;

struct score_bar {    // answers of at least this probability
    uint64_t n, right;
};

struct score_label {
    uint64_t n, right;          // texts of the label, and those the model gave it
    uint64_t given;             // texts of any label that the model gave it
    struct score_bar bar[2];    // at score_bars[]
};

extern const double score_bars[2];    // 0.7 and 0.95: mC4's

struct score {
    const struct corpus *c;
    const struct langid *m;
    int n_given;                  // labels of the model, and "und"
    struct score_label *label;    // [c->n_label]
    struct score_label all;       // sums
    uint64_t *table;              // [c->n_label, n_given]
    uint64_t *other;              // [n_given]: texts given this, by the model's numbering
};

/* Ask m about every text of c: see langid_find() for min and max. */
void score_init(struct score *s, const struct langid *m, const struct corpus *c, size_t min,
                size_t max, int n_thread);
void score_release(struct score *s);

/* A line a label of c and a last one for all: n, right, recall, precision; of answers from 0.7 and
 * from 0.95 on, how many there are and how many of them are right, as shares; and what most of the
 * wrong ones were taken for. 0 or -1. */
int score_write(const struct score *s, struct out *o, struct err *err);

#endif
