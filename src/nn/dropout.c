/* dropout.c - see dropout.h.
 *
 * An element's place is (number, position, i). A draw gives 64 bits, two elements 32 each:
 * the pair of i and i ^ 1 shares one.
 */
#include <assert.h>

#include "base/rng.h"
#include "kernel/kernel.h"
#include "nn/dropout.h"

enum { CHUNK = 512 };    // factors made at a time

struct coin {
    uint64_t key;
    uint32_t below;    // drawn less than this: dropped
    float keep;
};

static struct coin coin_of(const struct dropout *d)
{
    assert(d->rate >= 0 && d->rate < 1);
    return (struct coin){ d->key, (uint32_t)(d->rate * 0x1p32), (float)(1 / (1 - d->rate)) };
}

static uint64_t draw(const struct coin *c, uint64_t number, uint64_t position, uint64_t i)
{
    return rng_u64(c->key, number, position << 32 | i >> 1);
}

static float side(const struct coin *c, uint64_t bits, uint64_t i)
{
    return (uint32_t)(bits >> (i & 1 ? 32 : 0)) < c->below ? 0 : c->keep;
}

float dropout_factor(const struct dropout *d, uint64_t number, uint64_t position, uint64_t i)
{
    struct coin c;

    if (d->rate == 0)
        return 1;
    c = coin_of(d);
    return side(&c, draw(&c, number, d->per_element ? position : 0, i), i);
}

void dropout_factors(const struct dropout *d, uint64_t number, uint64_t position, uint64_t first,
                     size_t n, float *f)
{
    struct coin c = coin_of(d);

    if (!d->per_element)
        position = 0;
    if (n > 0 && first & 1) {    // the second of a pair
        *f++ = side(&c, draw(&c, number, position, first), first);
        first++, n--;
    }
    kern.coins(f, c.keep, c.below, c.key, number, position << 32 | first >> 1, n);
}

static void apply_row(const struct dropout *d, float *x, uint64_t number, size_t length,
                      size_t width, uint64_t first)
{
    float f[CHUNK];
    size_t at, n, t;

    for (at = 0; at < width; at += CHUNK) {
        n = width - at < CHUNK ? width - at : CHUNK;
        for (t = 0; t < length; t++) {
            if (t == 0 || d->per_element)
                dropout_factors(d, number, t, first + at, n, f);
            kern.mul(x + t * width + at, 1, x + t * width + at, f, n);
        }
    }
}

void dropout_apply_from(const struct dropout *d, float *x, const uint64_t *number, size_t n_row,
                        size_t length, size_t width, uint64_t first)
{
    size_t row;

    if (d->rate == 0)
        return;
#pragma omp parallel for schedule(static)
    for (row = 0; row < n_row; row++)
        apply_row(d, x + row * length * width, number[row], length, width, first);
}

void dropout_apply(const struct dropout *d, float *x, const uint64_t *number, size_t n_row,
                   size_t length, size_t width)
{
    dropout_apply_from(d, x, number, n_row, length, width, 0);
}
