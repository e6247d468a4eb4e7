/* top.h - the likeliest words of logits, and what the others have together. */
#ifndef LOSS_TOP_H
#define LOSS_TOP_H

#include <stddef.h>
#include <stdint.h>

/* logits [n, V]. Of each row the k largest (of equal ones those of lower ids): id [n, k] rising,
 * logit [n, k], and rest [n], the log of the sum of exp(logit / tau) of all others, -inf where k is
 * V. Rows whose target [n] is 0 or below are passed over. */
void top_rows(const float *logits, const int32_t *target, size_t n, size_t v, size_t k, double tau,
              int32_t *id, float *logit, float *rest);

/* What that finds of whole rows, from what it found of m slices of their ids, one behind another:
 * k of them each, or all that a slice has. */
struct top_parts {
    size_t m, k;           // slices, and how many words of each
    const int32_t *id;     // [m, n, k], counted over all slices
    const float *logit;    // [m, n, k]
    const float *rest;     // [m, n]
};
void top_merge(const struct top_parts *from, const int32_t *target, size_t n, size_t k, double tau,
               int32_t *id, float *logit, float *rest);

#endif
