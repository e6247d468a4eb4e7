/* layer.c - see layer.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "generate/layer.h"
#include "generate/weights.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "shape/config.h"

/* Tiles of a text; outputs a thread takes; work that is not worth a second thread. */
enum { TILE_ROWS = 128, TILE_OUT = 192, BLOCK_OUT = 32, SMALL = 1 << 16 };

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Floats that a thread widens into, or NULL where it need not. */
static float *widening_room(const struct matrix *w, size_t n)
{
    return matrix_is_plain(w) ? NULL : xreallocarray(NULL, n, sizeof(float));
}

/* A row of w serves all rows of x while it is in cache. */
static void by_rows(float *y, const float *x, const struct matrix *w, size_t n, size_t in,
                    size_t out)
{
#pragma omp parallel if (n * in * out > SMALL)
    {
        float *room = widening_room(w, in);
        size_t at, i, o;

#pragma omp for schedule(static)
        for (at = 0; at < out; at += BLOCK_OUT)
            for (o = at; o < less(out, at + BLOCK_OUT); o++) {
                const float *row = matrix_floats(w, o * in, in, room);

                for (i = 0; i < n; i++)
                    y[i * out + o] = kern.dot(x + i * in, row, in);
            }
        free(room);
    }
}

static void by_text(float *y, const float *x, const struct matrix *w, size_t n, size_t in,
                    size_t out)
{
    size_t down = (n + TILE_ROWS - 1) / TILE_ROWS, across = (out + TILE_OUT - 1) / TILE_OUT;

#pragma omp parallel if (n * in * out > SMALL)
    {
        float *room = widening_room(w, less(out, TILE_OUT) * in);
        size_t k;

#pragma omp for schedule(dynamic)
        for (k = 0; k < across * down; k++) {
            size_t i = k / across * TILE_ROWS, o = k % across * TILE_OUT;
            size_t rows = less(n - i, TILE_ROWS), wide = less(out - o, TILE_OUT);

            gemm_nt(rows, wide, in, x + i * in, in, matrix_floats(w, o * in, wide * in, room), in,
                    0, y + i * out + o, out);
        }
        free(room);
    }
}

void product(enum product how, float *y, const float *x, const struct matrix *w, size_t n,
             size_t in, size_t out)
{
    if (how == BY_ROWS)
        by_rows(y, x, w, n, in, out);
    else
        by_text(y, x, w, n, in, out);
}

/* Activations go row by row: how a kernel rounds may depend on the place in what it is given. */
static void feed_dense(const struct weights_ffn *f, enum product how, const float *x, size_t n,
                       struct feed_work *work, float *y)
{
    float *h = work->hidden, *u = f->wi_1.data ? h + n * f->d_ff : h, *v = work->gate;
    size_t i, width = f->d_ff;

    product(how, u, x, &f->wi, n, f->d_model, width);
    if (f->wi_1.data)
        product(how, v, x, &f->wi_1, n, f->d_model, width);
#pragma omp parallel for schedule(static) if (n * width > SMALL)
    for (i = 0; i < n; i++)
        if (f->wi_1.data)
            kern.geglu(h + i * width, u + i * width, v + i * width, width);
        else
            kern.relu(h + i * width, h + i * width, width);
    product(how, y, h, &f->wo, n, width, f->d_model);
}

/* Which experts take which rows. */
static void route(const struct config *c, const float *router, int capacity, enum product how,
                  const float *x, size_t n, struct feed_work *work)
{
    struct route_rule rule = { .n_expert = c->n_expert,
                               .group_tokens = (int)n,
                               .fixed_capacity = capacity,
                               .cap = CAP_NONE,
                               .kind = c->router,
                               .n_choice = c->n_choice,
                               .second = c->second == SECOND_RANDOM ? SECOND_ALL : c->second,
                               .threshold = c->threshold,
                               .bf16 = c->router_bf16 };
    struct route_input in = { .n = n };
    struct route_sums sums;

    product(how, work->route.logits, x, &(struct matrix){ router, TENSOR_F32 }, n,
            (size_t)c->d_model, (size_t)c->n_expert);
    route_choose(&rule, &in, &work->route, &sums);
}

static int n_choice(const struct config *c)
{
    struct route_rule rule = { .n_expert = c->n_expert, .kind = c->router };

    rule.n_choice = c->n_choice;
    return route_choices(&rule);
}

/* The kept choices of expert e in their order, and their rows of x together. */
static size_t rows_of(const struct config *c, int32_t e, const float *x, size_t n,
                      struct feed_work *work)
{
    size_t i, k = 0, of = (size_t)n_choice(c), width = (size_t)c->d_model;

    for (i = 0; i < n * of; i++)
        if (work->route.kept[i] && work->route.expert[i] == e) {
            memcpy(work->in + k * width, x + i / of * width, width * sizeof(*x));
            work->order[k++] = (int32_t)i;
        }
    return k;
}

/* to [., width] += scale gate from, of k choices. */
static void add_rows(const struct config *c, const struct feed_work *work, size_t k, size_t width,
                     float scale, const float *from, float *to)
{
    size_t i, of = (size_t)n_choice(c);

    for (i = 0; i < k; i++) {
        size_t choice = (size_t)work->order[i];

        kern.axpy(to + choice / of * width, scale * work->route.gate[choice], from + i * width,
                  width);
    }
}

static void feed_sparse(const struct weights_block *b, const struct config *c, int capacity,
                        enum product how, const float *x, size_t n, struct feed_work *work,
                        float *y)
{
    size_t width = (size_t)c->d_model, k;
    int32_t e;

    route(c, b->router, capacity, how, x, n, work);
    memset(y, 0, n * width * sizeof(*y));
    for (e = 0; e < c->n_expert; e++) {
        k = rows_of(c, e, x, n, work);
        if (k > 0)
            feed_dense(&b->expert[e], how, work->in, k, work, work->out);
        add_rows(c, work, k, width, 1, work->out, y);
    }
}

void feed(const struct weights_block *b, const struct config *c, int capacity, enum product how,
          const float *x, size_t n, struct feed_work *work, float *y)
{
    if (b->router)
        feed_sparse(b, c, capacity, how, x, n, work, y);
    else
        feed_dense(&b->ffn, how, x, n, work, y);
}

void mix(const struct weights_block *b, const struct config *c, int capacity, enum product how,
         const float *x, size_t n, struct feed_work *work, float *query, float *key)
{
    float scale = (float)(1 / sqrt((double)c->d_kv));
    size_t inner = b->heads[0].inner, i, k;
    int32_t e;

    route(c, b->mix_router, capacity, how, x, n, work);
    memset(query, 0, n * inner * sizeof(*query));
    memset(key, 0, n * inner * sizeof(*key));
    for (e = 0; e < c->n_expert; e++) {
        const struct weights_heads *h = &b->heads[e];
        float *hidden = h->wi.data ? work->hidden : work->in;

        k = rows_of(c, e, x, n, work);
        if (k == 0)
            continue;
        if (h->wi.data)
            product(how, hidden, work->in, &h->wi, k, h->d_model, h->d_ff);
        for (i = 0; h->wi.data && i < k; i++)
            kern.relu(hidden + i * h->d_ff, hidden + i * h->d_ff, h->d_ff);
        product(how, work->out, hidden, &h->q, k, h->d_ff, inner);
        product(how, work->out + k * inner, hidden, &h->kv, k, h->d_ff, inner);
        add_rows(c, work, k, inner, scale, work->out, query);
        add_rows(c, work, k, inner, 1, work->out + k * inner, key);
    }
}

void feed_release(struct feed_work *w)
{
    free(w->hidden);
    free(w->gate);
    free(w->in);
    free(w->out);
    free(w->order);
    free(w->route.logits);
    free(w->route.probs);
    free(w->route.expert);
    free(w->route.slot);
    free(w->route.kept);
    free(w->route.gate);
    *w = (struct feed_work){ 0 };
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

void feed_need(struct feed_work *w, size_t n, const struct config *c)
{
    size_t width = (size_t)c->d_model, inner = (size_t)c->n_head * (size_t)c->d_kv;
    size_t hidden = most((size_t)c->d_ff, (size_t)c->d_ff_mixed), n_expert = (size_t)c->n_expert;
    size_t choices = n_expert ? n * (size_t)n_choice(c) : 0;

    if (n <= w->n)
        return;
    feed_release(w);
    w->n = n;
    w->hidden = xreallocarray(NULL, 2 * n * hidden, sizeof(float));
    w->gate = xreallocarray(NULL, n * hidden, sizeof(float));
    w->in = xreallocarray(NULL, n * width, sizeof(float));
    w->out = xreallocarray(NULL, n * most(width, 2 * inner), sizeof(float));
    w->order = xreallocarray(NULL, n, sizeof(int32_t));
    if (!choices)
        return;
    w->route.logits = xreallocarray(NULL, n * n_expert, sizeof(float));
    w->route.probs = xreallocarray(NULL, n * n_expert, sizeof(float));
    w->route.expert = xreallocarray(NULL, choices, sizeof(int32_t));
    w->route.slot = xreallocarray(NULL, choices, sizeof(int32_t));
    w->route.kept = xreallocarray(NULL, choices, sizeof(int32_t));
    w->route.gate = xreallocarray(NULL, choices, sizeof(float));
}
