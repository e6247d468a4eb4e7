/* avx2_random.c - what draws, with AVX2: the same to the bit as the definition. */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/avx2.h"

/* Philox as in base/rng, a draw in each 64-bit lane. A product reads the low halves alone, so
 * what the steps leave in the high ones does no harm. x[3] of the draw is not needed. */
IN __m256i philox(uint64_t key, uint64_t a, __m256i b)
{
    const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
    __m256i x0 = _mm256_set1_epi64x((long long)(a & 0xffffffff)),
            x1 = _mm256_set1_epi64x((long long)(a >> 32));
    __m256i x2 = b, x3 = _mm256_srli_epi64(b, 32), p, q;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    int i;

    for (i = 0; i < 10; i++) {
        p = _mm256_mul_epu32(x0, m0);
        q = _mm256_mul_epu32(x2, m1);
        x0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(q, 32), x1),
                              _mm256_set1_epi64x(k0));
        x2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p, 32), x3),
                              _mm256_set1_epi64x(k1));
        x1 = q;
        x3 = p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return _mm256_blend_epi32(x0, _mm256_slli_epi64(x1, 32), 0xaa);
}

TARGET void avx2_coins(float *f, float keep, uint32_t below, uint64_t key, uint64_t a, uint64_t b,
                       size_t n)
{
    __m256i at = _mm256_add_epi64(_mm256_set1_epi64x((long long)b), _mm256_set_epi64x(3, 2, 1, 0));
    __m256i bar = _mm256_set1_epi32((int)below), bits, on;
    __m256 vk = _mm256_set1_ps(keep);
    size_t i;

    for (i = 0; i < n; i += 8) {
        bits = philox(key, a, at);
        on = _mm256_cmpeq_epi32(_mm256_max_epu32(bits, bar), bits);    // bits >= bar, unsigned
        put(f + i, n - i, _mm256_and_ps(_mm256_castsi256_ps(on), vk));
        at = _mm256_add_epi64(at, _mm256_set1_epi64x(4));
    }
}

/* to = from (low + step (draw + 1/2)) of 8 draws of 16 bits. */
IN void shake(float *to, const float *from, size_t left, __m256 low, __m256 step, __m128i draws)
{
    __m256 u = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(draws));

    u = _mm256_mul_ps(step, _mm256_add_ps(u, _mm256_set1_ps(0.5f)));
    put(to, left, _mm256_mul_ps(get(from, left), _mm256_add_ps(low, u)));
}

TARGET void avx2_jitter(float *to, const float *from, float low, float step, uint64_t key,
                        uint64_t a, size_t n)
{
    __m256i at = _mm256_set_epi64x(3, 2, 1, 0), draws;
    __m256 vlow = _mm256_set1_ps(low), vstep = _mm256_set1_ps(step);
    size_t i;

    for (i = 0; i < n; i += 16) {
        draws = philox(key, a, at);
        shake(to + i, from + i, n - i, vlow, vstep, _mm256_castsi256_si128(draws));
        if (i + 8 < n)
            shake(to + i + 8, from + i + 8, n - i - 8, vlow, vstep,
                  _mm256_extracti128_si256(draws, 1));
        at = _mm256_add_epi64(at, _mm256_set1_epi64x(4));
    }
}
#endif
