/* tile16.c - see tile16.h. */
#include <string.h>

#include "base/progress.h"
#include "nn/dropout.h"
#include "nn/gemm.h"
#include "nn/tile16.h"

void tile16_lay(const struct head *h, uint16_t *to, const uint16_t *x, size_t n, const float *f)
{
    enum { USUAL = 64, AHEAD = 8 };    // numbers of a row; rows that are fetched before their turn
    size_t deep = tile16_whole(h->d), i;

    for (i = 0; i < n; i++, to += deep) {
        const uint16_t *from = x + i * h->width;

        if (i + AHEAD < n) {
            __builtin_prefetch(from + AHEAD * h->width);
            __builtin_prefetch(from + AHEAD * h->width + 32);
        }
        if (f && f[i] == 0) {
            memset(to, 0, deep * sizeof(*to));
        } else if (h->d == USUAL) {
            memcpy(to, from, USUAL * sizeof(*to));    // no call
        } else {
            memcpy(to, from, h->d * sizeof(*to));
            memset(to + h->d, 0, (deep - h->d) * sizeof(*to));
        }
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

void tile16_zero(uint16_t *x, size_t rows, size_t n, size_t ld)
{
    size_t i;

    for (i = 0; i < rows; i++)
        memset(x + i * ld, 0, n * sizeof(*x));
}

struct tile tile16_row(const struct tile *t, size_t i)
{
    struct tile row = *t;

    row.i += i;
    row.rows = 1;
    return row;
}

const float *tile16_bias(const struct tile *t)
{
    const struct head *h = t->h;

    return h->bias ? h->bias + t->key + h->n_query - 1 - t->i : NULL;
}

int tile16_drops_each(const struct attention *a)
{
    return a->drop && a->drop->rate > 0 && a->drop->per_element;
}

float tile16_keep(const struct attention *a)
{
    return a->drop && !a->drop->per_element ? (float)(1 / (1 - a->drop->rate)) : 1;
}

void tile16_multiply(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    double start = clock_seconds();

    kern.half_product(p, tile16_whole(m), tile16_whole(n), tile16_whole(k));
    gemm_count(2.0 * (double)m * (double)n * (double)k, clock_seconds() - start);
}
