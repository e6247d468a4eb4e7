/* ffn16.c - see ffn16.h.
 *
 * saved holds what ffn.c saves, in bf16. Gradients of hidden activations become bf16 where they
 * are, row by row, while a row is still in the cache: see rows_half_here().
 */
#include <string.h>

#include "kernel/kernel.h"
#include "nn/ffn.h"
#include "nn/ffn16.h"
#include "nn/linear.h"

enum { CHUNK = 1024 };    // numbers at a time on the stack

static size_t left(size_t n, size_t i)
{
    return n - i < CHUNK ? n - i : CHUNK;
}

size_t ffn16_saved(const struct ffn16 *f, size_t n)
{
    return ((f->wi_1 ? 3 : 1) * n * f->d_ff + 1) / 2;
}

size_t ffn16_work(const struct ffn16 *f, size_t n)
{
    return (f->wi_1 ? 2 : 1) * n * f->d_ff;
}

/* u and v are a and b rounded; then a = gelu(a) b. */
static void gate_row(float *a, const float *b, uint16_t *u, uint16_t *v, size_t n)
{
    float h[CHUNK];
    size_t i;

    for (i = 0; i < n; i += CHUNK) {
        kern.half(u + i, a + i, left(n, i));
        kern.half(v + i, b + i, left(n, i));
        kern.geglu(h, a + i, b + i, left(n, i));
        memcpy(a + i, h, left(n, i) * sizeof(*a));
    }
}

/* The hidden activations h from a = x Wi^T and, when gated, b = x Wi1^T. */
static void activate(const struct ffn16 *f, const struct ffn_drop *drop, size_t n, float *a,
                     const float *b, uint16_t *h)
{
    size_t width = f->d_ff, i;
    uint16_t *u = h + n * width, *v = u + n * width;
    int drops = ffn_drop_rate(drop) > 0;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        size_t at = i * width;

        if (f->wi_1)
            gate_row(a + at, b + at, u + at, v + at, width);
        else if (drops)
            kern.relu(a + at, a + at, width);
        else
            kern.relu_half(h + at, a + at, width);
        if (f->wi_1 && !drops)
            kern.half(h + at, a + at, width);
    }
    if (drops) {
        ffn_hidden_drop(drop, a, n, width);
        rows_half(h, a, n, width);
    }
}

void ffn16_forward(const struct ffn16 *f, const struct ffn_drop *drop, const uint16_t *x, size_t n,
                   float *saved, float *work, float *y)
{
    uint16_t *h = (uint16_t *)(void *)saved;
    float *a = work, *b = work + n * f->d_ff;

    linear16_forward(a, x, f->wi, n, f->d_model, f->d_ff);
    if (f->wi_1)
        linear16_forward(b, x, f->wi_1, n, f->d_model, f->d_ff);
    activate(f, drop, n, a, b, h);
    if (y)
        linear16_forward(y, h, f->wo, n, f->d_ff, f->d_model);
}

/* d becomes the gradient of u and dv that of v, in bf16 where they are. */
static void gate_row_back(float *d, float *dv, const uint16_t *u, const uint16_t *v, size_t n)
{
    float a[CHUNK], b[CHUNK];
    size_t i;

    for (i = 0; i < n; i += CHUNK) {
        kern.whole(a, u + i, left(n, i));
        kern.whole(b, v + i, left(n, i));
        kern.geglu_back(d + i, dv + i, a, b, left(n, i));
    }
    kern.half((uint16_t *)(void *)d, d, n);
    kern.half((uint16_t *)(void *)dv, dv, n);
}

void ffn16_backward(const struct ffn16 *f, const struct ffn_drop *drop, const struct ffn_grad *g,
                    const uint16_t *x, const uint16_t *dy, size_t n, const float *saved,
                    float *work, float *dx)
{
    size_t m = f->d_model, width = f->d_ff, size = n * width, i;
    const uint16_t *h = (const uint16_t *)(const void *)saved, *u = h + size, *v = u + size;
    float *d = work, *dv = work + size, keep = (float)(1 / (1 - ffn_drop_rate(drop)));
    const uint16_t *d_half = (const uint16_t *)(const void *)d;

    linear16_backward(d, 0, g->wo, dy, m, h, f->wo, n, width, m);
    if (f->wi_1)
        ffn_hidden_drop(drop, d, n, width);
#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        float *row = d + i * width;

        if (f->wi_1)
            gate_row_back(row, dv + i * width, u + i * width, v + i * width, width);
        else
            kern.relu_half_back((uint16_t *)(void *)row, keep, row, h + i * width, width);
    }
    linear16_backward(dx, 0, g->wi, d_half, 2 * width, x, f->wi, n, m, width);
    if (f->wi_1)
        linear16_backward(dx, 1, g->wi_1, (const uint16_t *)(const void *)dv, 2 * width, x, f->wi_1,
                          n, m, width);
}
