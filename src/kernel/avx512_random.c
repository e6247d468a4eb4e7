/* avx512_random.c - what draws, with AVX-512: the same to the bit as the definition. */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/avx512.h"

/* Philox as in base/rng, a draw in each 64-bit lane. A product reads the low halves alone, so
 * what the steps leave in the high ones does no harm. x[3] of the draw is not needed. */
IN __m512i philox(uint64_t key, uint64_t a, __m512i b)
{
    const __m512i m0 = _mm512_set1_epi64(0xD2511F53), m1 = _mm512_set1_epi64(0xCD9E8D57);
    __m512i x0 = _mm512_set1_epi64((long long)(a & 0xffffffff)),
            x1 = _mm512_set1_epi64((long long)(a >> 32));
    __m512i x2 = b, x3 = _mm512_srli_epi64(b, 32), p, q;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    int i;

    for (i = 0; i < 10; i++) {
        p = _mm512_mul_epu32(x0, m0);
        q = _mm512_mul_epu32(x2, m1);
        x0 =
            _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(q, 32), x1), _mm512_set1_epi64(k0));
        x2 =
            _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p, 32), x3), _mm512_set1_epi64(k1));
        x1 = q;
        x3 = p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return _mm512_mask_blend_epi32(0xaaaa, x0, _mm512_slli_epi64(x1, 32));
}

TARGET void avx512_coins(float *f, float keep, uint32_t below, uint64_t key, uint64_t a, uint64_t b,
                         size_t n)
{
    __m512i at =
        _mm512_add_epi64(_mm512_set1_epi64((long long)b), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    __m512i bar = _mm512_set1_epi32((int)below);
    __m512 vk = _mm512_set1_ps(keep);
    size_t i;

    for (i = 0; i < n; i += 16) {
        __mmask16 on = _mm512_cmpge_epu32_mask(philox(key, a, at), bar);

        put(f + i, n - i, _mm512_maskz_mov_ps(on, vk));
        at = _mm512_add_epi64(at, _mm512_set1_epi64(8));
    }
}

/* to = from (low + step (draw + 1/2)) of 16 draws of 16 bits. */
IN void shake(float *to, const float *from, size_t left, __m512 low, __m512 step, __m256i draws)
{
    __m512 u = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(draws));

    u = _mm512_mul_ps(step, _mm512_add_ps(u, _mm512_set1_ps(0.5f)));
    put(to, left, _mm512_mul_ps(get(from, left), _mm512_add_ps(low, u)));
}

TARGET void avx512_jitter(float *to, const float *from, float low, float step, uint64_t key,
                          uint64_t a, size_t n)
{
    __m512i at = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), draws;
    __m512 vlow = _mm512_set1_ps(low), vstep = _mm512_set1_ps(step);
    size_t i;

    for (i = 0; i < n; i += 32) {
        draws = philox(key, a, at);
        shake(to + i, from + i, n - i, vlow, vstep, _mm512_castsi512_si256(draws));
        if (i + 16 < n)
            shake(to + i + 16, from + i + 16, n - i - 16, vlow, vstep,
                  _mm512_extracti64x4_epi64(draws, 1));
        at = _mm512_add_epi64(at, _mm512_set1_epi64(8));
    }
}
#endif
