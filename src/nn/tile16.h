/* tile16.h - what both passes of attention16.h share: how parts of attention are laid out for
 * kern.half_product(), filled up with zeros to multiples of KERNEL_HALF, and what tile.h lacks.
 */
#ifndef NN_TILE16_H
#define NN_TILE16_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "nn/tile.h"

enum {
    UNIT = KERNEL_HALF,
    STRIP = 32,              // queries that meet keys at once
    WIDE_HALF = KEYS + 32    // numbers of a query's probabilities: no power of two, as WIDE
};

struct halves {    // keys times D
    _Alignas(64) uint16_t x[FLOATS];
};

static inline size_t tile16_whole(size_t n)    // filled up
{
    return (n + UNIT - 1) / UNIT * UNIT;
}

/* Rows x [n, D], H D apart, of which row i is 0 where f[i] is, if there is f; they come to lie one
 * after another. */
void tile16_lay(const struct head *h, uint16_t *to, const uint16_t *x, size_t n, const float *f);

/* Of rows so laid, the right operand that multiplies by x^T, and the one that multiplies by x. */
void tile16_turn(const struct head *h, struct halves *to, const uint16_t *x, size_t n);
void tile16_pair(const struct head *h, struct halves *to, const uint16_t *x, size_t n);

void tile16_zero(uint16_t *x, size_t rows, size_t n, size_t ld);

struct tile tile16_row(const struct tile *t, size_t i);    // the i-th alone
const float *tile16_bias(const struct tile *t);            // of the first query, or NULL
int tile16_drops_each(const struct attention *a);          // probability by itself?
/* What values are scaled by where dropout leaves some out for all queries. */
float tile16_keep(const struct attention *a);

/* kern.half_product() of sizes filled up, counted as a product of m x n x k. */
void tile16_multiply(const struct half_operands *p, size_t m, size_t n, size_t k);

#endif
