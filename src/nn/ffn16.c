/* ffn16.c - see ffn16.h.
 *
 * saved holds what ffn.c saves, in bf16. What follows a product is done on its rows before they
 * leave the cache, see gemm16.h; but where it drops hidden activations it comes after them, for
 * tokens share what they drop. Gradients of hidden activations become bf16 in their rows of work.
 */
#include <string.h>

#include "kernel/kernel.h"
#include "nn/ffn.h"
#include "nn/ffn16.h"
#include "nn/gemm16.h"
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

/* One pass over hidden activations. */
struct pass {
    size_t width;
    float *a, *b;    // [n, F] of work: h or u, v; then their gradients
    const uint16_t *h, *u, *v;
    uint16_t *to_h, *to_u, *to_v;
    int drops;
    float keep;
};

static void relu_row(void *arg, size_t i, size_t j, float *x, size_t n)
{
    const struct pass *p = arg;

    kern.relu_half(p->to_h + i * p->width + j, x, n);
}

/* x: of v. */
static void gate_row(void *arg, size_t i, size_t j, float *x, size_t n)
{
    const struct pass *p = arg;
    size_t at = i * p->width + j, k, some;
    float h[CHUNK];

    kern.half(p->to_u + at, p->a + at, n);
    kern.half(p->to_v + at, x, n);
    for (k = 0; k < n; k += some) {
        some = left(n, k);
        kern.geglu(h, p->a + at + k, x + k, some);
        if (p->drops)
            memcpy(p->a + at + k, h, some * sizeof(*h));
        else
            kern.half(p->to_h + at + k, h, some);
    }
}

void ffn16_forward(const struct ffn16 *f, const struct ffn_drop *drop, const uint16_t *x, size_t n,
                   float *saved, float *work, float *y)
{
    size_t m = f->d_model, width = f->d_ff, size = n * width, i;
    uint16_t *h = (uint16_t *)(void *)saved;
    struct pass p = {
        .width = width, .a = work, .to_h = h, .to_u = h + size, .to_v = h + 2 * size
    };

    p.drops = ffn_drop_rate(drop) > 0;
    if (f->wi_1) {
        linear16_forward(p.a, x, f->wi, n, m, width);
        gemm16_nt_rows(n, width, m, x, m, f->wi_1, m, work + size,
                       &(struct gemm16_rows){ gate_row, &p });
    } else if (p.drops) {
        linear16_forward(p.a, x, f->wi, n, m, width);
#pragma omp parallel for schedule(static)
        for (i = 0; i < n; i++)
            kern.relu(p.a + i * width, p.a + i * width, width);
    } else
        gemm16_nt_rows(n, width, m, x, m, f->wi, m, work, &(struct gemm16_rows){ relu_row, &p });
    if (p.drops) {
        ffn_hidden_drop(drop, p.a, n, width);
        rows_half(h, p.a, n, width);
    }
    if (y)
        linear16_forward(y, h, f->wo, n, width, m);
}

static uint16_t *halves(float *rows, const struct pass *p, size_t i, size_t j)
{
    return (uint16_t *)(void *)(rows + i * p->width) + j;
}

/* x: the gradient of h. */
static void relu_row_back(void *arg, size_t i, size_t j, float *x, size_t n)
{
    const struct pass *p = arg;

    kern.relu_half_back(halves(p->a, p, i, j), p->keep, x, p->h + i * p->width + j, n);
}

static void gate_row_back(void *arg, size_t i, size_t j, float *x, size_t n)
{
    const struct pass *p = arg;
    size_t at = i * p->width + j, k, some;
    float u[CHUNK], v[CHUNK], dv[CHUNK];

    for (k = 0; k < n; k += some) {
        some = left(n, k);
        kern.whole(u, p->u + at + k, some);
        kern.whole(v, p->v + at + k, some);
        kern.geglu_back(x + k, dv, u, v, some);
        kern.half(halves(p->a, p, i, j + k), x + k, some);
        kern.half(halves(p->b, p, i, j + k), dv, some);
    }
}

/* From the gradient of y, dy [n, M], to those of hidden activations. */
static void hidden_back(const struct ffn16 *f, const struct ffn_drop *drop, struct pass *p,
                        const uint16_t *dy, size_t n)
{
    size_t m = f->d_model, i;
    struct gemm16_rows rows = { f->wi_1 ? gate_row_back : relu_row_back, p };

    if (!f->wi_1 || !p->drops) {
        gemm16_nn_rows(n, p->width, m, dy, m, f->wo, p->width, p->a, &rows);
        return;
    }
    gemm16_nn(n, p->width, m, dy, m, f->wo, p->width, 0, p->a, p->width);
    ffn_hidden_drop(drop, p->a, n, p->width);
#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++)
        gate_row_back(p, i, 0, p->a + i * p->width, p->width);
}

void ffn16_backward(const struct ffn16 *f, const struct ffn_drop *drop, const struct ffn_grad *g,
                    const uint16_t *x, const uint16_t *dy, size_t n, const float *saved,
                    float *work, float *dx)
{
    size_t m = f->d_model, width = f->d_ff, size = n * width;
    const uint16_t *h = (const uint16_t *)(const void *)saved;
    struct pass p = { .width = width, .a = work, .b = work + size, .h = h };
    int how = g->fresh ? LINEAR_FRESH : 0;

    p.u = h + size;
    p.v = h + 2 * size;
    p.drops = ffn_drop_rate(drop) > 0;
    p.keep = (float)(1 / (1 - ffn_drop_rate(drop)));
    hidden_back(f, drop, &p, dy, n);
    if (g->wo)
        gemm16_tn(m, width, n, dy, m, h, width, g->fresh ? 0 : 1, g->wo, width);
    linear16_backward(dx, how, g->wi, halves(p.a, &p, 0, 0), 2 * width, x, f->wi, n, m, width);
    if (f->wi_1)
        linear16_backward(dx, how | LINEAR_ADD, g->wi_1, halves(p.b, &p, 0, 0), 2 * width, x,
                          f->wi_1, n, m, width);
}
