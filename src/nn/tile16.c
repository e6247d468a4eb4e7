/* tile16.c - see tile16.h. */
#include <string.h>

#include "base/progress.h"
#include "nn/gemm.h"
#include "nn/tile16.h"

void tile16_lay(const struct head *h, uint16_t *to, const uint16_t *x, size_t n, const float *f)
{
    size_t deep = tile16_whole(h->d), d = h->d, i;

    for (i = 0; i < n; i++, to += deep) {
        size_t some = f && f[i] == 0 ? 0 : d;

        memcpy(to, x + i * h->width, some * sizeof(*to));
        memset(to + some, 0, (deep - some) * sizeof(*to));
    }
    memset(to, 0, (tile16_whole(n) - n) * deep * sizeof(*to));
}

/* Pairs of numbers are turned as if they were floats. */
void tile16_turn(const struct head *h, struct halves *to, const uint16_t *x, size_t n)
{
    size_t deep = tile16_whole(h->d), j;

    for (j = 0; j < tile16_whole(n); j += 16)
        kern.transpose((float *)(void *)(to->x + j * deep), 16,
                       (const float *)(const void *)(x + j * deep), deep / 2, 16, deep / 2);
}

void tile16_pair(const struct head *h, struct halves *to, const uint16_t *x, size_t n)
{
    size_t deep = tile16_whole(h->d), whole = tile16_whole(n), j;

    for (j = 0; j < whole; j += 2)
        kern.half_pair(to->x + j * 16, whole * 16, x + j * deep, x + (j + 1) * deep, deep);
}

void tile16_multiply(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    double start = clock_seconds();

    kern.half_product(p, tile16_whole(m), tile16_whole(n), tile16_whole(k));
    gemm_count(2.0 * (double)m * (double)n * (double)k, clock_seconds() - start);
}
