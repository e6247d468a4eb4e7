/* attention.h - the core of attention: scores, mask, softmax, weighted sum. No 1/sqrt(D).
 *
 * Key j of row b is visible to query i when segment_k[b, j] != 0, segment_q[b, i] ==
 * segment_k[b, j] and, if causal, j <= i. A query that sees no key gets 0.
 *
 * Scores and probabilities exist for some queries and keys at a time only. For each query the
 * forward pass leaves two numbers, from which the backward pass makes them again.
 */
#ifndef NN_ATTENTION_H
#define NN_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

struct dropout;

enum {
    ATTENTION_KEY_MAX = 131072,    // S and T at most
    ATTENTION_WIDTH_MAX = 512      // D at most. A thread needs up to 1.3 MB of stack
};

struct attention {
    int n_row, n_query, n_key;    // B, S, T
    int n_head, d_kv;             // H, D
    int causal;
    const int32_t *segment_q;      // [B, S]
    const int32_t *segment_k;      // [B, T]
    const struct dropout *drop;    // of probabilities, shared over queries; may be NULL
    const uint64_t *number;        // [B] for drop
    uint64_t head_first;           // number of head 0 in the whole layer, when H is a rank's slice
};

/* Numbers of a bias that depends on key - query alone: that of j - i stands at j - i + S - 1. */
static inline size_t attention_span(size_t n_query, size_t n_key)
{
    return n_query && n_key ? n_query + n_key - 1 : 0;
}

/* q [B, S, H D], k and v [B, T, H D], bias [H, span] or NULL, o [B, S, H D] (out). seen
 * [B, H, S, 2] (out): the greatest score and 1 / sum of exp(score - greatest); 0, 0 where no key
 * is visible. */
void attention_forward(const struct attention *a, const float *q, const float *k, const float *v,
                       const float *bias, float *seen, float *o);
/* Of the last forward: seen, o. dq, dk, dv overwritten; dbias [B, H, span] added to, or NULL. */
struct attention_grads {
    float *q, *k, *v, *bias;
};
void attention_backward(const struct attention *a, const float *q, const float *k, const float *v,
                        const float *bias, const float *seen, const float *o, const float *d_o,
                        const struct attention_grads *g);

#endif
