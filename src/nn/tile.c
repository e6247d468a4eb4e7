/* tile.c - see tile.h. */
#include <math.h>
#include <string.h>

#include "base/progress.h"
#include "nn/dropout.h"
#include "nn/gemm.h"
#include "nn/tile.h"

struct head tile_head(const struct attention *a, size_t unit, const float *bias, float *d_bias)
{
    size_t n_head = (size_t)a->n_head, row = unit / n_head, head = unit % n_head;
    size_t n_query = (size_t)a->n_query, n_key = (size_t)a->n_key, d = (size_t)a->d_kv;
    size_t panels = (d + PANEL - 1) / PANEL, span = attention_span(n_query, n_key);

    return (struct head){
        .a = a,
        .row = row,
        .head = head,
        .width = n_head * d,
        .n_query = n_query,
        .n_key = n_key,
        .d = d,
        .panels = panels,
        .keys = FLOATS / (panels * PANEL) / PANEL * PANEL,
        .at_query = row * n_query * n_head * d + head * d,
        .at_key = row * n_key * n_head * d + head * d,
        .bias = bias ? bias + head * span : NULL,
        .d_bias = d_bias ? d_bias + unit * span : NULL,
        .at_seen = unit * n_query * 2,
        .segment_q = a->segment_q + row * n_query,
        .segment_k = a->segment_k + row * n_key,
    };
}

/* The keys of segment: from r->lo to before r->hi. */
static void find_keys(const struct head *h, int32_t segment, struct stretch *r)
{
    size_t j, n = 0;

    r->segment = segment;
    r->lo = r->hi = 0;
    for (j = 0; segment != 0 && j < h->n_key; j++) {
        if (h->segment_k[j] != segment)
            continue;
        if (n++ == 0)
            r->lo = j;
        r->hi = j + 1;
    }
    r->solid = n == r->hi - r->lo;
}

struct stretch tile_stretch(const struct head *h, size_t i)
{
    struct stretch r;

    find_keys(h, h->segment_q[i], &r);
    r.i = i;
    for (r.end = i + 1; r.end < h->n_query && h->segment_q[r.end] == r.segment; r.end++)
        ;
    if (h->a->causal && r.hi > r.end)
        r.hi = r.end > r.lo ? r.end : r.lo;
    return r;
}

struct tile tile_at(const struct head *h, const struct stretch *r, size_t i, size_t most,
                    size_t key, size_t end)
{
    struct tile t = { .h = h, .stretch = r, .i = i, .key = key };

    t.rows = r->end - i < most ? r->end - i : most;
    if (h->a->causal && end > i + t.rows)
        end = i + t.rows;
    t.n = end > key ? end - key : 0;
    return t;
}

static size_t piece(size_t d, size_t panel)    // of D in that panel
{
    return d - panel * PANEL < PANEL ? d - panel * PANEL : PANEL;
}

/* Zeros behind the n columns of a panel, up to whole registers: what a block left there may be
 * numbers below the normal ones, which stop the processor. */
static void fill_up(float *panel, size_t rows, size_t n)
{
    size_t i, pad = (PANEL - n) % 16;

    for (i = 0; pad > 0 && i < rows; i++)
        memset(panel + i * PANEL + n, 0, pad * sizeof(*panel));
}

void tile_lay(const struct head *h, float *to, const float *x, size_t n, size_t step,
              const float *f)
{
    size_t p, i, wide;

    for (p = 0; p < h->panels; p++) {
        for (i = 0, wide = piece(h->d, p); i < n; i++) {
            float *y = to + (p * step + i) * PANEL;

            memcpy(y, x + i * h->width + p * PANEL, wide * sizeof(*x));
            if (f)
                kern.scale(y, f[i], wide);
        }
        fill_up(to + p * step * PANEL, n, wide);
    }
}

void tile_turn(const struct head *h, struct turned *to, const float *x, size_t n, const float *f)
{
    size_t p, j, rows, l;

    for (p = 0; p < h->panels; p++)
        for (j = 0; j < n; j += PANEL) {
            float *y = to->x + p * h->keys * PANEL + j * piece(h->d, p);

            rows = n - j < PANEL ? n - j : PANEL;
            kern.transpose(y, PANEL, x + j * h->width + p * PANEL, h->width, rows, piece(h->d, p));
            for (l = 0; f && l < piece(h->d, p); l++)
                kern.mul(y + l * PANEL, 1, y + l * PANEL, f + j, rows);
            fill_up(y, piece(h->d, p), rows);
        }
}

/* kern.product(), counted as a matrix product like any other. */
static void multiply(const struct operands *x, size_t m, size_t n, size_t k)
{
    double start = clock_seconds();

    kern.product(x, m, n, k);
    gemm_count(2.0 * (double)m * (double)n * (double)k, clock_seconds() - start);
}

void tile_multiply(const struct tile *t, const struct queries *x, const struct turned *y,
                   float *scores)
{
    const struct head *h = t->h;
    size_t p;

    for (p = 0; p < h->panels; p++)
        multiply(&(struct operands){ .a = x->x + p * QUERIES * PANEL,
                                     .row = PANEL,
                                     .column = 1,
                                     .b = y->x + p * h->keys * PANEL,
                                     .c = scores,
                                     .ldc = WIDE,
                                     .add = p > 0 },
                 t->rows, t->n, piece(h->d, p));
}

void tile_gather(const struct tile *t, const float *probs, const struct plain *keys, float *y)
{
    const struct head *h = t->h;
    size_t p;

    for (p = 0; p < h->panels; p++)
        multiply(&(struct operands){ .a = probs,
                                     .row = WIDE,
                                     .column = 1,
                                     .b = keys->x + p * h->keys * PANEL,
                                     .c = y + p * PANEL,
                                     .ldc = h->width,
                                     .add = 1 },
                 t->rows, piece(h->d, p), t->n);
}

void tile_scatter(const struct tile *t, const float *probs, const struct queries *x,
                  struct plain *keys)
{
    const struct head *h = t->h;
    size_t p;

    for (p = 0; p < h->panels; p++)
        multiply(&(struct operands){ .a = probs,
                                     .row = 1,
                                     .column = WIDE,
                                     .b = x->x + p * QUERIES * PANEL,
                                     .c = keys->x + p * h->keys * PANEL,
                                     .ldc = PANEL,
                                     .add = 1 },
                 t->n, piece(h->d, p), t->rows);
}

size_t tile_before_mask(const struct tile *t, size_t i)
{
    if (!t->h->a->causal || i >= t->key + t->n)
        return t->n;
    return i + 1 > t->key ? i + 1 - t->key : 0;
}

size_t tile_hide(const struct tile *t, size_t n, float *x)
{
    size_t j, seen = 0;

    for (j = 0; j < n; j++)
        if (t->h->segment_k[t->key + j] == t->stretch->segment)
            seen++;
        else
            x[j] = -INFINITY;
    return seen;
}

static int dropping(const struct attention *a)
{
    return a->drop && a->drop->rate > 0;
}

/* f[n]: the dropout factors of query i's probabilities of n keys from key on. */
static void factors(const struct head *h, size_t i, size_t key, size_t n, float *f)
{
    uint64_t head = h->a->head_first + (uint64_t)h->head;

    dropout_factors(h->a->drop, h->a->number[h->row], i, head * h->n_key + key, n, f);
}

const float *tile_shared_factors(const struct head *h, size_t key, size_t n, float *f)
{
    if (!dropping(h->a) || h->a->drop->per_element)
        return NULL;
    factors(h, 0, key, n, f);
    return f;
}

void tile_drop_each(const struct tile *t, float *x)
{
    float f[KEYS];
    size_t i;

    if (!dropping(t->h->a) || !t->h->a->drop->per_element)
        return;
    for (i = 0; i < t->rows; i++, x += WIDE) {
        factors(t->h, t->i + i, t->key, t->n, f);
        kern.mul(x, 1, x, f, t->n);
    }
}

void tile_zero(float *x, size_t rows, size_t n, size_t ld)
{
    size_t i;

    for (i = 0; i < rows; i++)
        memset(x + i * ld, 0, n * sizeof(*x));
}

void tile_add(const struct head *h, const struct plain *x, size_t n, const float *f, float *y)
{
    size_t p, i;

    for (p = 0; p < h->panels; p++)
        for (i = 0; i < n; i++)
            kern.axpy(y + i * h->width + p * PANEL, f ? f[i] : 1, x->x + (p * h->keys + i) * PANEL,
                      piece(h->d, p));
}
