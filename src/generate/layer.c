/* layer.c - see layer.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "generate/layer.h"
#include "generate/weights.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"

/* Tiles of a text; outputs a thread takes; work that is not worth a second thread. */
enum { TILE_ROWS = 128, TILE_OUT = 192, BLOCK_OUT = 32, SMALL = 1 << 16 };

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A row of w serves all rows of x while it is in cache. */
static void by_rows(float *y, const float *x, const float *w, size_t n, size_t in, size_t out)
{
    size_t at, i, o;

#pragma omp parallel for private(i, o) schedule(static) if (n * in * out > SMALL)
    for (at = 0; at < out; at += BLOCK_OUT)
        for (o = at; o < less(out, at + BLOCK_OUT); o++)
            for (i = 0; i < n; i++)
                y[i * out + o] = kern.dot(x + i * in, w + o * in, in);
}

static void by_text(float *y, const float *x, const float *w, size_t n, size_t in, size_t out)
{
    size_t across = (out + TILE_OUT - 1) / TILE_OUT, k;

#pragma omp parallel for schedule(dynamic) if (n * in * out > SMALL)
    for (k = 0; k < across * ((n + TILE_ROWS - 1) / TILE_ROWS); k++) {
        size_t i = k / across * TILE_ROWS, o = k % across * TILE_OUT;

        gemm_nt(less(n - i, TILE_ROWS), less(out - o, TILE_OUT), in, x + i * in, in, w + o * in, in,
                0, y + i * out + o, out);
    }
}

void product(enum product how, float *y, const float *x, const float *w, size_t n, size_t in,
             size_t out)
{
    if (how == BY_ROWS)
        by_rows(y, x, w, n, in, out);
    else
        by_text(y, x, w, n, in, out);
}

/* Activations go row by row: how a kernel rounds may depend on the place in what it is given. */
static void feed_dense(const struct ffn *f, enum product how, const float *x, size_t n,
                       struct feed_work *work, float *y)
{
    float *h = work->hidden, *u = f->wi_1 ? h + n * f->d_ff : h, *v = work->gate;
    size_t i, width = f->d_ff;

    product(how, u, x, f->wi, n, f->d_model, width);
    if (f->wi_1)
        product(how, v, x, f->wi_1, n, f->d_model, width);
#pragma omp parallel for schedule(static) if (n * width > SMALL)
    for (i = 0; i < n; i++)
        if (f->wi_1)
            kern.geglu(h + i * width, u + i * width, v + i * width, width);
        else
            kern.relu(h + i * width, h + i * width, width);
    product(how, y, h, f->wo, n, width, f->d_model);
}

/* The expert of a row, the lowest of the best; *gate is its probability. p holds the logits. */
static int32_t choose(float *p, size_t n_expert, float *gate)
{
    float sum = kern.exp_shift(p, kern.max(p, n_expert), n_expert);
    size_t e, best = 0;

    for (e = 1; e < n_expert; e++)
        if (p[e] > p[best])
            best = e;
    *gate = p[best] * (1 / sum);
    return (int32_t)best;
}

/* The rows of expert e in their order, those within capacity. */
static size_t rows_of(const int32_t *expert, size_t n, int32_t e, int capacity, int32_t *row)
{
    size_t i, k = 0;

    for (i = 0; i < n && (capacity == 0 || k < (size_t)capacity); i++)
        if (expert[i] == e)
            row[k++] = (int32_t)i;
    return k;
}

static void feed_sparse(const struct weights_block *b, int n_expert, int capacity, enum product how,
                        const float *x, size_t n, struct feed_work *work, float *y)
{
    size_t width = b->expert[0].d_model, i, j, k;
    float *gate = work->logits + n * (size_t)n_expert;
    int32_t e;

    product(how, work->logits, x, b->router, n, width, (size_t)n_expert);
    for (i = 0; i < n; i++)
        work->expert[i] = choose(work->logits + i * (size_t)n_expert, (size_t)n_expert, &gate[i]);
    memset(y, 0, n * width * sizeof(*y));
    for (e = 0; e < n_expert; e++) {
        k = rows_of(work->expert, n, e, capacity, work->order);
        for (i = 0; i < k; i++)
            memcpy(work->in + i * width, x + (size_t)work->order[i] * width, width * sizeof(*x));
        if (k > 0)
            feed_dense(&b->expert[e], how, work->in, k, work, work->out);
        for (i = 0; i < k; i++)
            for (j = 0; j < width; j++)
                y[(size_t)work->order[i] * width + j] =
                    gate[work->order[i]] * work->out[i * width + j];
    }
}

void feed(const struct weights_block *b, int n_expert, int capacity, enum product how,
          const float *x, size_t n, struct feed_work *work, float *y)
{
    if (b->router)
        feed_sparse(b, n_expert, capacity, how, x, n, work, y);
    else
        feed_dense(&b->ffn, how, x, n, work, y);
}

void feed_release(struct feed_work *w)
{
    free(w->hidden);
    free(w->gate);
    free(w->logits);
    free(w->in);
    free(w->out);
    free(w->expert);
    free(w->order);
    *w = (struct feed_work){ 0 };
}

void feed_need(struct feed_work *w, size_t n, size_t d_model, size_t d_ff, int n_expert)
{
    if (n <= w->n)
        return;
    feed_release(w);
    w->n = n;
    w->hidden = xreallocarray(NULL, 2 * n * d_ff, sizeof(float));
    w->gate = xreallocarray(NULL, n * d_ff, sizeof(float));
    w->logits = xreallocarray(NULL, n * ((size_t)n_expert + 1), sizeof(float));
    w->in = xreallocarray(NULL, n * d_model, sizeof(float));
    w->out = xreallocarray(NULL, n * d_model, sizeof(float));
    w->expert = xreallocarray(NULL, n, sizeof(int32_t));
    w->order = xreallocarray(NULL, n, sizeof(int32_t));
}
