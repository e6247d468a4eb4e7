/* ref.c - the definition of every kernel: plain loops, sums in double. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "kernel/kernel.h"
#include "kernel/ref.h"

static float dot(const float *x, const float *y, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += (double)x[i] * y[i];
    return (float)sum;
}

static float dot3(const float *x, const float *y, const float *z, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += (double)x[i] * y[i] * z[i];
    return (float)sum;
}

static float sum_squares(const float *x, size_t n)
{
    return dot(x, x, n);
}

static float max(const float *x, size_t n)
{
    float top = -INFINITY;
    size_t i;

    for (i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    return top;
}

static void axpy(float *y, float a, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        y[i] = (float)(y[i] + (double)a * x[i]);
}

static void scale(float *x, float a, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        x[i] *= a;
}

static void add(float *y, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        y[i] += x[i];
}

static void mul(float *y, float a, const float *x, const float *z, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        y[i] = (float)((double)a * x[i] * z[i]);
}

static void mul_add(float *y, float a, const float *x, const float *z, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        y[i] = (float)(y[i] + (double)a * x[i] * z[i]);
}

static void norm_back(float *dx, float a, const float *w, const float *dy, float b, const float *x,
                      size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        dx[i] = (float)(dx[i] + (double)a * w[i] * dy[i] + (double)b * x[i]);
}

static float exp_shift(float *x, float shift, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        x[i] = (float)exp((double)(x[i] - shift));
        sum += x[i];
    }
    return (float)sum;
}

static float add_max(float *x, const float *y, size_t n)
{
    add(x, y, n);
    return max(x, n);
}

static void softmax_back(float *x, float *d, const float *bias, float *d_bias, float top, float a,
                         float s, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        float score = bias ? x[i] + bias[i] : x[i];

        x[i] = (float)(exp((double)(score - top)) * a);
        d[i] = (float)(x[i] * ((double)d[i] - s));
        if (bias)
            d_bias[i] += d[i];
    }
}

static void relu(float *y, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void relu_back(float *dy, float a, const float *y, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        dy[i] = y[i] > 0 ? a * dy[i] : 0;
}

static void half(uint16_t *to, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = round_half(x[i]);
}

static void whole(float *to, const uint16_t *x, size_t n)
{
    uint32_t bits;
    size_t i;

    for (i = 0; i < n; i++) {
        bits = (uint32_t)x[i] << 16;
        memcpy(to + i, &bits, sizeof(bits));
    }
}

static void whole_f16(float *to, const uint16_t *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16, exp = x[i] >> 10 & 31, frac = x[i] & 1023;
        uint32_t bits = sign | (exp + 112) << 23 | frac << 13;

        if (exp == 31)
            bits = sign | 0x7f800000 | frac << 13 | (frac ? 0x400000 : 0);
        memcpy(to + i, &bits, sizeof(bits));
        if (exp == 0) {    // units of 2^-24
            float f = (float)frac * 0x1p-24f;

            to[i] = sign ? -f : f;
        }
    }
}

static void relu_half(uint16_t *h, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        h[i] = x[i] <= 0 ? 0 : round_half(x[i]);
}

/* As numbers, the halves above 0 are those from 1 to 0x7f80. */
static void relu_half_back(uint16_t *to, float a, const float *d, const uint16_t *h, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = h[i] - 1u < 0x7f80u ? round_half(a * d[i]) : 0;
}

enum { LANES = 8 };
#define ADA_TINY 1e-30f

static double lanes_sum(const double *lane)
{
    double sum = 0;
    int k;

    for (k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

static void ada_squares(const float *g, size_t rows, size_t n, double *along, double *down)
{
    size_t i, j;

    for (i = 0; i < rows; i++, g += n) {
        double lane[LANES] = { 0 };

        for (j = 0; j < n; j++) {
            double s = (double)(g[j] * g[j] + ADA_TINY);

            lane[j % LANES] += s;
            down[j] += s;
        }
        along[i] = lanes_sum(lane);
    }
}

static void ada_moments(const float *g, const float *a, const float *b, size_t rows, size_t n,
                        double *uu)
{
    size_t i, j;

    for (i = 0; i < rows; i++, g += n) {
        double lane[LANES] = { 0 };

        for (j = 0; j < n; j++) {
            float u = g[j] * (a ? a[i] : 1) * (b ? b[j] : 1);

            lane[j % LANES] += (double)u * (double)u;
        }
        uu[i] = lanes_sum(lane);
    }
}

static void ada_step(float *w, uint16_t *to, float step, const float *g, const float *a,
                     const float *b, size_t rows, size_t n, double *ww)
{
    size_t i, j;

    for (i = 0; i < rows; i++)
        for (j = 0; j < n; j++)
            w[i * n + j] -= step * (g[i * n + j] * a[i] * b[j]);
    ada_moments(w, NULL, NULL, rows, n, ww);
    if (to)
        half(to, w, rows * n);
}

/* gelu(x) = x s with s = (1 + tanh u) / 2 = 1 / (1 + exp(-2 u)), the form that does not cancel,
 * and u = sqrt(2 / pi) (x + 0.044715 x^3). */
static double gelu_share(double x, double *slope)
{
    double c = 0.79788456080286536, u = c * (x + 0.044715 * x * x * x);
    double s = 1 / (1 + exp(-2 * u)), rest = 1 / (1 + exp(2 * u));

    *slope = s + x * 2 * s * rest * c * (1 + 3 * 0.044715 * x * x);
    return s;
}

static void geglu(float *h, const float *u, const float *v, size_t n)
{
    double slope;
    size_t i;

    for (i = 0; i < n; i++)
        h[i] = (float)(u[i] * gelu_share(u[i], &slope) * v[i]);
}

static void geglu_back(float *d, float *dv, const float *u, const float *v, size_t n)
{
    double slope, dh;
    size_t i;

    for (i = 0; i < n; i++) {
        dh = d[i];
        dv[i] = (float)(dh * u[i] * gelu_share(u[i], &slope));
        d[i] = (float)(dh * v[i] * slope);
    }
}

static void coins(float *f, float keep, uint32_t below, uint64_t key, uint64_t a, uint64_t b,
                  size_t n)
{
    uint64_t bits = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        bits = i % 2 ? bits >> 32 : rng_u64(key, a, b + i / 2);
        f[i] = (uint32_t)bits < below ? 0 : keep;
    }
}

static void jitter(float *to, const float *from, float low, float step, uint64_t key, uint64_t a,
                   size_t n)
{
    uint64_t bits = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        bits = i % 4 ? bits >> 16 : rng_u64(key, a, i / 4);
        to[i] = from[i] * (low + step * ((float)(bits & 0xffff) + 0.5f));
    }
}

static void product(const struct operands *p, size_t m, size_t n, size_t k)
{
    size_t i, j, l;

    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            const float *b = p->b + j / KERNEL_PANEL * k * KERNEL_PANEL + j % KERNEL_PANEL;
            double sum = p->add ? p->c[i * p->ldc + j] : 0;

            for (l = 0; l < k; l++)
                sum += (double)p->a[i * p->row + l * p->column] * b[l * KERNEL_PANEL];
            p->c[i * p->ldc + j] = (float)sum;
        }
}

static void transpose(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t columns)
{
    size_t i, j;

    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++)
            y[j * ldy + i] = x[i * ldx + j];
}

static float half_softmax(uint16_t *to, const float *x, const float *bias, float *top, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        *top = fmaxf(*top, bias ? x[i] + bias[i] : x[i]);
    for (i = 0; i < n; i++) {
        float e = (float)exp((double)((bias ? x[i] + bias[i] : x[i]) - *top));

        to[i] = round_half(e);
        sum += (double)e;
    }
    return (float)sum;
}

static void half_softmax_back(const struct half_softmax *p, size_t n)
{
    size_t j, at;
    int i;

    for (i = 0; i < 2; i++)
        for (j = 0; j < n; j++) {
            float x = p->x[(size_t)i * p->ld + j], d = p->d[(size_t)i * p->ld + j];

            if (j < p->see[i])
                softmax_back(&x, &d, p->bias[i] ? p->bias[i] + j : NULL,
                             p->bias[i] ? p->d_bias[i] + j : NULL, p->top[i], p->a[i], p->s[i], 1);
            else
                x = d = 0;
            at = j / 16 * p->step + j % 16 * 2 + (size_t)i;
            p->pairs[at] = round_half(x);
            p->d_pairs[at] = p->d_rows[(size_t)i * p->ld_rows + j] = round_half(d);
        }
}

void kernel_fill_ref(struct kernels *k)
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
        .ada_squares = ada_squares,
        .ada_moments = ada_moments,
        .ada_step = ada_step,
        .half = half,
        .whole = whole,
        .whole_f16 = whole_f16,
        .relu_half = relu_half,
        .relu_half_back = relu_half_back,
        .coins = coins,
        .jitter = jitter,
        .product = product,
        .transpose = transpose,
        .half_product = ref_half_product,
        .split = ref_split,
        .split_product = ref_split_product,
        .half_pair = ref_half_pair,
        .pair = ref_pair,
        .half_transpose = ref_half_transpose,
        .half_softmax = half_softmax,
        .half_softmax_back = half_softmax_back,
    };
}
