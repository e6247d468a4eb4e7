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
    const float *h = f->wi ? saved : x + f->first;
    size_t inner = f->inner, width = f->d_ff, ld = f->wi ? width : f->d_model;

    if (f->wi) {
        linear_forward(saved, x, f->wi, n, f->d_model, width);
        kern.relu(saved, saved, n * width);
        if (drop)
            dropout_apply_from(drop->drop, saved, drop->number, n / drop->length, drop->length,
                               width, drop->first);
    }
    gemm_nt(n, inner, width, h, ld, f->q, width, 0, y, 2 * inner);
    gemm_nt(n, inner, width, h, ld, f->kv, width, 0, y + inner, 2 * inner);
}

void heads_backward(const struct heads *f, const struct ffn_drop *drop, const struct heads_grad *g,
                    const float *x, const float *dy, size_t n, const float *saved, float *work,
                    float *dx)
{
    const float *h = f->wi ? saved : x + f->first, *d_kv = dy + f->inner;
    float *dh = f->wi ? work : dx + f->first, keep = (float)(drop ? 1 / (1 - drop->drop->rate) : 1);
    size_t inner = f->inner, width = f->d_ff, ld = f->wi ? width : f->d_model;
    float beta = g->fresh ? 0 : 1;

    if (g->q)
        gemm_tn(inner, width, n, dy, 2 * inner, h, ld, beta, g->q, width);
    if (g->kv)
        gemm_tn(inner, width, n, d_kv, 2 * inner, h, ld, beta, g->kv, width);
    if (!f->wi && width < f->d_model)    // the other columns are other slices'
        memset(dx, 0, n * f->d_model * sizeof(*dx));
    gemm_nn(n, width, inner, dy, 2 * inner, f->q, width, 0, dh, ld);
    gemm_nn(n, width, inner, d_kv, 2 * inner, f->kv, width, 1, dh, ld);
    if (!f->wi)
        return;
    kern.relu_back(dh, keep, h, n * width);
    linear_backward(dx, g->fresh ? LINEAR_FRESH : 0, g->wi, dh, x, f->wi, n, f->d_model, width);
}

void heads_split(const float *y, size_t n, const struct heads_part *part, float scale, float *query,
                 float *key)
{
    size_t j, here = part->here;
    long i;

#pragma omp parallel for private(j) schedule(static) if (n * here > SMALL)
    for (i = 0; i < (long)n; i++) {
        const float *from = y + (size_t)i * 2 * part->inner + part->first;

        for (j = 0; j < here; j++)
            query[(size_t)i * here + j] = scale * from[j];
        memcpy(key + (size_t)i * here, from + part->inner, here * sizeof(*key));
    }
}

void heads_join(const float *d_query, const float *d_key, const float *d_value, size_t n,
                const struct heads_part *part, float scale, float *dy)
{
    size_t j, here = part->here;
    long i;

#pragma omp parallel for private(j) schedule(static) if (n * here > SMALL)
    for (i = 0; i < (long)n; i++) {
        size_t at = (size_t)i * here;
        float *row = dy + (size_t)i * 2 * part->inner, *to = row + part->first;

        if (here < part->inner)
            memset(row, 0, 2 * part->inner * sizeof(*row));
        for (j = 0; j < here; j++) {
            to[j] = scale * d_query[at + j];
            to[part->inner + j] = d_key[at + j] + d_value[at + j];
        }
    }
}

void heads_split_half(const float *y, size_t n, const struct heads_part *part, float scale,
                      float *room, uint16_t *query, uint16_t *key)
{
    size_t here = part->here;
    long i;

#pragma omp parallel for schedule(static) if (n * here > SMALL)
    for (i = 0; i < (long)n; i++) {
        const float *from = y + (size_t)i * 2 * part->inner + part->first;
        float *scaled = room + (size_t)i * here;

        memcpy(scaled, from, here * sizeof(*scaled));
        kern.scale(scaled, scale, here);
        kern.half(query + (size_t)i * here, scaled, here);
        kern.half(key + (size_t)i * here, from + part->inner, here);
    }
}

void heads_join_half(const uint16_t *d_query, const uint16_t *d_key, const uint16_t *d_value,
                     size_t n, const struct heads_part *part, float scale, float *room, float *dy)
{
    size_t here = part->here;
    long i;

#pragma omp parallel for schedule(static) if (n * here > SMALL)
    for (i = 0; i < (long)n; i++) {
        size_t at = (size_t)i * here;
        float *row = dy + (size_t)i * 2 * part->inner, *to = row + part->first;

        if (here < part->inner)
            memset(row, 0, 2 * part->inner * sizeof(*row));
        kern.whole(to, d_query + at, here);
        kern.scale(to, scale, here);
        kern.whole(to + part->inner, d_key + at, here);
        kern.whole(room + at, d_value + at, here);
        kern.add(to + part->inner, room + at, here);
    }
}
