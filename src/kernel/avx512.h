/* avx512.h - what the files of the AVX-512 kernels share. get() and put() touch only the first
 * `left` floats, so nothing is read or written past n.
 */
#ifndef KERNEL_AVX512_H
#define KERNEL_AVX512_H

#include <immintrin.h>
#include <stddef.h>

#include "kernel/kernel.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define FN static TARGET
#define IN FN inline

IN __mmask16 lanes(size_t left)
{
    return left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
}

IN __m512 get(const float *x, size_t left)
{
    return _mm512_maskz_loadu_ps(lanes(left), x);
}

IN void put(float *x, size_t left, __m512 v)
{
    _mm512_mask_storeu_ps(x, lanes(left), v);
}

/* Rounds to the upper half of a float, ties to even, NaN made quiet. */
IN __m256i round_half(__m512 x)
{
    __m512i bits = _mm512_castps_si512(x), up = _mm512_srli_epi32(bits, 16);
    __m512i odd = _mm512_and_si512(up, _mm512_set1_epi32(1));
    __m512i to = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);

    to = _mm512_srli_epi32(to, 16);
    to = _mm512_mask_or_epi32(to, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), up,
                              _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(to);
}

void avx512_product(const struct operands *p, size_t m, size_t n, size_t k);
void avx512_transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows,
                      size_t columns);
void avx512_half_product(const struct half_operands *p, size_t m, size_t n, size_t k);
void avx512_split(uint16_t *to, size_t part, size_t step, const float *x, size_t n);
void avx512_half_pair(uint16_t *to, size_t step, const uint16_t *x, const uint16_t *y, size_t n);
void avx512_pair(uint16_t *to, size_t step, const float *x, const float *y, size_t n);
void avx512_half_transpose(uint16_t *y, size_t ldy, const uint16_t *x, size_t ldx, size_t rows,
                           size_t columns);
void avx512_ada_squares(const float *g, size_t rows, size_t n, double *along, double *down);
void avx512_ada_moments(const float *g, const float *a, const float *b, size_t rows, size_t n,
                        double *uu);
void avx512_ada_step(float *w, uint16_t *half, float step, const float *g, const float *a,
                     const float *b, size_t rows, size_t n, double *ww);
void avx512_coins(float *f, float keep, uint32_t below, uint64_t key, uint64_t a, uint64_t b,
                  size_t n);
void avx512_jitter(float *to, const float *from, float low, float step, uint64_t key, uint64_t a,
                   size_t n);

#endif
