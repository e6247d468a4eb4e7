/* avx512.c - kernels for AVX-512 (F, BW, DQ and VL): 16 floats at a time, masks at the end of a
 * row.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "kernel/avx512.h"

IN float total(__m512 a, __m512 b, __m512 c, __m512 d)
{
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)));
}

FN float dot(const float *x, const float *y, size_t n)
{
    __m512 a, b, c, d;
    size_t i = 0;

    a = b = c = d = _mm512_setzero_ps();
    for (; i + 64 <= n; i += 64) {
        a = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), a);
        b = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(y + i + 16), b);
        c = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 32), _mm512_loadu_ps(y + i + 32), c);
        d = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 48), _mm512_loadu_ps(y + i + 48), d);
    }
    for (; i < n; i += 16)
        a = _mm512_fmadd_ps(get(x + i, n - i), get(y + i, n - i), a);
    return total(a, b, c, d);
}

FN float dot3(const float *x, const float *y, const float *z, size_t n)
{
    __m512 a, b;
    size_t i = 0;

    a = b = _mm512_setzero_ps();
    for (; i + 32 <= n; i += 32) {
        a = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i)),
                            _mm512_loadu_ps(z + i), a);
        b = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(y + i + 16)),
                            _mm512_loadu_ps(z + i + 16), b);
    }
    for (; i < n; i += 16)
        a = _mm512_fmadd_ps(_mm512_mul_ps(get(x + i, n - i), get(y + i, n - i)), get(z + i, n - i),
                            a);
    return _mm512_reduce_add_ps(_mm512_add_ps(a, b));
}

FN float sum_squares(const float *x, size_t n)
{
    return dot(x, x, n);
}

FN float max(const float *x, size_t n)
{
    __m512 a = _mm512_set1_ps(-INFINITY), b = a, low = a;
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        a = _mm512_max_ps(a, _mm512_loadu_ps(x + i));
        b = _mm512_max_ps(b, _mm512_loadu_ps(x + i + 16));
    }
    for (; i < n; i += 16)
        a = _mm512_max_ps(a, _mm512_mask_loadu_ps(low, lanes(n - i), x + i));
    return _mm512_reduce_max_ps(_mm512_max_ps(a, b));
}

FN void axpy(float *y, float a, const float *x, size_t n)
{
    __m512 va = _mm512_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 16)
        put(y + i, n - i, _mm512_fmadd_ps(va, get(x + i, n - i), get(y + i, n - i)));
}

FN void scale(float *x, float a, size_t n)
{
    __m512 va = _mm512_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 16)
        put(x + i, n - i, _mm512_mul_ps(va, get(x + i, n - i)));
}

FN void add(float *y, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 16)
        put(y + i, n - i, _mm512_add_ps(get(y + i, n - i), get(x + i, n - i)));
}

FN void mul(float *y, float a, const float *x, const float *z, size_t n)
{
    __m512 va = _mm512_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 16)
        put(y + i, n - i, _mm512_mul_ps(_mm512_mul_ps(va, get(x + i, n - i)), get(z + i, n - i)));
}

FN void mul_add(float *y, float a, const float *x, const float *z, size_t n)
{
    __m512 va = _mm512_set1_ps(a);
    size_t i;

    for (i = 0; i < n; i += 16)
        put(y + i, n - i,
            _mm512_fmadd_ps(_mm512_mul_ps(va, get(x + i, n - i)), get(z + i, n - i),
                            get(y + i, n - i)));
}

FN void norm_back(float *dx, float a, const float *w, const float *dy, float b, const float *x,
                  size_t n)
{
    __m512 va = _mm512_set1_ps(a), vb = _mm512_set1_ps(b), v;
    size_t i;

    for (i = 0; i < n; i += 16) {
        v = _mm512_fmadd_ps(vb, get(x + i, n - i), get(dx + i, n - i));
        v = _mm512_fmadd_ps(_mm512_mul_ps(va, get(w + i, n - i)), get(dy + i, n - i), v);
        put(dx + i, n - i, v);
    }
}

/* exp: 2^k times a polynomial in the rest, |rest| <= ln 2 / 2 (coefficients as in Cephes). The
 * argument stands second in min and max, which so hand on a NaN. What would be below the normal
 * numbers is 0: making subnormal ones stops the processor for a hundred cycles. */
IN __m512 exp16(__m512 x)
{
    __mmask16 some = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.33654f), _CMP_NLT_UQ);
    __m512 k, p;

    x = _mm512_min_ps(_mm512_set1_ps(89), x);
    x = _mm512_max_ps(_mm512_set1_ps(-87.33654f), x);
    k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                             _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    x = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693359375f), x);
    x = _mm512_fnmadd_ps(k, _mm512_set1_ps(-2.12194440e-4f), x);
    p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(p, _mm512_mul_ps(x, x), x);
    return _mm512_maskz_scalef_ps(some, _mm512_add_ps(p, _mm512_set1_ps(1)), k);
}

FN float exp_shift(float *x, float shift, size_t n)
{
    __m512 vs = _mm512_set1_ps(shift), sum = _mm512_setzero_ps(), v;
    size_t i;

    for (i = 0; i < n; i += 16) {
        v = exp16(_mm512_sub_ps(get(x + i, n - i), vs));
        put(x + i, n - i, v);
        sum = _mm512_mask_add_ps(sum, lanes(n - i), sum, v);
    }
    return _mm512_reduce_add_ps(sum);
}

FN float add_max(float *x, const float *y, size_t n)
{
    __m512 low = _mm512_set1_ps(-INFINITY), top = low, v;
    size_t i;

    for (i = 0; i < n; i += 16) {
        v = _mm512_add_ps(get(x + i, n - i), get(y + i, n - i));
        put(x + i, n - i, v);
        top = _mm512_mask_max_ps(top, lanes(n - i), top, v);
    }
    return _mm512_reduce_max_ps(top);
}

FN void softmax_back(float *x, float *d, const float *bias, float *d_bias, float top, float a,
                     float s, size_t n)
{
    __m512 vtop = _mm512_set1_ps(top), va = _mm512_set1_ps(a), vs = _mm512_set1_ps(s), v, g;
    size_t i;

    for (i = 0; i < n; i += 16) {
        v = get(x + i, n - i);
        if (bias)
            v = _mm512_add_ps(v, get(bias + i, n - i));
        v = _mm512_mul_ps(exp16(_mm512_sub_ps(v, vtop)), va);
        g = _mm512_mul_ps(v, _mm512_sub_ps(get(d + i, n - i), vs));
        put(x + i, n - i, v);
        put(d + i, n - i, g);
        if (bias)
            put(d_bias + i, n - i, _mm512_add_ps(get(d_bias + i, n - i), g));
    }
}

FN void relu(float *y, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 16)
        put(y + i, n - i, _mm512_max_ps(_mm512_setzero_ps(), get(x + i, n - i)));
}

FN void relu_back(float *dy, float a, const float *y, size_t n)
{
    __m512 va = _mm512_set1_ps(a);
    __mmask16 on;
    size_t i;

    for (i = 0; i < n; i += 16) {
        on = _mm512_cmp_ps_mask(get(y + i, n - i), _mm512_setzero_ps(), _CMP_GT_OQ);
        put(dy + i, n - i, _mm512_maskz_mul_ps(on, va, get(dy + i, n - i)));
    }
}

IN void put_half(uint16_t *to, size_t left, __m256i v)
{
    if (left >= 16)
        _mm256_storeu_si256((__m256i *)(void *)to, v);
    else
        _mm512_mask_cvtepi32_storeu_epi16(to, lanes(left), _mm512_cvtepu16_epi32(v));
}

IN __m512i get_half(const uint16_t *x, size_t left)    // each in the low half of 32 bits
{
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes(left), x));
}

FN void half(uint16_t *to, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 16)
        put_half(to + i, n - i, round_half(get(x + i, n - i)));
}

FN void whole(float *to, const uint16_t *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 16)
        put(to + i, n - i, _mm512_castsi512_ps(_mm512_slli_epi32(get_half(x + i, n - i), 16)));
}

FN void whole_f16(float *to, const uint16_t *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i += 16)
        put(to + i, n - i, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(get_half(x + i, n - i))));
}

FN void relu_half(uint16_t *h, const float *x, size_t n)
{
    __m512 v;
    size_t i;

    for (i = 0; i < n; i += 16) {
        v = get(x + i, n - i);
        v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
        put_half(h + i, n - i, round_half(v));
    }
}

FN void relu_half_back(uint16_t *to, float a, const float *d, const uint16_t *h, size_t n)
{
    __m512 va = _mm512_set1_ps(a), v;
    __mmask16 on;
    size_t i;

    for (i = 0; i < n; i += 16) {
        on = _mm512_cmp_epu32_mask(_mm512_sub_epi32(get_half(h + i, n - i), _mm512_set1_epi32(1)),
                                   _mm512_set1_epi32(0x7f80), _MM_CMPINT_LT);
        v = _mm512_maskz_mul_ps(on, va, get(d + i, n - i));
        put_half(to + i, n - i, round_half(v));
    }
}

/* (1 + tanh u) / 2 = 1 / (1 + e), e = exp(-2 u), kept finite so that e s is no inf times 0. */
IN __m512 gelu_share(__m512 x, __m512 x2, __m512 *e)
{
    __m512 u =
        _mm512_fmadd_ps(x2, _mm512_set1_ps(-0.0713548162726f), _mm512_set1_ps(-1.5957691216057f));

    *e = exp16(_mm512_min_ps(_mm512_set1_ps(80), _mm512_mul_ps(u, x)));
    return _mm512_div_ps(_mm512_set1_ps(1), _mm512_add_ps(_mm512_set1_ps(1), *e));
}

FN void geglu(float *h, const float *u, const float *v, size_t n)
{
    __m512 x, e;
    size_t i;

    for (i = 0; i < n; i += 16) {
        x = get(u + i, n - i);
        x = _mm512_mul_ps(x, gelu_share(x, _mm512_mul_ps(x, x), &e));
        put(h + i, n - i, _mm512_mul_ps(x, get(v + i, n - i)));
    }
}

FN void geglu_back(float *d, float *dv, const float *u, const float *v, size_t n)
{
    __m512 x, x2, s, e, slope, dh;
    size_t i;

    for (i = 0; i < n; i += 16) {
        x = get(u + i, n - i);
        x2 = _mm512_mul_ps(x, x);
        s = gelu_share(x, x2, &e);
        slope =
            _mm512_fmadd_ps(x2, _mm512_set1_ps(0.2140644488178f), _mm512_set1_ps(1.5957691216057f));
        slope = _mm512_mul_ps(_mm512_mul_ps(x, slope), _mm512_mul_ps(e, s));
        slope = _mm512_fmadd_ps(slope, s, s);
        dh = get(d + i, n - i);
        put(dv + i, n - i, _mm512_mul_ps(dh, _mm512_mul_ps(x, s)));
        put(d + i, n - i, _mm512_mul_ps(dh, _mm512_mul_ps(slope, get(v + i, n - i))));
    }
}

void kernel_fill_avx512(struct kernels *k)
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
        .ada_squares = avx512_ada_squares,
        .ada_moments = avx512_ada_moments,
        .ada_step = avx512_ada_step,
        .half = half,
        .whole = whole,
        .whole_f16 = whole_f16,
        .relu_half = relu_half,
        .relu_half_back = relu_half_back,
        .coins = avx512_coins,
        .jitter = avx512_jitter,
        .product = avx512_product,
        .transpose = avx512_transpose,
        .half_product = avx512_half_product,
        .split = avx512_split,
        .split_product = k->split_product,
        .half_pair = avx512_half_pair,
        .pair = avx512_pair,
        .half_transpose = avx512_half_transpose,
    };
}
#else
void kernel_fill_avx512(struct kernels *k)
{
    (void)k;
}
#endif
