/* ffn16.h - the networks of ffn.h with products of bf16 numbers: inputs, weights and hidden
 * activations are in bf16; sums, activation functions and gradients of weights in float. */
#ifndef NN_FFN16_H
#define NN_FFN16_H

#include <stddef.h>
#include <stdint.h>

struct ffn_drop;
struct ffn_grad;

struct ffn16 {    // as struct ffn
    size_t d_model, d_ff;
    const uint16_t *wi, *wi_1, *wo;
};

size_t ffn16_saved(const struct ffn16 *f, size_t n);    // floats of `saved` for n tokens
size_t ffn16_work(const struct ffn16 *f, size_t n);     // floats of `work`

/* x [n, M] -> y [n, M] overwritten. saved is kept for the backward pass. y may be NULL, where
 * only saved is wanted. */
void ffn16_forward(const struct ffn16 *f, const struct ffn_drop *drop, const uint16_t *x, size_t n,
                   float *saved, float *work, float *y);
/* dx [n, M] overwritten. */
void ffn16_backward(const struct ffn16 *f, const struct ffn_drop *drop, const struct ffn_grad *g,
                    const uint16_t *x, const uint16_t *dy, size_t n, const float *saved,
                    float *work, float *dx);

#endif
