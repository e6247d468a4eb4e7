/* avx512_half.c - products and layouts of bf16 matrices with AVX-512, without its bf16 extension:
 * numbers are made whole on their way into the registers.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include <string.h>

#include "kernel/avx512.h"

enum { ROWS = 8, PANELS = 2 };    // of c at a time, in registers

/* The two numbers of each pair, made whole. */
IN __m512 first(__m512i x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
}

IN __m512 second(__m512i x)
{
    return _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32(-0x10000)));
}

FN void block(const struct half_operands *p, const uint16_t *a, const uint16_t *b, float *c,
              size_t k)
{
    __m512 s[ROWS][PANELS], v[2 * PANELS], x, y;
    __m512i w;
    size_t l;
    int i, j, pair;

    for (i = 0; i < ROWS; i++)
        for (j = 0; j < PANELS; j++)
            s[i][j] =
                p->add ? _mm512_loadu_ps(c + (size_t)i * p->ldc + 16 * j) : _mm512_setzero_ps();
    for (l = 0; l < k; l += 2, a += 2, b += 32) {
#pragma GCC unroll 2
        for (j = 0; j < PANELS; j++) {
            w = _mm512_loadu_si512(b + (size_t)j * p->step);
            v[2 * j] = first(w);
            v[2 * j + 1] = second(w);
        }
#pragma GCC unroll 8
        for (i = 0; i < ROWS; i++) {
            memcpy(&pair, a + (size_t)i * p->lda, sizeof(pair));
            w = _mm512_set1_epi32(pair);
            x = first(w), y = second(w);
#pragma GCC unroll 2
            for (j = 0; j < PANELS; j++) {
                s[i][j] = _mm512_fmadd_ps(x, v[2 * j], s[i][j]);
                s[i][j] = _mm512_fmadd_ps(y, v[2 * j + 1], s[i][j]);
            }
        }
    }
    for (i = 0; i < ROWS; i++)
        for (j = 0; j < PANELS; j++)
            _mm512_storeu_ps(c + (size_t)i * p->ldc + 16 * j, s[i][j]);
}

TARGET void avx512_half_product(const struct half_operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j;

    for (j = 0; j < n; j += 16 * PANELS)
        for (i = 0; i < m; i += ROWS)
            block(p, p->a + i * p->lda, p->b + j / 16 * p->step, p->c + i * p->ldc + j, k);
}

IN __m512i pairs(__m256i x, __m256i y)
{
    return _mm512_or_si512(_mm512_cvtepu16_epi32(x),
                           _mm512_slli_epi32(_mm512_cvtepu16_epi32(y), 16));
}

IN __m256i get_half(const uint16_t *x, size_t left)
{
    return _mm256_maskz_loadu_epi16(lanes(left), x);
}

IN __m512 widen(__m256i x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

IN void put_half(uint16_t *to, size_t left, __m256i v)
{
    _mm256_mask_storeu_epi16(to, lanes(left), v);
}

TARGET void avx512_split(uint16_t *to, size_t part, size_t step, const float *x, size_t n)
{
    const __m512i infinite = _mm512_set1_epi32(0x7f800000), most = _mm512_set1_epi32(0x7f7f8000);
    size_t i;

    for (i = 0; i < n; i += 16) {
        __m512 v = get(x + i, n - i);
        __m512i size = _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff));
        __mmask16 finite = _mm512_cmplt_epu32_mask(size, infinite);
        __mmask16 beyond = _mm512_mask_cmpge_epu32_mask(finite, size, most);
        __m256i first = round_half(v), second;

        first = _mm256_mask_sub_epi16(first, beyond, first, _mm256_set1_epi16(1));
        v = _mm512_maskz_sub_ps(finite, v, widen(first));
        second = round_half(v);
        uint16_t *at = to + i / KERNEL_HALF * step + i % KERNEL_HALF;

        put_half(at, n - i, first);
        put_half(at + part, n - i, second);
        put_half(at + 2 * part, n - i, round_half(_mm512_sub_ps(v, widen(second))));
    }
}

TARGET void avx512_half_pair(uint16_t *to, size_t step, const uint16_t *x, const uint16_t *y,
                             size_t n)
{
    size_t j;

    for (j = 0; j < n; j += 16, to += step)
        _mm512_mask_storeu_epi32(to, lanes(n - j),
                                 pairs(get_half(x + j, n - j), get_half(y + j, n - j)));
}

TARGET void avx512_pair(uint16_t *to, size_t step, const float *x, const float *y, size_t n)
{
    size_t j;

    for (j = 0; j < n; j += 16, to += step)
        _mm512_mask_storeu_epi32(
            to, lanes(n - j), pairs(round_half(get(x + j, n - j)), round_half(get(y + j, n - j))));
}

/* Row i of y: of those that come from the low or the high half of a quarter of x's rows. */
IN uint16_t *turned_row(uint16_t *y, size_t ldy, int i, int high)
{
    return y + (size_t)(i / 4 * 8 + i % 4 + 4 * high) * ldy;
}

/* 32 rows of 32 turned, those in the low or high halves of quarters: the numbers of two rows beside
 * each other are pairs, and a matrix of pairs is turned as one of floats (avx512_matrix.c). */
IN void turn_half(uint16_t *y, size_t ldy, const uint16_t *x, size_t ldx, int high)
{
    __m512i r[16], t[16];
    int i;

#pragma GCC unroll 16
    for (i = 0; i < 16; i++) {
        __m512i a = _mm512_loadu_si512(x + (size_t)(2 * i) * ldx);
        __m512i b = _mm512_loadu_si512(x + (size_t)(2 * i + 1) * ldx);

        r[i] = high ? _mm512_unpackhi_epi16(a, b) : _mm512_unpacklo_epi16(a, b);
    }
#pragma GCC unroll 8
    for (i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 8
    for (i = 0; i < 8; i++) {
        _mm512_storeu_si512(turned_row(y, ldy, i, high),
                            _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88));
        _mm512_storeu_si512(turned_row(y, ldy, i + 8, high),
                            _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd));
    }
}

TARGET void avx512_half_transpose(uint16_t *y, size_t ldy, const uint16_t *x, size_t ldx,
                                  size_t rows, size_t columns)
{
    size_t i, j;

    for (j = 0; j < columns; j += 32)
        for (i = 0; i < rows; i += 32) {
            turn_half(y + j * ldy + i, ldy, x + i * ldx + j, ldx, 0);
            turn_half(y + j * ldy + i, ldy, x + i * ldx + j, ldx, 1);
        }
}
#endif
