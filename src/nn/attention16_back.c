/* attention16_back.c - the backward pass of attention16.h.
 *
 * Gradients of keys and values are sums over queries and so want long ones: strips of a
 * tile leave their probabilities and gradients of scores, rounded, and are multiplied together.
 * These products are turned, so that queries stand in the inner place of both operands: in panels
 * of pairs of queries, as softmax makes them, and of the tile's queries turned.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/attention16.h"
#include "nn/tile16.h"

enum {
    TILE = 128,                   // queries of the backward pass, at most
    TILE_HALVES = 16384,          // queries times D of it
    STEP = TILE * 16 + 2 * 16,    // from a panel of pairs to the next: no power of two, as WIDE
    SUMS = FLOATS + 16 * ATTENTION_WIDTH_MAX
};

struct backward {
    const uint16_t *q, *k, *v;
    const float *seen;
    const uint16_t *o, *d_o;
    float *room;
    struct attention16_grads g;
};

struct block {    // keys of the backward pass
    struct halves k, v, keys;
    struct sums {    // turned: [D, keys + 16]
        _Alignas(64) float x[SUMS];
    } dk, dv;
    size_t n;
    int more;    // than this block, of the stretch
};

struct queries16 {                                                           // a tile of them
    _Alignas(64) uint16_t q[TILE_HALVES], d_o[TILE_HALVES];                  // [TILE, D]
    _Alignas(64) uint16_t q_turned[TILE_HALVES], d_o_turned[TILE_HALVES];    // [D, TILE]
    _Alignas(64) uint16_t probs[STEP * KEYS / 16], d[STEP * KEYS / 16];    // [panels of keys, STEP]
};

/* Queries of a tile: their layouts are no larger than TILE_HALVES. */
static size_t tile_rows(const struct head *h)
{
    size_t most = TILE_HALVES / tile16_whole(h->d) / UNIT * UNIT;

    return most < TILE ? most : TILE;
}

/* A strip of a tile's queries, the first-th and on: scores, gradients of probabilities, and where
 * what is made of them goes. */
struct strip {
    const struct tile *t;
    const struct backward *p;
    float *x, *d;                          // [STRIP, WIDE]
    uint16_t *pairs, *d_pairs, *d_rows;    // of the first query; d_rows [STRIP, WIDE_HALF]
    float around[2][STRIP + KEYS];    // gradient of the bias, from key - last query on; of even
                                      // queries and of odd ones
};

/* The sum over keys of p dp of query t->i, over tile16_keep(): that over D of o d_o. */
static float mean(const struct tile *t, const struct backward *p)
{
    const struct head *h = t->h;
    size_t query = h->at_query + t->i * h->width;
    float x[ATTENTION_WIDTH_MAX], y[ATTENTION_WIDTH_MAX];

    kern.whole(x, p->o + query, h->d);
    kern.whole(y, p->d_o + query, h->d);
    return kern.dot(x, y, h->d) / tile16_keep(h->a);
}

static size_t sees(const struct tile *t, const struct backward *p)
{
    return p->seen[t->h->at_seen + t->i * 2 + 1] == 0 ? 0 : tile_before_mask(t, t->i);
}

/* Scores x and gradients d of probabilities of a row become probabilities, as they multiply values,
 * and gradients of scores over tile16_keep(). */
static void softmax_back(const struct tile *t, const struct backward *p, float *x, float *d,
                         float *d_bias)
{
    const float *seen = p->seen + t->h->at_seen + t->i * 2;
    size_t see = sees(t, p), whole = tile16_whole(t->n);
    int each = tile16_drops_each(t->h->a);

    if (!t->stretch->solid && see > 0)
        tile_hide(t, see, x);
    if (each)
        tile_drop_each(t, d);
    kern.softmax_back(x, d, tile16_bias(t), d_bias, seen[0], seen[1], mean(t, p), see);
    memset(x + see, 0, (whole - see) * sizeof(*x));
    memset(d + see, 0, (whole - see) * sizeof(*d));
    if (each)
        tile_drop_each(t, x);
}

/* Two queries of the strip from i on, of which the second may not be there: step by step. */
static void two_steps(struct strip *s, size_t i)
{
    size_t whole = tile16_whole(s->t->n), at = i * WIDE, j;

    for (j = i; j < i + 2; j++) {
        struct tile row = tile16_row(s->t, j);
        float *x = s->x + j * WIDE, *d = s->d + j * WIDE;

        if (j < s->t->rows) {
            softmax_back(&row, s->p, x, d, s->around[j % 2] + (s->t->rows - 1 - j));
        } else {
            memset(x, 0, whole * sizeof(*x));
            memset(d, 0, whole * sizeof(*d));
        }
        kern.half(s->d_rows + j * WIDE_HALF, d, whole);
    }
    kern.pair(s->pairs + i * 16, STEP, s->x + at, s->x + at + WIDE, whole);
    kern.pair(s->d_pairs + i * 16, STEP, s->d + at, s->d + at + WIDE, whole);
}

static void two_queries(struct strip *s, size_t i)
{
    struct half_softmax both = { .x = s->x + i * WIDE,
                                 .d = s->d + i * WIDE,
                                 .ld = WIDE,
                                 .pairs = s->pairs + i * 16,
                                 .d_pairs = s->d_pairs + i * 16,
                                 .step = STEP,
                                 .d_rows = s->d_rows + i * WIDE_HALF,
                                 .ld_rows = WIDE_HALF };
    size_t j;

    if (!kern.half_softmax_back || tile16_drops_each(s->t->h->a)) {
        two_steps(s, i);
        return;
    }
    for (j = 0; j < 2 && i + j < s->t->rows; j++) {
        struct tile row = tile16_row(s->t, i + j);
        const float *seen = s->p->seen + row.h->at_seen + row.i * 2;

        both.see[j] = sees(&row, s->p);
        if (!row.stretch->solid && both.see[j] > 0)
            tile_hide(&row, both.see[j], s->x + (i + j) * WIDE);
        both.bias[j] = tile16_bias(&row);
        both.d_bias[j] = s->around[j] + (s->t->rows - 1 - i - j);
        both.top[j] = seen[0];
        both.a[j] = seen[1];
        both.s[j] = mean(&row, s->p);
    }
    kern.half_softmax_back(&both, tile16_whole(s->t->n));
}

/* n: keys of the tile, filled up; what the strip does not see of them is 0. */
static void strip_softmax(struct strip *s, size_t n)
{
    const struct tile *t = s->t;
    const struct head *h = t->h;
    size_t last = t->i + t->rows - 1, i;

    for (i = 0; i < 2; i++)
        memset(s->around[i], 0, (t->n + t->rows) * sizeof(float));
    for (i = 0; i < STRIP; i += 2)
        two_queries(s, i);
    for (i = tile16_whole(t->n); i < n; i += 16) {
        memset(s->pairs + i / 16 * STEP, 0, STRIP * 16 * sizeof(*s->pairs));
        memset(s->d_pairs + i / 16 * STEP, 0, STRIP * 16 * sizeof(*s->d_pairs));
    }
    for (i = 0; h->d_bias && i < 2; i++)
        kern.axpy(h->d_bias + t->key + h->n_query - 1 - last, tile16_keep(h->a), s->around[i],
                  t->n + t->rows - 1);
}

static void strip_queries(const struct tile *t, const struct backward *p, const struct block *b,
                          float *dq)
{
    const struct head *h = t->h;
    size_t at = h->at_query + t->i * h->width, i;
    float keep = tile16_keep(h->a);

    for (i = 0; i < t->rows; i++, dq += tile16_whole(h->d), at += h->width) {
        if (keep != 1)
            kern.scale(dq, keep, h->d);
        if (b->more)
            kern.add(p->room + at, dq, h->d);
        else
            kern.half(p->g.q + at, dq, h->d);
    }
}

/* The strip that begins with the tile's first-th query. n: keys of the tile, filled up. */
static void backward_strip(const struct tile *t, const struct backward *p, size_t first, size_t n,
                           const struct block *b, struct queries16 *x)
{
    const struct head *h = t->h;
    size_t deep = tile16_whole(h->d), at = first * deep;
    _Alignas(64) float scores[STRIP * WIDE], d[STRIP * WIDE], dq[STRIP * ATTENTION_WIDTH_MAX];
    _Alignas(64) uint16_t d_rows[STRIP * WIDE_HALF];
    struct strip s;

    s.t = t, s.p = p, s.x = scores, s.d = d, s.d_rows = d_rows;
    s.pairs = x->probs + first * 16, s.d_pairs = x->d + first * 16;
    tile16_multiply(&(struct half_operands){ x->q + at, deep, b->k.x, 16 * deep, scores, WIDE, 0 },
                    t->rows, t->n, h->d);
    tile16_multiply(&(struct half_operands){ x->d_o + at, deep, b->v.x, 16 * deep, d, WIDE, 0 },
                    t->rows, t->n, h->d);
    strip_softmax(&s, n);
    tile16_multiply(&(struct half_operands){ d_rows, WIDE_HALF, b->keys.x, 16 * tile16_whole(b->n),
                                             dq, deep, 0 },
                    t->rows, h->d, t->n);
    strip_queries(t, p, b, dq);
}

static void backward_tile(const struct tile *t, const struct backward *p, struct block *b)
{
    const struct head *h = t->h;
    size_t deep = tile16_whole(h->d), rows = tile_rows(h), i, query = h->at_query + t->i * h->width;
    int adds = h->a->causal || t->i > t->stretch->i;
    struct queries16 x;
    struct half_operands dv = { x.d_o_turned, rows, x.probs, STEP, b->dv.x, h->keys + 16, adds };
    struct half_operands dk = { x.q_turned, rows, x.d, STEP, b->dk.x, h->keys + 16, adds };

    if (t->n == 0) {
        if (!b->more)
            tile16_zero(p->g.q + query, t->rows, h->d, h->width);
        return;
    }
    tile16_lay(h, x.q, p->q + query, t->rows, NULL);
    tile16_lay(h, x.d_o, p->d_o + query, t->rows, NULL);
    kern.half_transpose(x.q_turned, rows, x.q, deep, tile16_whole(t->rows), deep);
    kern.half_transpose(x.d_o_turned, rows, x.d_o, deep, tile16_whole(t->rows), deep);
    for (i = 0; i < t->rows; i += STRIP) {
        struct stretch upto = *t->stretch;
        struct tile strip;

        upto.end = t->i + t->rows;
        strip = tile_at(h, &upto, t->i + i, STRIP, t->key, t->key + t->n);
        strip.stretch = t->stretch;
        backward_strip(&strip, p, i, tile16_whole(t->n), b, &x);
    }
    tile16_multiply(&dv, h->d, t->n, t->rows);
    tile16_multiply(&dk, h->d, t->n, t->rows);
}

/* Gradients x of n keys from `at` on, of which the i-th is scaled by f[i] if there is f, else by a,
 * become y, or are added where another stretch has met these keys. */
static void give(const struct head *h, const struct stretch *s, const struct sums *x, size_t at,
                 size_t n, const float *f, float a, int again, uint16_t *y)
{
    float rows[16 * ATTENTION_WIDTH_MAX], was[ATTENTION_WIDTH_MAX];
    size_t i, j;

    for (i = 0; i < n; i += 16) {
        size_t some = n - i < 16 ? n - i : 16;

        kern.transpose(rows, h->d, x->x + i, h->keys + 16, h->d, some);
        for (j = i; j < i + some; j++) {
            float *row = rows + (j - i) * h->d;
            uint16_t *to = y + j * h->width;

            if (h->segment_k[at + j] != s->segment)
                continue;
            kern.scale(row, f ? f[j] : a, h->d);
            if (again) {
                kern.whole(was, to, h->d);
                kern.add(row, was, h->d);
            }
            kern.half(to, row, h->d);
        }
    }
}

/* again: there is something in the gradients of the stretch's keys. */
static void backward_stretch(const struct head *h, const struct stretch *s,
                             const struct backward *p, int again)
{
    struct block b;
    struct halves rows;
    float room[KEYS];
    size_t at, n, i;

    b.more = s->hi - s->lo > h->keys;
    for (at = s->lo; at < s->hi; at += n) {
        size_t key = h->at_key + at * h->width,
               sums = tile16_whole(h->d) * (h->keys + 16) * sizeof(float);
        const float *f;

        b.n = n = s->hi - at < h->keys ? s->hi - at : h->keys;
        f = tile_shared_factors(h, at, n, room);
        tile16_lay(h, rows.x, p->v + key, n, f);
        tile16_turn(h, &b.v, rows.x, n);
        tile16_lay(h, rows.x, p->k + key, n, NULL);
        tile16_turn(h, &b.k, rows.x, n);
        tile16_pair(h, &b.keys, rows.x, n);
        if (h->a->causal) {    // the first tile need not see all
            memset(b.dk.x, 0, sums);
            memset(b.dv.x, 0, sums);
        }
        for (i = s->i; i < s->end; i += tile_rows(h)) {
            struct tile t = tile_at(h, s, i, tile_rows(h), at, at + n);

            backward_tile(&t, p, &b);
        }
        give(h, s, &b.dk, at, n, NULL, tile16_keep(h->a), again, p->g.k + key);
        give(h, s, &b.dv, at, n, f, 1, again, p->g.v + key);
    }
}

static void zero_keys(const struct head *h, const struct backward *p, size_t from, size_t to)
{
    size_t at = h->at_key + from * h->width;

    tile16_zero(p->g.k + at, to - from, h->d, h->width);
    tile16_zero(p->g.v + at, to - from, h->d, h->width);
}

/* Gradients of the first `done` keys are begun. Those of a stretch whose keys follow are set by it,
 * which is the rule; else the rest is begun with 0, and stretches add. */
static void backward_keys(const struct head *h, const struct stretch *s, const struct backward *p,
                          size_t *done)
{
    int again = s->lo < *done || !s->solid;
    size_t upto = again ? h->n_key : s->lo;

    if (*done < upto)
        zero_keys(h, p, *done, upto);
    *done = again ? h->n_key : s->hi;
    backward_stretch(h, s, p, again);
}

static void backward_head(const struct head *h, const struct backward *p)
{
    struct stretch s;
    size_t done = 0, i, j;

    for (i = 0; i < h->n_query; i = s.end) {
        float *room = p->room + h->at_query + i * h->width;
        uint16_t *dq = p->g.q + h->at_query + i * h->width;
        int more;

        s = tile_stretch(h, i);
        if (s.lo == s.hi) {
            tile16_zero(dq, s.end - i, h->d, h->width);
            continue;
        }
        more = s.hi - s.lo > h->keys;
        if (more)
            tile_zero(room, s.end - i, h->d, h->width);
        backward_keys(h, &s, p, &done);
        for (j = 0; more && j < s.end - i; j++)
            kern.half(dq + j * h->width, room + j * h->width, h->d);
    }
    zero_keys(h, p, done, h->n_key);
}

void attention16_backward(const struct attention *a, const uint16_t *q, const uint16_t *k,
                          const uint16_t *v, const float *bias, const float *seen,
                          const uint16_t *o, const uint16_t *d_o, float *room,
                          const struct attention16_grads *g)
{
    struct backward p = { q, k, v, seen, o, d_o, room, *g };
    int unit;

    assert(a->n_key <= ATTENTION_KEY_MAX && a->d_kv <= ATTENTION_WIDTH_MAX);
#pragma omp parallel for schedule(dynamic)
    for (unit = 0; unit < a->n_row * a->n_head; unit++) {
        struct head h = tile_head(a, (size_t)unit, bias, g->bias);

        backward_head(&h, &p);
    }
}
