/* heads.h - an expert of self-attention: one hidden layer and two linear heads over it,
 *
 *   h = relu(x Wi^T)    q = h Wq^T    kv = h Wkv^T
 *
 * or without Wi h = x. Keys and values are the same tensor. A token's q and kv stand together:
 * y [n, 2 I].
 *
 * A slice of it has some units of h and the columns of Wq and Wkv that read them: y and dx are its
 * parts of the sums over slices. */
#ifndef MOE_HEADS_H
#define MOE_HEADS_H

#include <stddef.h>
#include <stdint.h>

struct ffn_drop;

struct heads {
    size_t d_model, d_ff, inner;    // M; F, without Wi M; I. Of a slice F is its part
    const float *wi;                // [F, M] or NULL
    const float *q, *kv;            // [I, F]
    size_t first;                   // without Wi: the first column of x that is in the slice
};

struct heads_grad {    // where the gradients are added; any may be NULL
    float *wi, *q, *kv;
    int fresh;    // they are overwritten
};

size_t heads_saved(const struct heads *f, size_t n);    // floats of `saved` for n tokens

/* As ffn_forward() and ffn_backward() of nn/ffn.h. work: n * F floats. */
void heads_forward(const struct heads *f, const struct ffn_drop *drop, const float *x, size_t n,
                   float *saved, float *y);
void heads_backward(const struct heads *f, const struct ffn_drop *drop, const struct heads_grad *g,
                    const float *x, const float *dy, size_t n, const float *saved, float *work,
                    float *dx);

struct heads_part {        // the heads of a slice
    size_t inner;          // I of all heads
    size_t first, here;    // columns [first, first + here) of q, and of kv
};

/* y [n, 2 I] -> query [n, here] times scale, and key [n, here]. */
void heads_split(const float *y, size_t n, const struct heads_part *part, float scale, float *query,
                 float *key);
/* Likewise in bf16. room: [n, here]. */
void heads_split_half(const float *y, size_t n, const struct heads_part *part, float scale,
                      float *room, uint16_t *query, uint16_t *key);
/* The gradient of y from those of query, key and value [n, here]; 0 where other slices' heads are.
 */
void heads_join(const float *d_query, const float *d_key, const float *d_value, size_t n,
                const struct heads_part *part, float scale, float *dy);
void heads_join_half(const uint16_t *d_query, const uint16_t *d_key, const uint16_t *d_value,
                     size_t n, const struct heads_part *part, float scale, float *room, float *dy);

#endif
