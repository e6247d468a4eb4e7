/* norm.h - RMSNorm: y = x w / sqrt(mean(x^2) + eps), no mean taken off, no offset. */
#ifndef NN_NORM_H
#define NN_NORM_H

#include <stddef.h>
#include <stdint.h>

/* x, y [n, M]; w [M]; r [n] gets 1 / sqrt(...) for the backward pass. Where segment (may be
 * NULL, [n]) is 0, that is at padding, y is 0. */
void norm_forward(float *y, float *r, const float *x, const float *w, const int32_t *segment,
                  size_t n, size_t m, float eps);
/* dx += ...; dw [M] += ...; padding rows give nothing. */
void norm_backward(float *dx, float *dw, const float *dy, const float *x, const float *w,
                   const float *r, const int32_t *segment, size_t n, size_t m);

#endif
