/* heads.h - an expert of self-attention: one hidden layer and two linear heads over it,
 *
 *   h = relu(x Wi^T)    q = h Wq^T    kv = h Wkv^T
 *
 * or without Wi h = x. Keys and values are the same tensor. A token's q and kv stand together:
 * y [n, 2 I]. */
#ifndef MOE_HEADS_H
#define MOE_HEADS_H

#include <stddef.h>

struct ffn_drop;

struct heads {
    size_t d_model, d_ff, inner;    // M; F, without Wi M; I
    const float *wi;                // [F, M] or NULL
    const float *q, *kv;            // [I, F]
};

struct heads_grad {    // where the gradients are added; any may be NULL
    float *wi, *q, *kv;
};

size_t heads_saved(const struct heads *f, size_t n);    // floats of `saved` for n tokens

/* As ffn_forward() and ffn_backward() of nn/ffn.h. work: n * F floats. */
void heads_forward(const struct heads *f, const struct ffn_drop *drop, const float *x, size_t n,
                   float *saved, float *y);
void heads_backward(const struct heads *f, const struct ffn_drop *drop, const struct heads_grad *g,
                    const float *x, const float *dy, size_t n, const float *saved, float *work,
                    float *dx);

/* y [n, 2 I] -> query [n, I] times scale, and key [n, I]. */
void heads_split(const float *y, size_t n, size_t inner, float scale, float *query, float *key);
/* The gradient of y from those of query, key and value. */
void heads_join(const float *d_query, const float *d_key, const float *d_value, size_t n,
                size_t inner, float scale, float *dy);

#endif
