/* pick.h - what to say next, by the logits of one hypothesis. */
#ifndef GENERATE_PICK_H
#define GENERATE_PICK_H

#include <stddef.h>
#include <stdint.h>

struct pick {    // a candidate
    int32_t id;
    float logit;
};

/* log sum exp of n logits, of which none is changed. */
double pick_log_sum(const float *logit, size_t n);

/* The most likely of n ids, the lower of equals first: up to most of them into to[], returns how
 * many. An id whose logit is NaN is none. */
size_t pick_best(const float *logit, size_t n, struct pick *to, size_t most);

struct draw {              // how to draw
    double temperature;    // > 0: logits are divided by it
    size_t top_k;          // of the most likely ids alone; 0: of all
    double top_p;          // of the fewest most likely ids that make up this share; 1: of all
};

/* An id in proportion to its probability, u in [0, 1) deciding. work: n of them. */
int32_t pick_draw(const struct draw *d, const float *logit, size_t n, double u, struct pick *work);

#endif
