/* avx512_ada.c - Adafactor's passes with AVX-512: the same to the bit as the definition.
 *
 * They wait for memory more than they reckon. A row after the other, in one long stream, and what
 * comes AHEAD asked for, they are as fast as memory is; four rows at once were slower.
 */
#include "kernel/kernel.h"

#if defined(__x86_64__)
#include "kernel/avx512.h"

enum { AHEAD = 2048 };    // floats; it may be past the end

IN void ask_for(const float *x)
{
    _mm_prefetch((const char *)((uintptr_t)x + AHEAD * sizeof(*x)), _MM_HINT_T1);
}

/* Eight floats as doubles; past n they are 0. */
IN __m512d doubles(__m512 x, int upper)
{
    return _mm512_cvtps_pd(upper ? _mm512_extractf32x8_ps(x, 1) : _mm512_castps512_ps256(x));
}

IN double lanes_sum(__m512d x)
{
    double lane[8], sum = 0;
    int k;

    _mm512_storeu_pd(lane, x);
    for (k = 0; k < 8; k++)
        sum += lane[k];
    return sum;
}

/* Adds to the sums of the next 16 columns, of which `left` are there. */
IN __m512d squares_step(const float *g, size_t left, __m512d lane, double *down)
{
    __mmask8 on[2] = { (__mmask8)lanes(left), (__mmask8)(lanes(left) >> 8) };
    __m512 x = get(g, left);
    __m512d s;
    int k;

    ask_for(g);
    x = _mm512_maskz_add_ps(lanes(left), _mm512_mul_ps(x, x), _mm512_set1_ps(1e-30f));
#pragma GCC unroll 2
    for (k = 0; k < 2; k++, down += 8) {
        s = doubles(x, k);
        lane = _mm512_add_pd(lane, s);
        _mm512_mask_storeu_pd(down, on[k], _mm512_add_pd(_mm512_maskz_loadu_pd(on[k], down), s));
    }
    return lane;
}

TARGET void avx512_ada_squares(const float *g, size_t rows, size_t n, double *along, double *down)
{
    size_t i, j;

    for (i = 0; i < rows; i++, g += n) {
        __m512d lane = _mm512_setzero_pd();

        for (j = 0; j + 16 <= n; j += 16)
            lane = squares_step(g + j, 16, lane, down + j);
        if (j < n)
            lane = squares_step(g + j, n - j, lane, down + j);
        along[i] = lanes_sum(lane);
    }
}

/* lane += x^2: squares of floats are exact in double, so that one rounding is as good as two. */
IN __m512d add_squares(__m512d lane, __m512 x)
{
    __m512d low = doubles(x, 0), high = doubles(x, 1);

    return _mm512_fmadd_pd(high, high, _mm512_fmadd_pd(low, low, lane));
}

/* g a b, as all passes reckon it */
IN __m512 change(const float *g, __m512 a, const float *b, size_t left)
{
    return _mm512_mul_ps(_mm512_mul_ps(get(g, left), a), get(b, left));
}

TARGET void avx512_ada_moments(const float *g, const float *a, const float *b, size_t rows,
                               size_t n, double *uu)
{
    size_t i, j;

    for (i = 0; i < rows; i++, g += n) {
        __m512 va = _mm512_set1_ps(a ? a[i] : 1);
        __m512d lane = _mm512_setzero_pd();

        for (j = 0; b && j < n; j += 16) {
            ask_for(g + j);
            lane = add_squares(lane, change(g + j, va, b + j, n - j));
        }
        for (; j < n; j += 16)
            lane = add_squares(lane, _mm512_mul_ps(get(g + j, n - j), va));
        uu[i] = lanes_sum(lane);
    }
}

struct line {    // where a row's step goes on
    float *w;
    const float *g, *b;
    __m512 a, step;
    __m512d lane;
};

/* w for its next 16 numbers */
IN __m512 stepped(struct line *l, size_t j, size_t left)
{
    __m512 u = change(l->g + j, l->a, l->b + j, left);

    ask_for(l->g + j);
    ask_for(l->w + j);
    u = _mm512_sub_ps(get(l->w + j, left), _mm512_mul_ps(l->step, u));
    put(l->w + j, left, u);
    l->lane = add_squares(l->lane, u);
    return u;
}

/* Whole lines of half go by the cache: it is not read again soon. */
IN size_t step_lines(struct line *l, uint16_t *half, size_t n)
{
    __m512i both;
    size_t j;

    for (j = 0; j + 32 <= n; j += 32) {
        both = _mm512_castsi256_si512(round_half(stepped(l, j, 16)));
        both = _mm512_inserti64x4(both, round_half(stepped(l, j + 16, 16)), 1);
        _mm512_stream_si512((__m512i *)(void *)(half + j), both);
    }
    return j;
}

TARGET void avx512_ada_step(float *w, uint16_t *half, float step, const float *g, const float *a,
                            const float *b, size_t rows, size_t n, double *ww)
{
    size_t i, j;

    for (i = 0; i < rows; i++, w += n, g += n) {
        struct line l = {
            w, g, b, _mm512_set1_ps(a[i]), _mm512_set1_ps(step), _mm512_setzero_pd()
        };
        uint16_t *to = half ? half + i * n : NULL;

        j = to && (uintptr_t)to % 64 == 0 ? step_lines(&l, to, n) : 0;
        for (; j < n; j += 16) {
            __m512 x = stepped(&l, j, n - j);

            if (to)
                _mm256_mask_storeu_epi16(to + j, lanes(n - j), round_half(x));
        }
        ww[i] = lanes_sum(l.lane);
    }
    _mm_sfence();
}
#endif
