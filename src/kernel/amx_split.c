/* amx_split.c - floats as sums of bf16 numbers, rounded by AVX-512 BF16, 32 at a time. */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/amx.h"
#include "kernel/avx512.h"

#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")))

struct pair {
    __m512 v[2];
};

/* to = x rounded; returns what is left of x. */
static inline BF16 struct pair rounded(uint16_t *to, struct pair x)
{
    __m512i half = (__m512i)_mm512_cvtne2ps_pbh(x.v[1], x.v[0]);
    __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(half));
    __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(half, 1));

    _mm512_storeu_si512(to, half);
    x.v[0] = _mm512_sub_ps(x.v[0], _mm512_castsi512_ps(_mm512_slli_epi32(low, 16)));
    x.v[1] = _mm512_sub_ps(x.v[1], _mm512_castsi512_ps(_mm512_slli_epi32(high, 16)));
    return x;
}

/* Not finite, or more than the greatest bf16 when rounded? */
static inline BF16 int is_great(__m512 x)
{
    __m512i size = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));

    return _mm512_cmpge_epu32_mask(size, _mm512_set1_epi32(0x7f7f8000)) != 0;
}

BF16 void amx_split(uint16_t *to, size_t part, size_t step, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i + 32 <= n; i += 32, to += step) {
        struct pair p = { { _mm512_loadu_ps(x + i), _mm512_loadu_ps(x + i + 16) } };

        if (is_great(p.v[0]) || is_great(p.v[1])) {
            avx512_split(to, part, step, x + i, 32);
            continue;
        }
        p = rounded(to, p);
        p = rounded(to + part, p);
        rounded(to + 2 * part, p);
    }
    avx512_split(to, part, step, x + i, n - i);
}
#endif
