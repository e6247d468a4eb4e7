/* combine.h - what experts made of tokens, put together: y = sum of gate expert(x). */
#ifndef MOE_COMBINE_H
#define MOE_COMBINE_H

#include <stddef.h>

struct dispatch;
struct moe_rows;
struct route;

/* Over the kept choices of n tokens, back [n_send] as sent: y [n, M] overwritten. */
void combine(const struct route *r, const struct dispatch *d, size_t n_choice,
             const struct moe_rows *back, size_t n, float *y);
/* What a row owes: d_gate [choices] = dy . expert(x), and d_row [n_send] = gate dy. */
void combine_back(const struct route *r, const struct dispatch *d, size_t n_choice,
                  const struct moe_rows *back, const float *dy, float *d_gate,
                  const struct moe_rows *d_row);

#endif
