/* avx2.c - kernels for AVX2 and FMA: 8 floats at a time, masks at the end of a row.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "kernel/avx2.h"

IN __m256 only(__m256 v, size_t left)    // 0 in the other lanes
{
    return _mm256_and_ps(v, _mm256_castsi256_ps(lanes(left)));
}

IN float sum8(__m256 v)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}

IN float max8(__m256 v)
{
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_shuffle_ps(x, x, 1)));
}

FN float dot(const float *x, const float *y, size_t n)
{
    __m256 a, b, c, d;
    size_t i = 0;

    a = b = c = d = _mm256_setzero_ps();
    for (; i + 32 <= n; i += 32) {
        a = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), a);
        b = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8), b);
        c = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 16), _mm256_loadu_ps(y + i + 16), c);
        d = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 24), _mm256_loadu_ps(y + i + 24), d);
    }
    for (; i < n; i += 8)
        a = _mm256_fmadd_ps(get(x + i, n - i), get(y + i, n - i), a);
    return sum8(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
}

FN float dot3(const float *x, const float *y, const float *z, size_t n)
{
    __m256 a, b;
    size_t i = 0;

    a = b = _mm256_setzero_ps();
    for (; i + 16 <= n; i += 16) {
        a = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)),
                            _mm256_loadu_ps(z + i), a);
        b = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8)),
                            _mm256_loadu_ps(z + i + 8), b);
    }
    for (; i < n; i += 8)
        a = _mm256_fmadd_ps(_mm256_mul_ps(get(x + i, n - i), get(y + i, n - i)), get(z + i, n - i),
                            a);
    return sum8(_mm256_add_ps(a, b));
}

FN float sum_squares(const float *x, size_t n)
{
    return dot(x, x, n);
}

FN float max(const float *x, size_t n)
{
    __m256 a = _mm256_set1_ps(-INFINITY), b = a, low = a;
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        a = _mm256_max_ps(a, _mm256_loadu_ps(x + i));
        b = _mm256_max_ps(b, _mm256_loadu_ps(x + i + 8));
    }
    for (; i < n; i += 8)
        a = _mm256_max_ps(
            a, _mm256_blendv_ps(low, get(x + i, n - i), _mm256_castsi256_ps(lanes(n - i))));
    return max8(_mm256_max_ps(a, b));
}

FN void axpy(float *y, float a, const float *x, size_t n)
{
    __m256 va = _mm256_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 8)
        put(y + i, n - i, _mm256_fmadd_ps(va, get(x + i, n - i), get(y + i, n - i)));
}

FN void scale(float *x, float a, size_t n)
{
    __m256 va = _mm256_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 8)
        put(x + i, n - i, _mm256_mul_ps(va, get(x + i, n - i)));
}

FN void add(float *y, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 8)
        put(y + i, n - i, _mm256_add_ps(get(y + i, n - i), get(x + i, n - i)));
}

FN void mul(float *y, float a, const float *x, const float *z, size_t n)
{
    __m256 va = _mm256_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 8)
        put(y + i, n - i, _mm256_mul_ps(_mm256_mul_ps(va, get(x + i, n - i)), get(z + i, n - i)));
}

FN void mul_add(float *y, float a, const float *x, const float *z, size_t n)
{
    __m256 va = _mm256_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 8)
        put(y + i, n - i,
            _mm256_fmadd_ps(_mm256_mul_ps(va, get(x + i, n - i)), get(z + i, n - i),
                            get(y + i, n - i)));
}

FN void norm_back(float *dx, float a, const float *w, const float *dy, float b, const float *x,
                  size_t n)
{
    __m256 va = _mm256_set1_ps(a), vb = _mm256_set1_ps(b), v;
    size_t i;

    for (i = 0; i < n; i += 8) {
        v = _mm256_fmadd_ps(vb, get(x + i, n - i), get(dx + i, n - i));
        v = _mm256_fmadd_ps(_mm256_mul_ps(va, get(w + i, n - i)), get(dy + i, n - i), v);
        put(dx + i, n - i, v);
    }
}

IN __m256 power2(__m256i k)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(k, _mm256_set1_epi32(127)), 23));
}

/* exp: 2^k times a polynomial in the rest, |rest| <= ln 2 / 2 (coefficients as in Cephes). The
 * argument stands second in min and max, which so hand on a NaN. What would be below the normal
 * numbers is 0: making subnormal ones stops the processor for a hundred cycles. */
IN __m256 exp8(__m256 x)
{
    __m256i whole, half;    // 2^whole in two steps: whole may be 128
    __m256 some = _mm256_cmp_ps(x, _mm256_set1_ps(-87.33654f), _CMP_NLT_UQ), k, p;

    x = _mm256_min_ps(_mm256_set1_ps(89), x);
    x = _mm256_max_ps(_mm256_set1_ps(-87.33654f), x);
    k = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    x = _mm256_fnmadd_ps(k, _mm256_set1_ps(0.693359375f), x);
    x = _mm256_fnmadd_ps(k, _mm256_set1_ps(-2.12194440e-4f), x);
    p = _mm256_set1_ps(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(5.0000001201e-1f));
    p = _mm256_fmadd_ps(p, _mm256_mul_ps(x, x), x);
    p = _mm256_add_ps(p, _mm256_set1_ps(1));
    whole = _mm256_cvtps_epi32(k);
    half = _mm256_srai_epi32(whole, 1);
    p = _mm256_mul_ps(_mm256_mul_ps(p, power2(half)), power2(_mm256_sub_epi32(whole, half)));
    return _mm256_and_ps(p, some);
}

FN float exp_shift(float *x, float shift, size_t n)
{
    __m256 vs = _mm256_set1_ps(shift), sum = _mm256_setzero_ps(), v;
    size_t i;

    for (i = 0; i < n; i += 8) {
        v = exp8(_mm256_sub_ps(get(x + i, n - i), vs));
        put(x + i, n - i, v);
        sum = _mm256_add_ps(sum, only(v, n - i));
    }
    return sum8(sum);
}

FN float add_max(float *x, const float *y, size_t n)
{
    __m256 low = _mm256_set1_ps(-INFINITY), top = low, v;
    size_t i;

    for (i = 0; i < n; i += 8) {
        v = _mm256_add_ps(get(x + i, n - i), get(y + i, n - i));
        put(x + i, n - i, v);
        top = _mm256_max_ps(top, _mm256_blendv_ps(low, v, _mm256_castsi256_ps(lanes(n - i))));
    }
    return max8(top);
}

FN void softmax_back(float *x, float *d, const float *bias, float *d_bias, float top, float a,
                     float s, size_t n)
{
    __m256 vtop = _mm256_set1_ps(top), va = _mm256_set1_ps(a), vs = _mm256_set1_ps(s), v, g;
    size_t i;

    for (i = 0; i < n; i += 8) {
        v = get(x + i, n - i);
        if (bias)
            v = _mm256_add_ps(v, get(bias + i, n - i));
        v = _mm256_mul_ps(exp8(_mm256_sub_ps(v, vtop)), va);
        g = _mm256_mul_ps(v, _mm256_sub_ps(get(d + i, n - i), vs));
        put(x + i, n - i, v);
        put(d + i, n - i, g);
        if (bias)
            put(d_bias + i, n - i, _mm256_add_ps(get(d_bias + i, n - i), g));
    }
}

FN void relu(float *y, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 8)
        put(y + i, n - i, _mm256_max_ps(_mm256_setzero_ps(), get(x + i, n - i)));
}

FN void relu_back(float *dy, float a, const float *y, size_t n)
{
    __m256 va = _mm256_set1_ps(a);
    __m256 on;
    size_t i;

    for (i = 0; i < n; i += 8) {
        on = _mm256_cmp_ps(get(y + i, n - i), _mm256_setzero_ps(), _CMP_GT_OQ);
        put(dy + i, n - i, _mm256_and_ps(on, _mm256_mul_ps(va, get(dy + i, n - i))));
    }
}

/* (1 + tanh u) / 2 = 1 / (1 + e), e = exp(-2 u), kept finite so that e s is no inf times 0. */
IN __m256 gelu_share(__m256 x, __m256 x2, __m256 *e)
{
    __m256 u =
        _mm256_fmadd_ps(x2, _mm256_set1_ps(-0.0713548162726f), _mm256_set1_ps(-1.5957691216057f));

    *e = exp8(_mm256_min_ps(_mm256_set1_ps(80), _mm256_mul_ps(u, x)));
    return _mm256_div_ps(_mm256_set1_ps(1), _mm256_add_ps(_mm256_set1_ps(1), *e));
}

FN void geglu(float *h, const float *u, const float *v, size_t n)
{
    __m256 x, e;
    size_t i;

    for (i = 0; i < n; i += 8) {
        x = get(u + i, n - i);
        x = _mm256_mul_ps(x, gelu_share(x, _mm256_mul_ps(x, x), &e));
        put(h + i, n - i, _mm256_mul_ps(x, get(v + i, n - i)));
    }
}

FN void geglu_back(float *d, float *dv, const float *u, const float *v, size_t n)
{
    __m256 x, x2, s, e, slope, dh;
    size_t i;

    for (i = 0; i < n; i += 8) {
        x = get(u + i, n - i);
        x2 = _mm256_mul_ps(x, x);
        s = gelu_share(x, x2, &e);
        slope =
            _mm256_fmadd_ps(x2, _mm256_set1_ps(0.2140644488178f), _mm256_set1_ps(1.5957691216057f));
        slope = _mm256_mul_ps(_mm256_mul_ps(x, slope), _mm256_mul_ps(e, s));
        slope = _mm256_fmadd_ps(slope, s, s);
        dh = get(d + i, n - i);
        put(dv + i, n - i, _mm256_mul_ps(dh, _mm256_mul_ps(x, s)));
        put(d + i, n - i, _mm256_mul_ps(dh, _mm256_mul_ps(slope, get(v + i, n - i))));
    }
}

/* 8 halves, 0 past the end. */
IN __m128i get_half(const uint16_t *x, size_t left)
{
    uint16_t some[8] = { 0 };

    if (left >= 8)
        return _mm_loadu_si128((const __m128i *)(const void *)x);
    memcpy(some, x, left * sizeof(*x));
    return _mm_loadu_si128((const __m128i *)(const void *)some);
}

FN void whole(float *to, const uint16_t *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 8) {
        __m256i v = _mm256_cvtepu16_epi32(get_half(x + i, n - i));

        put(to + i, n - i, _mm256_castsi256_ps(_mm256_slli_epi32(v, 16)));
    }
}

__attribute__((target("avx2,fma,f16c"))) static void whole_f16(float *to, const uint16_t *x,
                                                               size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 8)
        put(to + i, n - i, _mm256_cvtph_ps(get_half(x + i, n - i)));
}

void kernel_fill_avx2(struct kernels *k)
{
    *k = (struct kernels){
        .dot = dot,
        .dot3 = dot3,
        .sum_squares = sum_squares,
        .max = max,
        .axpy = axpy,
        .scale = scale,
        .add = add,
        .mul = mul,
        .mul_add = mul_add,
        .norm_back = norm_back,
        .exp_shift = exp_shift,
        .add_max = add_max,
        .softmax_back = softmax_back,
        .relu = relu,
        .relu_back = relu_back,
        .geglu = geglu,
        .geglu_back = geglu_back,
        .ada_squares = k->ada_squares,
        .ada_moments = k->ada_moments,
        .ada_step = k->ada_step,
        .half = k->half,    // as it is
        .whole = whole,
        .whole_f16 = whole_f16,
        .relu_half = k->relu_half,
        .relu_half_back = k->relu_half_back,
        .coins = avx2_coins,
        .jitter = avx2_jitter,
        .product = avx2_product,
        .transpose = avx2_transpose,
        .half_product = avx2_half_product,
        .split = k->split,
        .split_product = k->split_product,
        .half_pair = k->half_pair,
        .pair = k->pair,
        .half_transpose = k->half_transpose,
    };
}
#else
void kernel_fill_avx2(struct kernels *k)
{
    (void)k;
}
#endif
