/* soft.h - the loss of distillation: hard targets and a teacher's, over the whole vocabulary. */
#ifndef LOSS_SOFT_H
#define LOSS_SOFT_H

#include <stddef.h>
#include <stdint.h>

struct soft_rule {
    double share;    // f: loss = (1 - f) hard + f tau^2 soft
    double tau;      // the temperature
    double z;        // of both terms
};

struct soft_sums {                   // of one row each; 0 where there is no loss
    double *ce, *log_z;              // hard: as of loss_forward()
    double *soft_ce, *soft_log_z;    // -sum of q log softmax(x / tau), log sum exp(x / tau)
};

/* logits [n, V]; target [n], 0 (or below) carries no loss. q is softmax(teacher / tau), teacher
 * [n, V]. With rest [n], teacher tells only some of V apart and is -inf elsewhere; rest is the
 * log of the others' sum exp(teacher / tau), -inf for none, and student and teacher are held
 * against each other over the ones told apart and all others as one.
 *
 * When scale is not 0, logits are overwritten by their gradient, times scale, of
 * (1 - f) (ce + z log_z^2) + f tau^2 (soft_ce + z soft_log_z^2). */
void soft_forward(float *logits, const float *teacher, const double *rest, const int32_t *target,
                  size_t n, size_t v, const struct soft_rule *rule, double scale,
                  const struct soft_sums *sums);

/* The same where a rank has the ids [first, first + v) of logits and teacher alone: between these
 * steps ranks share the largest top, then sums over sums, then over cross. */
struct soft_slice {
    float *logits;    // [n, v], as above
    const float *teacher;
    const double *rest;
    const int32_t *target;
    size_t first, v, n;
    struct soft_rule rule;
    double scale;
};
enum { SOFT_TOPS = 2, SOFT_SUMS = 5 };

void soft_slice_top(const struct soft_slice *s, float *top);                         // [n, 2]
void soft_slice_sums(const struct soft_slice *s, const float *top, double *sums);    // [n, 5]
/* cross [n]; logits become the gradient, when scale is not 0. */
void soft_slice_cross(const struct soft_slice *s, const float *top, const double *sums,
                      double *cross);
void soft_slice_end(const struct soft_slice *s, const float *top, const double *sums,
                    const double *cross, const struct soft_sums *to);

#endif
