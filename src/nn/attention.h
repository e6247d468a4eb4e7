/* attention.h - the core of attention: scores, mask, softmax, weighted sum. No 1/sqrt(D).
 *
 * Key j of row b is visible to query i when segment_k[b, j] != 0, segment_q[b, i] ==
 * segment_k[b, j] and, if causal, j <= i. A query that sees no key gets 0.
 */
#ifndef NN_ATTENTION_H
#define NN_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

struct dropout;

enum { ATTENTION_KEY_MAX = 131072 };    // T at most; a thread needs 12 bytes of stack for each

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

/* q [B, S, H D], k and v [B, T, H D], bias [H, S, T] or NULL, probs [B, H, S, T] (out: after
 * softmax, before dropout), o [B, S, H D] (out). */
void attention_forward(const struct attention *a, const float *q, const float *k, const float *v,
                       const float *bias, float *probs, float *o);
/* dq, dk, dv overwritten; dbias [H, S, T] += sum over rows, or NULL. */
void attention_backward(const struct attention *a, const float *q, const float *k, const float *v,
                        const float *probs, const float *d_o, float *dq, float *dk, float *dv,
                        float *dbias);

#endif
