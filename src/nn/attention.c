/* attention.c - see attention.h.
 *
 * Queries of a row that follow one another and are of one segment, a stretch, meet the keys from
 * the first to the last of that segment. Keys are taken a block at a time, laid out anew for
 * kern.product(), and queries a tile at a time: the scores of a tile with a block stay in the
 * second-level cache. What no query of a tile may see is not computed, so padding, packing and
 * causality save time.
 *
 * With more than one block of keys, softmax is had as it goes: what was summed up is scaled down
 * whenever a greater score comes. Dropout that all queries share scales the values instead of the
 * probabilities. In the backward pass the sum over keys of p dp is that of o d_o over D.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/tile.h"

/* Scores x[n] of query i become exp(score - greatest); seen gets the new greatest and the sum.
 * What o holds of earlier keys is scaled to that. */
static void softmax(const struct tile *t, size_t i, float *x, float *o, float *seen)
{
    const struct head *h = t->h;
    size_t see = tile_before_mask(t, i);
    float top, fall;

    top = h->bias ? kern.add_max(x, h->bias + t->key + h->n_query - 1 - i, see) : kern.max(x, see);
    if (!t->stretch->solid) {
        if (tile_hide(t, see, x) == 0)
            see = 0;
        top = kern.max(x, see);
    }
    memset(x + see, 0, (t->n - see) * sizeof(*x));
    if (see == 0)
        return;
    if (seen[1] != 0) {    // earlier keys
        if (top < seen[0])
            top = seen[0];
        fall = expf(seen[0] - top);
        seen[1] *= fall;
        kern.scale(o, fall, h->d);
    }
    seen[0] = top;
    seen[1] += kern.exp_shift(x, top, see);
}

struct forward {
    const float *q, *k, *v;
    float *seen, *o;
};

static void forward_tile(const struct tile *t, const struct forward *p, const struct turned *k,
                         const struct plain *v)
{
    struct queries x;
    float scores[QUERIES * WIDE];
    const struct head *h = t->h;
    size_t query = h->at_query + t->i * h->width, i;
    float *seen = p->seen + h->at_seen + t->i * 2, *o = p->o + query;

    if (t->n == 0)
        return;
    tile_lay(h, x.x, p->q + query, t->rows, QUERIES, NULL);
    tile_multiply(t, &x, k, scores);
    for (i = 0; i < t->rows; i++)
        softmax(t, t->i + i, scores + i * WIDE, o + i * h->width, seen + i * 2);
    tile_drop_each(t, scores);
    tile_gather(t, scores, v, o);
}

static void forward_stretch(const struct head *h, const struct stretch *s, const struct forward *p)
{
    struct turned keys;
    struct plain values;
    float room[KEYS];
    size_t at, n, i;

    for (at = s->lo; at < s->hi; at += n) {
        size_t key = h->at_key + at * h->width;

        n = s->hi - at < h->keys ? s->hi - at : h->keys;
        tile_turn(h, &keys, p->k + key, n, NULL);
        tile_lay(h, values.x, p->v + key, n, h->keys, tile_shared_factors(h, at, n, room));
        for (i = s->i; i < s->end; i += QUERIES) {
            struct tile t = tile_at(h, s, i, QUERIES, at, at + n);

            forward_tile(&t, p, &keys, &values);
        }
    }
}

static void forward_head(const struct head *h, const struct forward *p)
{
    float *seen = p->seen + h->at_seen, *o = p->o + h->at_query;
    struct stretch s;
    size_t i;

    memset(seen, 0, h->n_query * 2 * sizeof(*seen));
    tile_zero(o, h->n_query, h->d, h->width);
    for (i = 0; i < h->n_query; i = s.end) {
        s = tile_stretch(h, i);
        forward_stretch(h, &s, p);
    }
    for (i = 0; i < h->n_query; i++, seen += 2, o += h->width) {
        if (seen[1] == 0)
            continue;
        seen[1] = 1 / seen[1];
        kern.scale(o, seen[1], h->d);
    }
}

void attention_forward(const struct attention *a, const float *q, const float *k, const float *v,
                       const float *bias, float *seen, float *o)
{
    struct forward p = { q, k, v, seen, o };
    int unit;

    assert(a->n_key <= ATTENTION_KEY_MAX && a->d_kv <= ATTENTION_WIDTH_MAX);
#pragma omp parallel for schedule(dynamic)
    for (unit = 0; unit < a->n_row * a->n_head; unit++) {
        struct head h = tile_head(a, (size_t)unit, bias, NULL);

        forward_head(&h, &p);
    }
}

struct backward {
    const float *q, *k, *v, *seen, *o, *d_o;
    struct attention_grads g;
};

struct block {    // keys of the backward pass
    struct turned k, v;
    struct plain keys, dk, dv;
};

/* Scores x and gradients d of probabilities become probabilities and gradients of scores, which
 * are also added to those of the bias. */
static void softmax_back(const struct tile *t, float *x, float *d, const float *seen,
                         const float *o, const float *d_o)
{
    const struct head *h = t->h;
    float around[QUERIES + KEYS] = { 0 };    // gradient of the bias, from key - last query on
    size_t i, see, last = t->i + t->rows - 1;

    for (i = t->i; i <= last; i++) {
        see = seen[1] == 0 ? 0 : tile_before_mask(t, i);
        if (!t->stretch->solid && see > 0)
            tile_hide(t, see, x);
        kern.softmax_back(x, d, h->bias ? h->bias + t->key + h->n_query - 1 - i : NULL,
                          around + (last - i), seen[0], seen[1], kern.dot(o, d_o, h->d), see);
        memset(x + see, 0, (t->n - see) * sizeof(*x));
        memset(d + see, 0, (t->n - see) * sizeof(*d));
        x += WIDE, d += WIDE, o += h->width, d_o += h->width, seen += 2;
    }
    if (h->d_bias)
        kern.add(h->d_bias + t->key + h->n_query - 1 - last, around, t->n + t->rows - 1);
}

static void backward_tile(const struct tile *t, const struct backward *p, struct block *b)
{
    const struct head *h = t->h;
    size_t query = h->at_query + t->i * h->width;
    struct queries x, dx;
    float probs[QUERIES * WIDE], d[QUERIES * WIDE];

    if (t->n == 0)
        return;
    tile_lay(h, x.x, p->q + query, t->rows, QUERIES, NULL);
    tile_lay(h, dx.x, p->d_o + query, t->rows, QUERIES, NULL);
    tile_multiply(t, &x, &b->k, probs);
    tile_multiply(t, &dx, &b->v, d);
    tile_drop_each(t, d);
    softmax_back(t, probs, d, p->seen + h->at_seen + t->i * 2, p->o + query, p->d_o + query);
    tile_drop_each(t, probs);
    tile_scatter(t, probs, &dx, &b->dv);
    tile_gather(t, d, &b->keys, p->g.q + query);
    tile_scatter(t, d, &x, &b->dk);
}

static void backward_stretch(const struct head *h, const struct stretch *s,
                             const struct backward *p)
{
    struct block b;
    float room[KEYS];
    size_t at, n, i;

    for (at = s->lo; at < s->hi; at += n) {
        size_t key = h->at_key + at * h->width;
        const float *f;

        n = s->hi - at < h->keys ? s->hi - at : h->keys;
        f = tile_shared_factors(h, at, n, room);
        tile_turn(h, &b.k, p->k + key, n, NULL);
        tile_turn(h, &b.v, p->v + key, n, f);
        tile_lay(h, b.keys.x, p->k + key, n, h->keys, NULL);
        for (i = 0; i < h->panels; i++) {
            tile_zero(b.dk.x + i * h->keys * PANEL, 1, n * PANEL, 0);
            tile_zero(b.dv.x + i * h->keys * PANEL, 1, n * PANEL, 0);
        }
        for (i = s->i; i < s->end; i += QUERIES) {
            struct tile t = tile_at(h, s, i, QUERIES, at, at + n);

            backward_tile(&t, p, &b);
        }
        tile_add(h, &b.dk, n, NULL, p->g.k + key);
        tile_add(h, &b.dv, n, f, p->g.v + key);
    }
}

static void backward_head(const struct head *h, const struct backward *p)
{
    struct stretch s;
    size_t i;

    tile_zero(p->g.q + h->at_query, h->n_query, h->d, h->width);
    tile_zero(p->g.k + h->at_key, h->n_key, h->d, h->width);
    tile_zero(p->g.v + h->at_key, h->n_key, h->d, h->width);
    for (i = 0; i < h->n_query; i = s.end) {
        s = tile_stretch(h, i);
        backward_stretch(h, &s, p);
    }
}

void attention_backward(const struct attention *a, const float *q, const float *k, const float *v,
                        const float *bias, const float *seen, const float *o, const float *d_o,
                        const struct attention_grads *g)
{
    struct backward p = { q, k, v, seen, o, d_o, *g };
    int unit;

    assert(a->n_key <= ATTENTION_KEY_MAX && a->d_kv <= ATTENTION_WIDTH_MAX);
#pragma omp parallel for schedule(dynamic)
    for (unit = 0; unit < a->n_row * a->n_head; unit++) {
        struct head h = tile_head(a, (size_t)unit, bias, g->bias);

        backward_head(&h, &p);
    }
}
