/* noise.c - see noise.h. */
#include <string.h>

#include "kernel/kernel.h"
#include "moe/layer.h"
#include "moe/noise.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

uint64_t moe_token_number(const struct moe_call *c, size_t token)
{
    return c->number[token / c->length] * c->length + token % c->length;
}

/* to = from * u, u uniform in [1 - jitter, 1 + jitter], four elements from one draw. */
static void jitter(const struct moe_call *c, const float *from, float *to, size_t m)
{
    float low = (float)(1.0 - c->jitter), step = (float)(2.0 * c->jitter / 65536.0);
    size_t i;

#pragma omp parallel for schedule(static) if (c->n * m > SMALL)
    for (i = 0; i < c->n; i++)
        kern.jitter(to + i * m, from + i * m, low, step, c->input_key, moe_token_number(c, i), m);
}

int moe_is_noisy(const struct moe_call *c)
{
    return c->jitter != 0 || c->input_dropout > 0;
}

void moe_noise(const struct moe_call *c, const float *x, float *to, size_t m)
{
    struct dropout drop = { .rate = c->input_dropout, .key = c->input_key, .per_element = 1 };

    if (c->jitter != 0)
        jitter(c, x, to, m);
    else if (to != x)
        memcpy(to, x, c->n * m * sizeof(*to));
    if (drop.rate > 0)
        dropout_apply(&drop, to, c->number, c->n / c->length, c->length, m);
}
