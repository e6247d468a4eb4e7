/* heads.c - see heads.h. */
#include <string.h>

#include "kernel/kernel.h"
#include "moe/heads.h"
#include "nn/dropout.h"
#include "nn/ffn.h"
#include "nn/gemm.h"
#include "nn/linear.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

size_t heads_saved(const struct heads *f, size_t n)
{
    return f->wi ? n * f->d_ff : 0;
}

void heads_forward(const struct heads *f, const struct ffn_drop *drop, const float *x, size_t n,
                   float *saved, float *y)
{
    const float *h = f->wi ? saved : x;
    size_t inner = f->inner, width = f->d_ff;

    if (f->wi) {
        linear_forward(saved, x, f->wi, n, f->d_model, width);
        kern.relu(saved, saved, n * width);
        if (drop)
            dropout_apply_from(drop->drop, saved, drop->number, n / drop->length, drop->length,
                               width, drop->first);
    }
    gemm_nt(n, inner, width, h, width, f->q, width, 0, y, 2 * inner);
    gemm_nt(n, inner, width, h, width, f->kv, width, 0, y + inner, 2 * inner);
}

void heads_backward(const struct heads *f, const struct ffn_drop *drop, const struct heads_grad *g,
                    const float *x, const float *dy, size_t n, const float *saved, float *work,
                    float *dx)
{
    const float *h = f->wi ? saved : x, *d_kv = dy + f->inner;
    float *dh = f->wi ? work : dx, keep = (float)(drop ? 1 / (1 - drop->drop->rate) : 1);
    size_t inner = f->inner, width = f->d_ff;

    if (g->q)
        gemm_tn(inner, width, n, dy, 2 * inner, h, width, 1, g->q, width);
    if (g->kv)
        gemm_tn(inner, width, n, d_kv, 2 * inner, h, width, 1, g->kv, width);
    gemm_nn(n, width, inner, dy, 2 * inner, f->q, width, 0, dh, width);
    gemm_nn(n, width, inner, d_kv, 2 * inner, f->kv, width, 1, dh, width);
    if (!f->wi)
        return;
    kern.relu_back(dh, keep, h, n * width);
    linear_backward(dx, 0, g->wi, dh, x, f->wi, n, f->d_model, width);
}

void heads_split(const float *y, size_t n, size_t inner, float scale, float *query, float *key)
{
    size_t j;
    long i;

#pragma omp parallel for private(j) schedule(static) if (n * inner > SMALL)
    for (i = 0; i < (long)n; i++) {
        const float *from = y + (size_t)i * 2 * inner;

        for (j = 0; j < inner; j++)
            query[(size_t)i * inner + j] = scale * from[j];
        memcpy(key + (size_t)i * inner, from + inner, inner * sizeof(*key));
    }
}

void heads_join(const float *d_query, const float *d_key, const float *d_value, size_t n,
                size_t inner, float scale, float *dy)
{
    size_t j;
    long i;

#pragma omp parallel for private(j) schedule(static) if (n * inner > SMALL)
    for (i = 0; i < (long)n; i++) {
        size_t at = (size_t)i * inner;

        for (j = 0; j < inner; j++) {
            dy[2 * at + j] = scale * d_query[at + j];
            dy[2 * at + inner + j] = d_key[at + j] + d_value[at + j];
        }
    }
}
