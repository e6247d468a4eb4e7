/* attention16.c - see attention16.h. Stretches, tiles and masks are those of attention.c.
 *
 * A strip of queries meets a block of keys: 32 x 512 scores stay near. Where a stretch has one
 * block of keys, which is the rule, a strip's output is done at once and leaves as bf16; else sums
 * are kept as floats in room. Dropout that all queries share leaves out values, and what it scales
 * by is made good in the sums.
 *
 * Backward, gradients of keys and values are sums over queries and so want long ones: strips of a
 * tile leave their probabilities and gradients of scores, rounded, and are multiplied together.
 * These products are turned, so that queries stand in the inner place of both operands: in panels
 * of pairs of queries, as softmax makes them, and of the tile's queries turned.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/attention16.h"
#include "nn/dropout.h"
#include "nn/tile16.h"

enum {
    TILE = 128,             // queries of the backward pass, at most
    TILE_HALVES = 16384,    // queries times D of it
    SUMS = FLOATS + 16 * ATTENTION_WIDTH_MAX
};

static int drops_each(const struct attention *a)
{
    return a->drop && a->drop->rate > 0 && a->drop->per_element;
}

/* What values and their gradients are scaled by where dropout leaves some out for all queries. */
static float keep(const struct attention *a)
{
    return a->drop && !a->drop->per_element ? (float)(1 / (1 - a->drop->rate)) : 1;
}

/* The tile's i-th row alone. */
static struct tile row_of(const struct tile *t, size_t i)
{
    struct tile row = *t;

    row.i += i;
    row.rows = 1;
    return row;
}

struct forward {
    const uint16_t *q, *k, *v;
    float *room, *seen;
    uint16_t *o;
};

struct keys {    // of the forward pass
    struct halves rows, k, v;
    size_t n;
    int more;    // than this block, of the stretch
};

/* Probabilities p of query i, as yet undivided, of scores x[n]; seen gets the new greatest and the
 * sum. Returns what sums of earlier keys are to be scaled by. */
static float softmax(const struct tile *t, float *x, uint16_t *p, float *seen)
{
    const struct head *h = t->h;
    size_t see = tile_before_mask(t, t->i);
    float top, fall = 1;

    top =
        h->bias ? kern.add_max(x, h->bias + t->key + h->n_query - 1 - t->i, see) : kern.max(x, see);
    if (!t->stretch->solid) {
        if (tile_hide(t, see, x) == 0)
            see = 0;
        top = kern.max(x, see);
    }
    memset(p + see, 0, (tile16_whole(t->n) - see) * sizeof(*p));
    if (see == 0)
        return fall;
    if (seen[1] != 0) {    // earlier keys
        if (top < seen[0])
            top = seen[0];
        fall = expf(seen[0] - top);
        seen[1] *= fall;
    }
    seen[0] = top;
    seen[1] += kern.exp_shift(x, top, see);
    if (drops_each(h->a))
        tile_drop_each(t, x);
    kern.half(p, x, see);
    return fall;
}

/* x [rows, deep], the strip's outputs as far as these keys go, become o, or are added up in room.
 */
static void strip_output(const struct tile *t, const struct forward *p, const struct keys *keys,
                         float *x, const float *fall)
{
    const struct head *h = t->h;
    size_t deep = tile16_whole(h->d), at = h->at_query + t->i * h->width, i;
    float *seen = p->seen + h->at_seen + t->i * 2;

    for (i = 0; i < t->rows; i++, x += deep, at += h->width, seen += 2) {
        if (keys->more) {
            kern.scale(p->room + at, fall[i], h->d);
            kern.add(p->room + at, x, h->d);
        } else if (seen[1] != 0) {
            seen[1] = 1 / seen[1];
            kern.scale(x, seen[1] * keep(h->a), h->d);
            kern.half(p->o + at, x, h->d);
        }
    }
}

static void forward_strip(const struct tile *t, const struct forward *p, const struct keys *keys)
{
    const struct head *h = t->h;
    _Alignas(64) uint16_t x[STRIP * ATTENTION_WIDTH_MAX], probs[STRIP * WIDE_HALF];
    _Alignas(64) float scores[STRIP * WIDE], o[STRIP * ATTENTION_WIDTH_MAX];
    float fall[STRIP], *seen = p->seen + h->at_seen + t->i * 2;
    size_t deep = tile16_whole(h->d), i;

    if (t->n == 0)
        return;
    tile16_lay(h, x, p->q + h->at_query + t->i * h->width, t->rows, NULL);
    tile16_multiply(&(struct half_operands){ x, deep, keys->k.x, 16 * deep, scores, WIDE, 0 },
                    t->rows, t->n, h->d);
    for (i = 0; i < t->rows; i++) {
        struct tile row = row_of(t, i);

        fall[i] = softmax(&row, scores + i * WIDE, probs + i * WIDE_HALF, seen + i * 2);
    }
    for (; i < STRIP; i++)
        memset(probs + i * WIDE_HALF, 0, tile16_whole(t->n) * sizeof(*probs));
    tile16_multiply(&(struct half_operands){ probs, WIDE_HALF, keys->v.x,
                                             16 * tile16_whole(keys->n), o, deep, 0 },
                    t->rows, h->d, t->n);
    strip_output(t, p, keys, o, fall);
}

static void forward_stretch(const struct head *h, const struct stretch *s, const struct forward *p)
{
    struct keys keys;
    float room[KEYS];
    size_t at, n, i;

    keys.more = s->hi - s->lo > h->keys;
    for (at = s->lo; at < s->hi; at += n) {
        size_t key = h->at_key + at * h->width;

        n = s->hi - at < h->keys ? s->hi - at : h->keys;
        keys.n = n;
        tile16_lay(h, keys.rows.x, p->k + key, n, NULL);
        tile16_turn(h, &keys.k, keys.rows.x, n);
        tile16_lay(h, keys.rows.x, p->v + key, n, tile_shared_factors(h, at, n, room));
        tile16_pair(h, &keys.v, keys.rows.x, n);
        for (i = s->i; i < s->end; i += STRIP) {
            struct tile t = tile_at(h, s, i, STRIP, at, at + n);

            forward_strip(&t, p, &keys);
        }
    }
}

static void zero(uint16_t *x, size_t rows, size_t n, size_t ld)
{
    size_t i;

    for (i = 0; i < rows; i++)
        memset(x + i * ld, 0, n * sizeof(*x));
}

/* Queries of more than one block of keys: o of the sums in room. */
static void finish(const struct head *h, const struct stretch *s, const struct forward *p)
{
    size_t i;

    for (i = s->i; i < s->end; i++) {
        float *seen = p->seen + h->at_seen + i * 2, *x = p->room + h->at_query + i * h->width;

        if (seen[1] == 0)
            continue;
        seen[1] = 1 / seen[1];
        kern.scale(x, seen[1] * keep(h->a), h->d);
        kern.half(p->o + h->at_query + i * h->width, x, h->d);
    }
}

static void forward_head(const struct head *h, const struct forward *p)
{
    struct stretch s;
    size_t i;

    memset(p->seen + h->at_seen, 0, h->n_query * 2 * sizeof(float));
    zero(p->o + h->at_query, h->n_query, h->d, h->width);
    for (i = 0; i < h->n_query; i = s.end) {
        int more;

        s = tile_stretch(h, i);
        more = s.hi - s.lo > h->keys;
        if (more)
            tile_zero(p->room + h->at_query + i * h->width, s.end - i, h->d, h->width);
        forward_stretch(h, &s, p);
        if (more)
            finish(h, &s, p);
    }
}

void attention16_forward(const struct attention *a, const uint16_t *q, const uint16_t *k,
                         const uint16_t *v, const float *bias, float *room, float *seen,
                         uint16_t *o)
{
    struct forward p = { q, k, v, room, seen, o };
    int unit;

    assert(a->n_key <= ATTENTION_KEY_MAX && a->d_kv <= ATTENTION_WIDTH_MAX);
#pragma omp parallel for schedule(dynamic)
    for (unit = 0; unit < a->n_row * a->n_head; unit++) {
        struct head h = tile_head(a, (size_t)unit, bias, NULL);

        forward_head(&h, &p);
    }
}

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
    _Alignas(64) uint16_t probs[TILE * KEYS],
        d[TILE * KEYS];    // [panels of keys, TILE / 2, 16, 2]
};

/* Queries of a tile: their layouts are no larger than TILE_HALVES. */
static size_t tile_rows(const struct head *h)
{
    size_t most = TILE_HALVES / tile16_whole(h->d) / UNIT * UNIT;

    return most < TILE ? most : TILE;
}

/* The sum over D of o d_o, of one query. */
static float dot(const struct head *h, const uint16_t *o, const uint16_t *d_o)
{
    float x[ATTENTION_WIDTH_MAX], y[ATTENTION_WIDTH_MAX];

    kern.whole(x, o, h->d);
    kern.whole(y, d_o, h->d);
    return kern.dot(x, y, h->d);
}

/* Scores x and gradients d of probabilities of a row become probabilities, as they multiply values,
 * and gradients of scores over keep(). */
static void softmax_back(const struct tile *t, const struct backward *p, float *x, float *d,
                         float *d_bias)
{
    const struct head *h = t->h;
    const float *seen = p->seen + h->at_seen + t->i * 2;
    size_t see = seen[1] == 0 ? 0 : tile_before_mask(t, t->i), whole = tile16_whole(t->n);
    size_t query = h->at_query + t->i * h->width;
    int each = drops_each(h->a);

    if (!t->stretch->solid && see > 0)
        tile_hide(t, see, x);
    if (each)
        tile_drop_each(t, d);
    kern.softmax_back(x, d, h->bias ? h->bias + t->key + h->n_query - 1 - t->i : NULL, d_bias,
                      seen[0], seen[1], dot(h, p->o + query, p->d_o + query) / keep(h->a), see);
    memset(x + see, 0, (whole - see) * sizeof(*x));
    memset(d + see, 0, (whole - see) * sizeof(*d));
    if (each)
        tile_drop_each(t, x);
}

/* What a strip of a tile's queries, the first-th and on, makes of scores x and gradients d of
 * probabilities: both in pairs of queries, for n keys, and d in rows, too. */
static void strip_softmax(const struct tile *t, const struct backward *p, size_t first, size_t n,
                          float *x, float *d, struct queries16 *to, uint16_t *d_rows)
{
    const struct head *h = t->h;
    float around[STRIP + KEYS] = { 0 };    // gradient of the bias, from key - last query on
    size_t whole = tile16_whole(t->n), last = t->i + t->rows - 1, at = first * 16, i;

    for (i = 0; i < STRIP; i++) {
        struct tile row = row_of(t, i);

        if (i < t->rows) {
            softmax_back(&row, p, x + i * WIDE, d + i * WIDE, around + (t->rows - 1 - i));
        } else {
            memset(x + i * WIDE, 0, whole * sizeof(*x));
            memset(d + i * WIDE, 0, whole * sizeof(*d));
        }
        kern.half(d_rows + i * WIDE_HALF, d + i * WIDE, whole);
        if (i % 2 == 0)
            continue;
        kern.pair(to->probs + at + (i - 1) * 16, TILE * 16, x + (i - 1) * WIDE, x + i * WIDE,
                  whole);
        kern.pair(to->d + at + (i - 1) * 16, TILE * 16, d + (i - 1) * WIDE, d + i * WIDE, whole);
    }
    for (i = whole; i < n; i += 16) {
        memset(to->probs + at + i * TILE, 0, STRIP * 16 * sizeof(*to->probs));
        memset(to->d + at + i * TILE, 0, STRIP * 16 * sizeof(*to->d));
    }
    if (h->d_bias)
        kern.axpy(h->d_bias + t->key + h->n_query - 1 - last, keep(h->a), around,
                  t->n + t->rows - 1);
}

static void strip_queries(const struct tile *t, const struct backward *p, const struct block *b,
                          float *dq)
{
    const struct head *h = t->h;
    size_t at = h->at_query + t->i * h->width, i;

    for (i = 0; i < t->rows; i++, dq += tile16_whole(h->d), at += h->width) {
        kern.scale(dq, keep(h->a), h->d);
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

    tile16_multiply(&(struct half_operands){ x->q + at, deep, b->k.x, 16 * deep, scores, WIDE, 0 },
                    t->rows, t->n, h->d);
    tile16_multiply(&(struct half_operands){ x->d_o + at, deep, b->v.x, 16 * deep, d, WIDE, 0 },
                    t->rows, t->n, h->d);
    strip_softmax(t, p, first, n, scores, d, x, d_rows);
    tile16_multiply(&(struct half_operands){ d_rows, WIDE_HALF, b->keys.x, 16 * tile16_whole(b->n),
                                             dq, deep, 0 },
                    t->rows, h->d, t->n);
    strip_queries(t, p, b, dq);
}

static void backward_tile(const struct tile *t, const struct backward *p, struct block *b)
{
    const struct head *h = t->h;
    size_t deep = tile16_whole(h->d), rows = tile_rows(h), i, query = h->at_query + t->i * h->width;
    struct queries16 x;
    struct half_operands dv = { x.d_o_turned, rows, x.probs, TILE * 16, b->dv.x, h->keys + 16, 1 };
    struct half_operands dk = { x.q_turned, rows, x.d, TILE * 16, b->dk.x, h->keys + 16, 1 };

    if (t->n == 0)
        return;
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

/* Gradients x of n keys from `at` on are added to y, whose i-th is scaled by f[i] if there is f,
 * and all by a. What stretches meet the same keys each add their part. */
static void add_keys(const struct head *h, const struct stretch *s, const struct sums *x, size_t at,
                     size_t n, const float *f, float a, uint16_t *y)
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
            kern.whole(was, to, h->d);
            kern.axpy(was, f ? f[j] : a, row, h->d);
            kern.half(to, was, h->d);
        }
    }
}

static void backward_stretch(const struct head *h, const struct stretch *s,
                             const struct backward *p)
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
        memset(b.dk.x, 0, sums);
        memset(b.dv.x, 0, sums);
        for (i = s->i; i < s->end; i += tile_rows(h)) {
            struct tile t = tile_at(h, s, i, tile_rows(h), at, at + n);

            backward_tile(&t, p, &b);
        }
        add_keys(h, s, &b.dk, at, n, NULL, keep(h->a), p->g.k + key);
        add_keys(h, s, &b.dv, at, n, f, 1, p->g.v + key);
    }
}

static void backward_head(const struct head *h, const struct backward *p)
{
    struct stretch s;
    size_t i, j;

    zero(p->g.q + h->at_query, h->n_query, h->d, h->width);
    zero(p->g.k + h->at_key, h->n_key, h->d, h->width);
    zero(p->g.v + h->at_key, h->n_key, h->d, h->width);
    for (i = 0; i < h->n_query; i = s.end) {
        int more;

        s = tile_stretch(h, i);
        more = s.hi - s.lo > h->keys;
        if (more)
            tile_zero(p->room + h->at_query + i * h->width, s.end - i, h->d, h->width);
        backward_stretch(h, &s, p);
        for (j = i; more && j < s.end; j++)
            kern.half(p->g.q + h->at_query + j * h->width, p->room + h->at_query + j * h->width,
                      h->d);
    }
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
