/* loss_slice.h - loss.h where a rank has the logits of ids [first, first + v) alone: between the
 * steps the ranks share the largest logit of a row, then sums over it. */
#ifndef LOSS_LOSS_SLICE_H
#define LOSS_LOSS_SLICE_H

#include <stddef.h>
#include <stdint.h>

struct loss_slice {
    size_t first, v;          // ids
    const int32_t *target;    // [n] as in loss.h
    size_t n;
    double z, scale;    // as in loss.h
};

/* top [n] = largest logit here of each row of logits [n, v]. */
void loss_slice_top(const struct loss_slice *s, const float *logits, float *top);
/* top is now of all slices. sums [n, 2]: sum of exp(logit - top) here; the target's logit, 0 where
 * it is another slice's. When scale is not 0, the terms replace logits. */
void loss_slice_sums(const struct loss_slice *s, float *logits, const float *top, double *sums);
/* sums are now of all slices: the rest of loss_forward(). */
void loss_slice_end(const struct loss_slice *s, float *logits, const float *top, const double *sums,
                    double *ce, double *log_z);

#endif
