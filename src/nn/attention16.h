/* attention16.h - the attention of attention.h with products of bf16 numbers: queries, keys, values
 * and gradients of all are in bf16, and so are probabilities where they are multiplied; sums,
 * scores, softmax and the bias are in float. */
#ifndef NN_ATTENTION16_H
#define NN_ATTENTION16_H

#include <stdint.h>

struct attention;

/* Arrays as of attention_forward(). room [B, S, H D]: sums of queries that meet more keys than are
 * looked at once. */
void attention16_forward(const struct attention *a, const uint16_t *q, const uint16_t *k,
                         const uint16_t *v, const float *bias, float *room, float *seen,
                         uint16_t *o);

struct attention16_grads {
    uint16_t *q, *k, *v;
    float *bias;
};
void attention16_backward(const struct attention *a, const uint16_t *q, const uint16_t *k,
                          const uint16_t *v, const float *bias, const float *seen,
                          const uint16_t *o, const uint16_t *d_o, float *room,
                          const struct attention16_grads *g);

#endif
