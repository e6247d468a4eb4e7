/* norm.h - RMSNorm: y = x w / sqrt(mean(x^2) + eps), no mean taken off, no offset. */
#ifndef NN_NORM_H
#define NN_NORM_H

#include <stddef.h>
#include <stdint.h>

/* x, y [n, M]; w [M]; r [n] gets 1 / sqrt(...) for the backward pass. Where segment (may be
 * NULL, [n]) is 0, that is at padding, y is 0. */
void norm_forward(float *y, float *r, const float *x, const float *w, const int32_t *segment,
                  size_t n, size_t m, float eps);
/* Likewise of the sum x + add, which x becomes; add may be NULL. y and half, which gets y in bf16,
 * may each be NULL. */
void norm_add_forward(float *y, uint16_t *half, float *r, float *x, const float *add,
                      const float *w, const int32_t *segment, size_t n, size_t m, float eps);
/* dx += ...; dw [M] += ...; padding rows give nothing. half (may be NULL): dx in bf16. */
void norm_backward(float *dx, uint16_t *half, float *dw, const float *dy, const float *x,
                   const float *w, const float *r, const int32_t *segment, size_t n, size_t m);

#endif
