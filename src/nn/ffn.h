/* ffn.h - the position-wise network: relu(x Wi^T) Wo^T, or gelu(x Wi0^T) * (x Wi1^T) Wo^T
 * with the tanh GELU. Serves dense blocks and single experts. */
#ifndef NN_FFN_H
#define NN_FFN_H

#include <stddef.h>
#include <stdint.h>

struct dropout;

struct ffn {
    size_t d_model, d_ff;
    const float *wi;      // [F, M]; wi_0 when gated
    const float *wi_1;    // [F, M], or NULL: not gated, ReLU
    const float *wo;      // [M, F]
};

struct ffn_grad {    // where the gradients are added; any may be NULL
    float *wi, *wi_1, *wo;
    int fresh;    // they are overwritten
};

struct ffn_drop {    // dropout of the hidden activations; rows as in dropout.h
    const struct dropout *drop;
    const uint64_t *number;
    size_t length;    // tokens a row: x is [n / length, length, M]. 1 where number is a token's own
    uint64_t first;    // number of hidden unit 0 in the whole layer, when F is a rank's slice
};

size_t ffn_saved(const struct ffn *f, size_t n);      // floats of `saved` for n tokens
double ffn_drop_rate(const struct ffn_drop *drop);    // drop may be NULL: 0
void ffn_hidden_drop(const struct ffn_drop *drop, float *h, size_t n, size_t d_ff);

/* x [n, M] -> y [n, M] (overwritten). saved is kept for the backward pass. drop may be NULL;
 * so may y, where only saved is wanted. */
void ffn_forward(const struct ffn *f, const struct ffn_drop *drop, const float *x, size_t n,
                 float *saved, float *y);
/* dx [n, M] overwritten. work: n * F floats (2 n F when gated). */
void ffn_backward(const struct ffn *f, const struct ffn_drop *drop, const struct ffn_grad *g,
                  const float *x, const float *dy, size_t n, const float *saved, float *work,
                  float *dx);

float gelu(float x);          // tanh form
float gelu_slope(float x);    // its derivative

#endif
