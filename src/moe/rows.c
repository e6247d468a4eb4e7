/* rows.c - see rows.h. */
#include <string.h>

#include "kernel/kernel.h"
#include "moe/rows.h"
#include "nn/linear.h"

enum { CHUNK = 512 };    // numbers at a time on the stack

static size_t left(size_t n, size_t i)
{
    return n - i < CHUNK ? n - i : CHUNK;
}

size_t moe_rows_width(size_t m, int half)
{
    return half ? m / 2 : m;
}

static float *row_at(const struct moe_rows *r, size_t i)
{
    return r->p + i * moe_rows_width(r->m, r->half);
}

const uint16_t *moe_rows_half(const struct moe_rows *r, size_t i)
{
    return (const uint16_t *)(const void *)row_at(r, i);
}

void moe_row_put(const struct moe_rows *r, size_t i, float a, const float *x)
{
    uint16_t *half = (uint16_t *)(void *)row_at(r, i);
    float *row = row_at(r, i), part[CHUNK];
    size_t j, k;

    if (a == 1 && r->half)
        kern.half(half, x, r->m);
    else if (a == 1)
        memcpy(row, x, r->m * sizeof(*x));
    else if (!r->half)
        for (j = 0; j < r->m; j++)
            row[j] = a * x[j];
    else
        for (j = 0; j < r->m; j += CHUNK) {
            for (k = 0; k < left(r->m, j); k++)
                part[k] = a * x[j + k];
            kern.half(half + j, part, left(r->m, j));
        }
}

void moe_row_get(const struct moe_rows *r, size_t i, float a, float *y)
{
    const float *row = row_at(r, i);
    size_t j;

    if (r->half) {
        kern.whole(y, moe_rows_half(r, i), r->m);
        row = y;
    }
    for (j = 0; j < r->m; j++)
        y[j] = a * row[j];
}

void moe_row_add(const struct moe_rows *r, size_t i, float a, float *y)
{
    float part[CHUNK];
    size_t j;

    if (!r->half && a == 1)
        kern.add(y, row_at(r, i), r->m);
    else if (!r->half)
        kern.axpy(y, a, row_at(r, i), r->m);
    else
        for (j = 0; j < r->m; j += CHUNK) {
            kern.whole(part, moe_rows_half(r, i) + j, left(r->m, j));
            kern.axpy(y + j, a, part, left(r->m, j));
        }
}

float moe_row_dot(const struct moe_rows *r, size_t i, const float *x)
{
    float part[CHUNK], sum = 0;
    size_t j;

    if (!r->half)
        return kern.dot(x, row_at(r, i), r->m);
    for (j = 0; j < r->m; j += CHUNK) {
        kern.whole(part, moe_rows_half(r, i) + j, left(r->m, j));
        sum += kern.dot(x + j, part, left(r->m, j));
    }
    return sum;
}

void moe_rows_round(const struct moe_rows *r, size_t i, const float *x, size_t n)
{
    rows_half((uint16_t *)(void *)row_at(r, i), x, n, r->m);
}

float moe_gate(const struct moe_rows *r, float gate)
{
    uint16_t half;

    if (!r->half)
        return gate;
    kern.half(&half, &gate, 1);
    kern.whole(&gate, &half, 1);
    return gate;
}
