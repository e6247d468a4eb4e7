/* amx_softmax.c - what attention does between products on tiles: softmax of floats, rounded by
 * AVX-512 BF16, which every processor with AMX has. What would be below the normal numbers is 0.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include <math.h>

#include "kernel/amx.h"
#include "kernel/avx512.h"

#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")))

/* exp(x) for x that is no more than a little above 0: 2^floor(t) times a polynomial in what is
 * over, off by 3e-6 at most, and 1 for 0. */
static inline BF16 __m512 power(__m512 x, __mmask16 on)
{
    __m512 t = _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), r, p;

    on = _mm512_mask_cmp_ps_mask(on, t, _mm512_set1_ps(-126), _CMP_NLT_UQ);
    r = _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    p = _mm512_set1_ps(0.013426684f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.052242474f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.2412802f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.69304484f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    return _mm512_maskz_scalef_ps(on, p, t);
}

static inline BF16 __m512 biased(const float *x, const float *bias, __mmask16 on)
{
    __m512 v = _mm512_maskz_loadu_ps(on, x);

    return bias ? _mm512_add_ps(v, _mm512_maskz_loadu_ps(on, bias)) : v;
}

static BF16 float greatest(const float *x, const float *bias, float top, size_t n)
{
    __m512 a = _mm512_set1_ps(top), b = a;
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        a = _mm512_max_ps(a, biased(x + i, bias ? bias + i : NULL, 0xffff));
        b = _mm512_max_ps(b, biased(x + i + 16, bias ? bias + i + 16 : NULL, 0xffff));
    }
    for (; i < n; i += 16) {
        __mmask16 on = lanes(n - i);

        a = _mm512_mask_max_ps(a, on, a, biased(x + i, bias ? bias + i : NULL, on));
    }
    return _mm512_reduce_max_ps(_mm512_max_ps(a, b));
}

BF16 float amx_softmax(uint16_t *to, const float *x, const float *bias, float *top, size_t n)
{
    __m512 sum = _mm512_setzero_ps(), shift, v;
    size_t i;

    *top = greatest(x, bias, *top, n);
    shift = _mm512_set1_ps(*top);
    for (i = 0; i < n; i += 16) {
        __mmask16 on = lanes(n - i);

        v = power(_mm512_sub_ps(biased(x + i, bias ? bias + i : NULL, on), shift), on);
        sum = _mm512_add_ps(sum, v);
        _mm256_mask_storeu_epi16(to + i, on, (__m256i)_mm512_cvtneps_pbh(v));
    }
    return _mm512_reduce_add_ps(sum);
}

/* Probabilities of one row from j on, and in d their gradients. */
static inline BF16 __m512 back(const struct half_softmax *p, int i, size_t j, __m512 *d)
{
    size_t at = (size_t)i * p->ld + j;
    __mmask16 on = p->see[i] > j ? lanes(p->see[i] - j) : 0;
    __m512 v = biased(p->x + at, p->bias[i] ? p->bias[i] + j : NULL, on);

    v = _mm512_mul_ps(power(_mm512_sub_ps(v, _mm512_set1_ps(p->top[i])), on),
                      _mm512_set1_ps(p->a[i]));
    *d = _mm512_sub_ps(_mm512_maskz_loadu_ps(on, p->d + at), _mm512_set1_ps(p->s[i]));
    *d = _mm512_maskz_mul_ps(on, v, *d);
    if (p->bias[i]) {
        float *to = p->d_bias[i] + j;

        _mm512_mask_storeu_ps(to, on, _mm512_add_ps(_mm512_maskz_loadu_ps(on, to), *d));
    }
    return v;
}

BF16 void amx_softmax_back(const struct half_softmax *p, size_t n)
{
    const __m512i low = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    /* pairs: number i of the lower half, then of the upper one */
    const __m512i beside =
        _mm512_or_si512(low, _mm512_slli_epi32(_mm512_add_epi32(low, _mm512_set1_epi32(16)), 16));
    size_t j;

    for (j = 0; j < n; j += 16) {
        __m512 d0, d1, x0 = back(p, 0, j, &d0), x1 = back(p, 1, j, &d1);
        __m512i x = (__m512i)_mm512_cvtne2ps_pbh(x1, x0), d = (__m512i)_mm512_cvtne2ps_pbh(d1, d0);
        size_t to = j / 16 * p->step;

        _mm512_storeu_si512(p->pairs + to, _mm512_permutexvar_epi16(beside, x));
        _mm512_storeu_si512(p->d_pairs + to, _mm512_permutexvar_epi16(beside, d));
        _mm256_storeu_si256((__m256i *)(void *)(p->d_rows + j), _mm512_castsi512_si256(d));
        _mm256_storeu_si256((__m256i *)(void *)(p->d_rows + p->ld_rows + j),
                            _mm512_extracti64x4_epi64(d, 1));
    }
}
#endif
