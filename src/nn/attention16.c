/* attention16.c - see attention16.h. Stretches, tiles and masks are those of attention.c.
 *
 * A strip of queries meets a block of keys: 32 x 512 scores stay near. Where a stretch has one
 * block of keys, which is the rule, a strip's output is done at once and leaves as bf16; else sums
 * are kept as floats in room. Dropout that all queries share leaves out values, and what it scales
 * by is made good in the sums.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/attention16.h"
#include "nn/tile16.h"

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

/* As of kern.half_softmax(), of query t->i. */
static float exponentials(const struct tile *t, float *x, uint16_t *p, float *top, size_t n)
{
    const float *bias = tile16_bias(t);
    float here, sum;

    if (kern.half_softmax && !tile16_drops_each(t->h->a))
        return kern.half_softmax(p, x, bias, top, n);
    here = bias ? kern.add_max(x, bias, n) : kern.max(x, n);
    *top = here < *top ? *top : here;
    sum = kern.exp_shift(x, *top, n);
    if (tile16_drops_each(t->h->a))
        tile_drop_each(t, x);
    kern.half(p, x, n);
    return sum;
}

/* Probabilities p of query t->i, as yet undivided, of scores x[n]; seen gets the new greatest and
 * the sum. Returns what sums of earlier keys are to be scaled by. */
static float softmax(const struct tile *t, float *x, uint16_t *p, float *seen)
{
    size_t see = tile_before_mask(t, t->i);
    float top = seen[1] != 0 ? seen[0] : -INFINITY, sum, fall = 1;

    if (!t->stretch->solid && tile_hide(t, see, x) == 0)
        see = 0;
    memset(p + see, 0, (tile16_whole(t->n) - see) * sizeof(*p));
    if (see == 0)
        return fall;
    sum = exponentials(t, x, p, &top, see);
    if (seen[1] != 0)    // earlier keys
        fall = expf(seen[0] - top);
    seen[0] = top;
    seen[1] = seen[1] * fall + sum;
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
            kern.scale(x, seen[1] * tile16_keep(h->a), h->d);
            kern.half(p->o + at, x, h->d);
        } else {
            memset(p->o + at, 0, h->d * sizeof(*p->o));
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

    if (t->n == 0) {
        if (!keys->more)
            tile16_zero(p->o + h->at_query + t->i * h->width, t->rows, h->d, h->width);
        return;
    }
    tile16_lay(h, x, p->q + h->at_query + t->i * h->width, t->rows, NULL);
    tile16_multiply(&(struct half_operands){ x, deep, keys->k.x, 16 * deep, scores, WIDE, 0 },
                    t->rows, t->n, h->d);
    for (i = 0; i < t->rows; i++) {
        struct tile row = tile16_row(t, i);

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

/* Queries of more than one block of keys: o of the sums in room. */
static void finish(const struct head *h, const struct stretch *s, const struct forward *p)
{
    size_t i;

    for (i = s->i; i < s->end; i++) {
        float *seen = p->seen + h->at_seen + i * 2, *x = p->room + h->at_query + i * h->width;

        if (seen[1] != 0)
            seen[1] = 1 / seen[1];
        kern.scale(x, seen[1] * tile16_keep(h->a), h->d);
        kern.half(p->o + h->at_query + i * h->width, x, h->d);
    }
}

static void forward_head(const struct head *h, const struct forward *p)
{
    struct stretch s;
    size_t i;

    memset(p->seen + h->at_seen, 0, h->n_query * 2 * sizeof(float));
    for (i = 0; i < h->n_query; i = s.end) {
        int more;

        s = tile_stretch(h, i);
        more = s.hi - s.lo > h->keys;
        if (s.lo == s.hi)
            tile16_zero(p->o + h->at_query + i * h->width, s.end - i, h->d, h->width);
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
