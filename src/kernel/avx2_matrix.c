/* avx2_matrix.c - products and turns of small matrices with AVX2.
 *
 * A block of c stays in registers while k goes by: each number of a is multiplied with a row of b.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include <string.h>

#include "kernel/avx2.h"

/* Rows and columns of c at a time, in registers; steps of k, whose b stays in cache. */
enum { ROWS = 6, WIDE = 16, DEEP = 64 };

#define ALWAYS static inline __attribute__((always_inline)) TARGET

/* c [rows, 8 width], of whose columns n are real. rows and width are constants where it is called:
 * all loops but that over k vanish. */
ALWAYS void block(const struct operands *p, const float *a, const float *b, float *c, size_t n,
                  size_t k, int add, int rows, int width)
{
    __m256 s[ROWS][2], v[2], x;
    size_t l;
    int i, j;

#pragma GCC unroll 6
    for (i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (j = 0; j < width; j++)
            s[i][j] =
                add ? get(c + (size_t)i * p->ldc + 8 * j, n - 8 * (size_t)j) : _mm256_setzero_ps();
    for (l = 0; l < k; l++, a += p->column, b += KERNEL_PANEL) {
#pragma GCC unroll 2
        for (j = 0; j < width; j++)
            v[j] = _mm256_loadu_ps(b + 8 * j);
#pragma GCC unroll 6
        for (i = 0; i < rows; i++) {
            x = _mm256_set1_ps(a[(size_t)i * p->row]);
#pragma GCC unroll 2
            for (j = 0; j < width; j++)
                s[i][j] = _mm256_fmadd_ps(x, v[j], s[i][j]);
        }
    }
#pragma GCC unroll 6
    for (i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (j = 0; j < width; j++)
            put(c + (size_t)i * p->ldc + 8 * j, n - 8 * (size_t)j, s[i][j]);
}

#define CASE(rows, width)                                                                          \
    case (rows)*8 + (width):                                                                       \
        block(p, a, b, c, n, k, add, rows, width);                                                 \
        break
#define CASES(rows)                                                                                \
    CASE(rows, 1);                                                                                 \
    CASE(rows, 2)

FN void any_block(const struct operands *p, const float *a, const float *b, float *c, size_t n,
                  size_t k, int add, size_t rows)
{
    switch (rows * 8 + (n + 7) / 8) {
        CASES(1);
        CASES(2);
        CASES(3);
        CASES(4);
        CASES(5);
        CASES(6);
    }
}

TARGET void avx2_product(const struct operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j, l, rows, wide, deep, end = k ? k : 1;    // of nothing, c is still written

    for (j = 0; j < n; j += wide)
        for (wide = n - j < WIDE ? n - j : WIDE, l = 0; l < end; l += DEEP)
            for (deep = k - l < DEEP ? k - l : DEEP, i = 0; i < m; i += rows) {
                const float *b = p->b + j / KERNEL_PANEL * k * KERNEL_PANEL + j % KERNEL_PANEL;

                rows = m - i < ROWS ? m - i : ROWS;
                any_block(p, p->a + i * p->row + l * p->column, b + l * KERNEL_PANEL,
                          p->c + i * p->ldc + j, wide, deep, p->add || l > 0, rows);
            }
}

/* The two numbers of each pair, made whole. */
IN __m256 first(__m256i x)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16));
}

IN __m256 second(__m256i x)
{
    return _mm256_castsi256_ps(_mm256_and_si256(x, _mm256_set1_epi32(-0x10000)));
}

FN void half_block(const struct half_operands *p, const uint16_t *a, const uint16_t *b, float *c,
                   size_t k)
{
    __m256 s[4][2], x, y;
    __m256i v[2], w;
    size_t l;
    int i, j, pair;

    for (i = 0; i < 4; i++)
        for (j = 0; j < 2; j++)
            s[i][j] =
                p->add ? _mm256_loadu_ps(c + (size_t)i * p->ldc + 8 * j) : _mm256_setzero_ps();
    for (l = 0; l < k; l += 2, a += 2, b += 32) {
        for (j = 0; j < 2; j++)
            v[j] = _mm256_loadu_si256((const __m256i *)(const void *)(b + 16 * j));
#pragma GCC unroll 4
        for (i = 0; i < 4; i++) {
            memcpy(&pair, a + (size_t)i * p->lda, sizeof(pair));
            w = _mm256_set1_epi32(pair);
            x = first(w), y = second(w);
#pragma GCC unroll 2
            for (j = 0; j < 2; j++) {
                s[i][j] = _mm256_fmadd_ps(x, first(v[j]), s[i][j]);
                s[i][j] = _mm256_fmadd_ps(y, second(v[j]), s[i][j]);
            }
        }
    }
    for (i = 0; i < 4; i++)
        for (j = 0; j < 2; j++)
            _mm256_storeu_ps(c + (size_t)i * p->ldc + 8 * j, s[i][j]);
}

TARGET void avx2_half_product(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j;

    for (j = 0; j < n; j += 16)
        for (i = 0; i < m; i += 4)
            half_block(p, p->a + i * p->lda, p->b + j / 16 * p->step, p->c + i * p->ldc + j, k);
}

/* 8 rows of 8 turned: quads of columns by unpack and shuffle, then halves change places. */
IN void set_row(float *y, size_t ldy, size_t j, size_t rows, size_t columns, __m256 v)
{
    if (j < columns)
        put(y + j * ldy, rows, v);
}

FN void turn(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t columns)
{
    __m256 r[8], t[8];
    int i;

#pragma GCC unroll 8
    for (i = 0; i < 8; i++)
        r[i] = (size_t)i < rows ? get(x + (size_t)i * ldx, columns) : _mm256_setzero_ps();
#pragma GCC unroll 4
    for (i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (i = 0; i < 4; i++) {
        set_row(y, ldy, (size_t)i, rows, columns, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        set_row(y, ldy, (size_t)(i + 4), rows, columns,
                _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

TARGET void avx2_transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows,
                           size_t columns)
{
    size_t i, j;

    for (i = 0; i < rows; i += 8)
        for (j = 0; j < columns; j += 8)
            turn(y + j * ldy + i, ldy, x + i * ldx + j, ldx, rows - i, columns - j);
}
#endif
