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

#endif
