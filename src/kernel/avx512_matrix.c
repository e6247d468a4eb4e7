/* avx512_matrix.c - products and turns of small matrices with AVX-512.
 *
 * A block of c stays in registers while k goes by: each number of a is multiplied with a row of b.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/avx512.h"

/* Rows and columns of c at a time, in registers; steps of k, whose b stays in cache. */
enum { ROWS = 6, WIDE = 64, DEEP = 64 };

#define ALWAYS static inline __attribute__((always_inline)) TARGET

/* c [rows, 16 width], of whose columns n are real. rows and width are constants where it is called:
 * all loops but that over k vanish. */
ALWAYS void block(const struct operands *p, const float *a, const float *b, float *c, size_t n,
                  size_t k, int add, int rows, int width)
{
    __m512 s[ROWS][4], v[4], x;
    size_t l;
    int i, j;

#pragma GCC unroll 6
    for (i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (j = 0; j < width; j++)
            s[i][j] = add ? get(c + (size_t)i * p->ldc + 16 * j, n - 16 * (size_t)j)
                          : _mm512_setzero_ps();
    for (l = 0; l < k; l++, a += p->column, b += KERNEL_PANEL) {
#pragma GCC unroll 4
        for (j = 0; j < width; j++)
            v[j] = _mm512_loadu_ps(b + 16 * j);
#pragma GCC unroll 6
        for (i = 0; i < rows; i++) {
            x = _mm512_set1_ps(a[(size_t)i * p->row]);
#pragma GCC unroll 4
            for (j = 0; j < width; j++)
                s[i][j] = _mm512_fmadd_ps(x, v[j], s[i][j]);
        }
    }
#pragma GCC unroll 6
    for (i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (j = 0; j < width; j++)
            put(c + (size_t)i * p->ldc + 16 * j, n - 16 * (size_t)j, s[i][j]);
}

#define CASE(rows, width)                                                                          \
    case (rows)*8 + (width):                                                                       \
        block(p, a, b, c, n, k, add, rows, width);                                                 \
        break
#define CASES(rows)                                                                                \
    CASE(rows, 1);                                                                                 \
    CASE(rows, 2);                                                                                 \
    CASE(rows, 3);                                                                                 \
    CASE(rows, 4)

FN void any_block(const struct operands *p, const float *a, const float *b, float *c, size_t n,
                  size_t k, int add, size_t rows)
{
    switch (rows * 8 + (n + 15) / 16) {
        CASES(1);
        CASES(2);
        CASES(3);
        CASES(4);
        CASES(5);
        CASES(6);
    }
}

TARGET void avx512_product(const struct operands *p, size_t m, size_t n, size_t k)
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

/* 16 rows of 16 turned. unpack and shuffle work in quarters of a register: after two steps of each
 * a quarter holds four numbers of one column, and quarters are what the last two steps move. */
IN void set_row(float *y, size_t ldy, size_t j, size_t rows, size_t columns, __m512 v)
{
    if (j < columns)
        put(y + j * ldy, rows, v);
}

FN void turn(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t columns)
{
    __m512 r[16], t[16];
    int i;

#pragma GCC unroll 16
    for (i = 0; i < 16; i++)
        r[i] = (size_t)i < rows ? get(x + (size_t)i * ldx, columns) : _mm512_setzero_ps();
#pragma GCC unroll 8
    for (i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (i = 0; i < 16; i += 4) {
        r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 4
    for (i = 0; i < 4; i++) {
        set_row(y, ldy, (size_t)i, rows, columns, _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88));
        set_row(y, ldy, (size_t)(i + 4), rows, columns,
                _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88));
        set_row(y, ldy, (size_t)(i + 8), rows, columns, _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd));
        set_row(y, ldy, (size_t)(i + 12), rows, columns,
                _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd));
    }
}

TARGET void avx512_transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows,
                             size_t columns)
{
    size_t i, j;

    for (i = 0; i < rows; i += 16)
        for (j = 0; j < columns; j += 16)
            turn(y + j * ldy + i, ldy, x + i * ldx + j, ldx, rows - i, columns - j);
}
#endif
