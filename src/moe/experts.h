/* experts.h - the networks of a Switch layer's experts, each on the rows that came to it.
 *
 * Experts are many and their rows few, so where it can be each is one thread's; what comes out does
 * not depend on how many threads there are. */
#ifndef MOE_EXPERTS_H
#define MOE_EXPERTS_H

#include <stddef.h>
#include <stdint.h>

#include "moe/rows.h"

struct dispatch;
struct flow;
struct moe_buffer;
struct moe_call;
struct moe_net;

struct experts {
    const struct moe_net *net;
    struct dispatch *d;    // whose rows
    const struct moe_call *call;
    struct moe_rows x;         // [n_recv, M] in expert order
    float *saved;              // experts_saved() floats, kept for the backward pass
    const uint64_t *number;    // [n_recv] the tokens' numbers, with dropout
    struct moe_buffer *work;
    struct flow *flow;    // what rows come and go by, chunk by chunk, or NULL: they are there
};

/* Floats of what experts keep of `rows` rows in all. */
size_t experts_saved(const struct moe_net *net, size_t rows, int n_own);
/* Work for experts of at most `rows` rows each; so much of it is taken at once. */
void experts_reserve(const struct experts *x, size_t rows);

/* Results [n_recv, d_out] into y; in bf16 into out too, which is then what travels. */
void experts_forward(const struct experts *x, float *y, const struct moe_rows *out);

/* dy [n_recv, d_out] -> dx [n_recv, M], floats; dy in bf16 becomes that of the gradient of its row.
 */
void experts_backward(const struct experts *x, const struct moe_rows *dy, float *dx);

#endif
