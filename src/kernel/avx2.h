/* avx2.h - what the files of the AVX2 kernels share. get() and put() touch only the first `left`
 * floats, so nothing is read or written past n.
 */
#ifndef KERNEL_AVX2_H
#define KERNEL_AVX2_H

#include <immintrin.h>
#include <stddef.h>

#include "kernel/kernel.h"

#define TARGET __attribute__((target("avx2,fma")))
#define FN static TARGET
#define IN FN inline

/* All bits set in the first `left` lanes. */
IN __m256i lanes(size_t left)
{
    static const int on[16] = { -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0 };

    return _mm256_loadu_si256((const __m256i *)(on + 8 - (left < 8 ? left : 8)));
}

IN __m256 get(const float *x, size_t left)
{
    return left >= 8 ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes(left));
}

IN void put(float *x, size_t left, __m256 v)
{
    if (left >= 8)
        _mm256_storeu_ps(x, v);
    else
        _mm256_maskstore_ps(x, lanes(left), v);
}

void avx2_product(const struct operands *p, size_t m, size_t n, size_t k);
void avx2_transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t columns);
void avx2_half_product(const struct half_operands *p, size_t m, size_t n, size_t k);
void avx2_coins(float *f, float keep, uint32_t below, uint64_t key, uint64_t a, uint64_t b,
                size_t n);
void avx2_jitter(float *to, const float *from, float low, float step, uint64_t key, uint64_t a,
                 size_t n);

#endif
