/* ref_half.c - plain products and layouts of bf16 matrices, and of floats that are split. */
#include <math.h>

#include "kernel/kernel.h"
#include "kernel/ref.h"

void ref_half_product(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j, l;

    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            const uint16_t *a = p->a + i * p->lda, *b = p->b + j / 16 * p->step + j % 16 * 2;
            double sum = p->add ? p->c[i * p->ldc + j] : 0;

            for (l = 0; l < k; l++)
                sum += (double)widen(a[l]) * widen(b[l / 2 * 32 + l % 2]);
            p->c[i * p->ldc + j] = (float)sum;
        }
}

void ref_split(uint16_t *to, size_t part, size_t step, const float *x, size_t n)
{
    const uint16_t inf = 0x7f80;
    size_t i, at;
    float rest;

    for (i = 0; i < n; i++) {
        uint16_t first = round_half(x[i]);

        if ((first & 0x7fff) == inf && isfinite(x[i]))
            first--;    // rounded beyond the greatest
        rest = (first & inf) == inf ? 0 : x[i] - widen(first);
        at = i / KERNEL_HALF * step + i % KERNEL_HALF;
        to[at] = first;
        to[at + part] = round_half(rest);
        to[at + 2 * part] = round_half(rest - widen(to[at + part]));
    }
}

/* a b of the parts pa and pb */
static double part_product(const struct split_operands *p, size_t i, size_t j, size_t k, size_t pa,
                           size_t pb)
{
    const struct half_operands *o = &p->first;
    const uint16_t *a = o->a + pa * p->part_a + i / 32 * o->lda + i % 32 * 32;
    const uint16_t *b = o->b + pb * p->part_b + j / 16 * o->step + j % 16 * 2;
    double sum = 0;
    size_t l;

    for (l = 0; l < k; l++)
        sum += (double)widen(a[l / 32 * 1024 + l % 32]) * widen(b[l / 2 * 32 + l % 2]);
    return sum;
}

void ref_split_product(const struct split_operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j, pa, pb;

    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            float *c = p->first.c + i * p->first.ldc + j;
            double sum = p->first.add ? *c : 0;

            for (pa = 0; pa < 3; pa++)
                for (pb = 0; pa + pb < 3; pb++)
                    sum += part_product(p, i, j, k, pa, pb);
            *c = (float)sum;
        }
}

void ref_half_pair(uint16_t *to, size_t step, const uint16_t *x, const uint16_t *y, size_t n)
{
    size_t j;

    for (j = 0; j < n; j++) {
        to[j / 16 * step + j % 16 * 2] = x[j];
        to[j / 16 * step + j % 16 * 2 + 1] = y[j];
    }
}

void ref_pair(uint16_t *to, size_t step, const float *x, const float *y, size_t n)
{
    size_t j;

    for (j = 0; j < n; j++) {
        to[j / 16 * step + j % 16 * 2] = round_half(x[j]);
        to[j / 16 * step + j % 16 * 2 + 1] = round_half(y[j]);
    }
}

void ref_half_transpose(uint16_t *y, size_t ldy, const uint16_t *x, size_t ldx, size_t rows,
                        size_t columns)
{
    size_t i, j;

    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++)
            y[j * ldy + i] = x[i * ldx + j];
}
