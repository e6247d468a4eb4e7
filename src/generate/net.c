/* net.c - see net.h.
 *
 * What a step keeps lies in one piece of memory: for each decoder block the keys, then the values
 * of its rows. A row of step t finds that of step i <= t through origin, which row of step i it
 * descends from. Texts are encoded one by one, so they need no padding.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/mem.h"
#include "generate/layer.h"
#include "generate/net.h"
#include "generate/weights.h"
#include "kernel/kernel.h"
#include "nn/attention.h"
#include "nn/gemm.h"
#include "nn/norm.h"
#include "nn/relpos.h"

enum { SMALL = 1 << 10 };    // queries not worth a second thread

struct text {              // an encoded one
    size_t n, cap;         // tokens
    float *key, *value;    // [decoder blocks, n, I]
};

struct work {    // of n rows: tokens of a text, or hypotheses
    size_t n;
    float *x, *normed, *y, *rms;           // [n, M] three times, [n]
    float *query, *key, *value, *mixed;    // [n, I]
    float *seen, *bias;                    // encoder: [H, n, 2], [H, 2 n - 1]
    int32_t *ones;                         // [n]
    struct feed_work feed;
};

struct net {
    const struct weights *w;
    size_t width, inner, n_head, d_kv;    // M, I, H, D
    int n_text, n_row, length;
    struct text *text;
    struct work encoder, decoder;
    float **kept;                // [length] of steps: [blocks, 2, n_row, I], or NULL
    int32_t *origin, *before;    // [n_row, length] of this step and the last
    float *scores;               // [n_row, H, longest]
    size_t longest;
    float *bias;      // [H, length] by distance
    float *logits;    // [n_row, V]
    int t;            // the next step
};

void net_threads(int n)
{
#ifdef _OPENMP
    if (n == 0)
        n = omp_get_max_threads();
    gemm_threads(1);
    omp_set_num_threads(n);
#else
    (void)n;
    gemm_threads(1);
#endif
}

static float *floats(size_t a, size_t b)
{
    return xreallocarray(NULL, b ? b : 1, (a ? a : 1) * sizeof(float));
}

static void work_release(struct work *w)
{
    free(w->x);
    free(w->normed);
    free(w->y);
    free(w->rms);
    free(w->query);
    free(w->key);
    free(w->value);
    free(w->mixed);
    free(w->seen);
    free(w->bias);
    free(w->ones);
    feed_release(&w->feed);
    *w = (struct work){ 0 };
}

static void work_need(const struct net *n, struct work *w, size_t rows, int self)
{
    size_t i;

    if (rows <= w->n)
        return;
    work_release(w);
    w->n = rows;
    w->x = floats(rows, n->width);
    w->normed = floats(rows, n->width);
    w->y = floats(rows, n->width);
    w->rms = floats(rows, 1);
    w->query = floats(rows, n->inner);
    w->key = floats(rows, n->inner);
    w->value = floats(rows, n->inner);
    w->mixed = floats(rows, n->inner);
    w->seen = self ? floats(n->n_head * rows, 2) : NULL;
    w->bias = self ? floats(n->n_head, attention_span(rows, rows)) : NULL;
    w->ones = xcalloc(rows, sizeof(*w->ones));
    for (i = 0; i < rows; i++)
        w->ones[i] = 1;
    feed_need(&w->feed, rows, &n->w->c);
}

static void norm(const struct net *n, struct work *w, const float *scale, size_t rows)
{
    norm_forward(w->normed, w->rms, w->x, scale, NULL, rows, n->width, (float)n->w->c.eps);
}

/* x + y, row by row. */
static void residual(const struct net *n, struct work *w, size_t rows)
{
    size_t i;

    for (i = 0; i < rows; i++)
        kern.add(w->x + i * n->width, w->y + i * n->width, n->width);
}

static void feed_block(const struct net *n, struct work *w, const struct weights_block *b,
                       const float *scale, enum product how, int capacity, size_t rows)
{
    norm(n, w, scale, rows);
    feed(b, &n->w->c, capacity, how, w->normed, rows, &w->feed, w->y);
    residual(n, w, rows);
}

/* Queries, keys and values of self-attention. */
static void project(const struct net *n, struct work *w, const struct weights_block *b,
                    enum product how, int capacity, size_t rows, float *key, float *value)
{
    const struct weights_attend *a = &b->self;

    if (b->mix_router) {
        mix(b, &n->w->c, capacity, how, w->normed, rows, &w->feed, w->query, key);
        memcpy(value, key, rows * n->inner * sizeof(*value));
        return;
    }
    product(how, w->query, w->normed, &a->q, rows, n->width, n->inner);
    product(how, key, w->normed, &a->k, rows, n->width, n->inner);
    product(how, value, w->normed, &a->v, rows, n->width, n->inner);
}

static void encoder_block(struct net *n, const struct weights_block *b, size_t rows, int capacity)
{
    struct work *w = &n->encoder;
    struct attention a = { .n_row = 1,
                           .n_query = (int)rows,
                           .n_key = (int)rows,
                           .n_head = (int)n->n_head,
                           .d_kv = (int)n->d_kv,
                           .segment_q = w->ones,
                           .segment_k = w->ones };

    norm(n, w, b->norm[0], rows);
    project(n, w, b, BY_TEXT, capacity, rows, w->key, w->value);
    attention_forward(&a, w->query, w->key, w->value, w->bias, w->seen, w->mixed);
    product(BY_TEXT, w->y, w->mixed, &b->self.o, rows, n->inner, n->width);
    residual(n, w, rows);
    feed_block(n, w, b, b->norm[1], BY_TEXT, capacity, rows);
}

/* Keys and values of all decoder blocks of what the encoder says. */
static void keep_text(struct net *n, struct text *t, size_t rows)
{
    const struct weights_stack *d = &n->w->stack[DECODER];
    size_t size = rows * n->inner;
    int i;

    if (rows > t->cap) {
        free(t->key);
        free(t->value);
        t->key = floats(size, (size_t)d->n_block);
        t->value = floats(size, (size_t)d->n_block);
        t->cap = rows;
    }
    t->n = rows;
    for (i = 0; i < d->n_block; i++) {
        const struct weights_attend *a = &d->block[i].cross;

        product(BY_TEXT, t->key + (size_t)i * size, n->encoder.normed, &a->k, rows, n->width,
                n->inner);
        product(BY_TEXT, t->value + (size_t)i * size, n->encoder.normed, &a->v, rows, n->width,
                n->inner);
    }
}

static void embed(const struct net *n, float *x, const int32_t *id, size_t rows)
{
    const float *from;
    size_t i;

    for (i = 0; i < rows; i++, x += n->width) {
        from = matrix_floats(&n->w->embedding, (size_t)id[i] * n->width, n->width, x);
        if (from != x)
            memcpy(x, from, n->width * sizeof(*x));
    }
}

void net_encode(struct net *n, int text, const int32_t *id, size_t n_id, int capacity)
{
    const struct config *c = &n->w->c;
    const struct weights_stack *e = &n->w->stack[ENCODER];
    struct relpos relpos = { c->n_bucket, c->max_distance, 1 };
    struct work *w = &n->encoder;
    int i;

    assert(text >= 0 && text < n->n_text && n_id > 0 && n_id <= ATTENTION_KEY_MAX);
    work_need(n, w, n_id, 1);
    relpos_forward(&relpos, e->relpos, (int)n->n_head, (int)n_id, (int)n_id, w->bias);
    embed(n, w->x, id, n_id);
    for (i = 0; i < e->n_block; i++)
        encoder_block(n, &e->block[i], n_id, capacity);
    norm(n, w, e->final_norm, n_id);
    keep_text(n, &n->text[text], n_id);
}

/* One head of one row over n keys: scores become probabilities, out their mean value. at(i) is
 * where key i lies: row origin[i] of step i, or row i of the text. */
struct look {
    const float *query;          // [D]
    const float *const *kept;    // self: keys of step i begin at kept[i] + offset
    size_t offset, to_value;     // values begin so far behind the keys
    const int32_t *origin;
    const float *key, *value;    // cross
    size_t n, inner, d_kv;
    float *score;
    float *out;    // [D]
};

static const float *key_at(const struct look *l, size_t i)
{
    return l->kept ? l->kept[i] + l->offset + (size_t)l->origin[i] * l->inner
                   : l->key + i * l->inner;
}

static const float *value_at(const struct look *l, size_t i)
{
    return l->kept ? key_at(l, i) + l->to_value : l->value + i * l->inner;
}

static void look_run(const struct look *l, const float *bias)
{
    float sum;
    size_t i;

    for (i = 0; i < l->n; i++)
        l->score[i] = kern.dot(l->query, key_at(l, i), l->d_kv) + (bias ? bias[l->n - 1 - i] : 0);
    sum = kern.exp_shift(l->score, kern.max(l->score, l->n), l->n);
    memset(l->out, 0, l->d_kv * sizeof(*l->out));
    for (i = 0; i < l->n; i++)
        kern.axpy(l->out, l->score[i], value_at(l, i), l->d_kv);
    kern.scale(l->out, 1 / sum, l->d_kv);
}

/* Attention of all rows to what was kept (self), or to their texts. */
static void attend(struct net *n, int block, int self, size_t rows, const int32_t *text)
{
    size_t unit, inner = n->inner, size = (size_t)n->n_row * inner;

#pragma omp parallel for schedule(static) if (rows * inner > SMALL)
    for (unit = 0; unit < rows * n->n_head; unit++) {
        size_t row = unit / n->n_head, head = unit % n->n_head, at = head * n->d_kv;
        struct look l = { .query = n->decoder.query + row * inner + at,
                          .inner = inner,
                          .d_kv = n->d_kv,
                          .score = n->scores + unit * n->longest,
                          .out = n->decoder.mixed + row * inner + at };

        if (self) {
            l.kept = (const float *const *)n->kept;
            l.offset = (size_t)block * 2 * size + at;
            l.to_value = size;
            l.origin = n->origin + row * (size_t)n->length;
            l.n = (size_t)n->t + 1;
            look_run(&l, n->bias + head * (size_t)n->length);
        } else {
            const struct text *of = &n->text[text[row]];

            l.key = of->key + (size_t)block * of->n * inner + at;
            l.value = of->value + (size_t)block * of->n * inner + at;
            l.n = of->n;
            look_run(&l, NULL);
        }
    }
}

static void decoder_block(struct net *n, int block, size_t rows, const int32_t *text)
{
    const struct weights_block *b = &n->w->stack[DECODER].block[block];
    struct work *w = &n->decoder;
    size_t size = (size_t)n->n_row * n->inner;
    float *kept = n->kept[n->t] + (size_t)block * 2 * size;

    norm(n, w, b->norm[0], rows);
    project(n, w, b, BY_ROWS, 0, rows, kept, kept + size);
    attend(n, block, 1, rows, text);
    product(BY_ROWS, w->y, w->mixed, &b->self.o, rows, n->inner, n->width);
    residual(n, w, rows);
    norm(n, w, b->norm[1], rows);
    product(BY_ROWS, w->query, w->normed, &b->cross.q, rows, n->width, n->inner);
    attend(n, block, 0, rows, text);
    product(BY_ROWS, w->y, w->mixed, &b->cross.o, rows, n->inner, n->width);
    residual(n, w, rows);
    feed_block(n, w, b, b->norm[2], BY_ROWS, 0, rows);
}

/* Where each row's keys of earlier steps lie: where its parent's do. */
static void descend(struct net *n, size_t rows, const int32_t *parent)
{
    int32_t *swap = n->origin;
    size_t i, length = (size_t)n->length;

    n->origin = n->before;
    n->before = swap;
    for (i = 0; i < rows; i++) {
        if (n->t > 0)
            memcpy(n->origin + i * length, n->before + (size_t)parent[i] * length,
                   (size_t)n->t * sizeof(*n->origin));
        n->origin[i * length + (size_t)n->t] = (int32_t)i;
    }
}

/* Scores for the rows to come, whose texts may be longer than any so far. */
static void need_scores(struct net *n, size_t rows, const int32_t *text)
{
    size_t i, longest = (size_t)n->length;

    for (i = 0; i < rows; i++)
        if (n->text[text[i]].n > longest)
            longest = n->text[text[i]].n;
    if (longest <= n->longest)
        return;
    free(n->scores);
    n->scores = floats((size_t)n->n_row * n->n_head, longest);
    n->longest = longest;
}

float *net_step(struct net *n, int n_row, const int32_t *id, const int32_t *text,
                const int32_t *parent)
{
    const struct weights_stack *d = &n->w->stack[DECODER];
    struct work *w = &n->decoder;
    size_t rows = (size_t)n_row;
    int i;

    assert(n_row > 0 && n_row <= n->n_row && n->t < n->length);
    if (!n->kept[n->t])
        n->kept[n->t] = floats((size_t)d->n_block * 2 * (size_t)n->n_row, n->inner);
    need_scores(n, rows, text);
    descend(n, rows, parent);
    embed(n, w->x, id, rows);
    for (i = 0; i < d->n_block; i++)
        decoder_block(n, i, rows, text);
    norm(n, w, d->final_norm, rows);
    if (n->w->c.tied)
        for (i = 0; i < n_row; i++)
            kern.scale(w->normed + (size_t)i * n->width, 1 / sqrtf((float)n->width), n->width);
    product(BY_ROWS, n->logits, w->normed, &n->w->head, rows, n->width, (size_t)n->w->c.n_vocab);
    n->t++;
    return n->logits;
}

void net_begin_steps(struct net *n)
{
    n->t = 0;
}

/* The decoder's bias depends on how far back a key lies. */
static void lay_bias(struct net *n)
{
    const struct config *c = &n->w->c;
    struct relpos relpos = { c->n_bucket, c->max_distance, 0 };
    int h, back;

    for (h = 0; h < c->n_head; h++)
        for (back = 0; back < n->length; back++)
            n->bias[(size_t)h * (size_t)n->length + (size_t)back] =
                n->w->stack[DECODER].relpos[relpos_bucket(&relpos, -back) * c->n_head + h];
}

struct net *net_new(const struct weights *w, int n_text, int n_row, int length)
{
    struct net *n = xcalloc(1, sizeof(*n));

    n->w = w;
    n->width = (size_t)w->c.d_model;
    n->n_head = (size_t)w->c.n_head;
    n->d_kv = (size_t)w->c.d_kv;
    n->inner = n->n_head * n->d_kv;
    n->n_text = n_text;
    n->n_row = n_row;
    n->length = length;
    n->text = xcalloc((size_t)n_text, sizeof(*n->text));
    n->kept = xcalloc((size_t)length, sizeof(*n->kept));
    n->origin = xcalloc((size_t)n_row * (size_t)length, sizeof(*n->origin));
    n->before = xcalloc((size_t)n_row * (size_t)length, sizeof(*n->before));
    n->bias = floats(n->n_head, (size_t)length);
    n->logits = floats((size_t)n_row, (size_t)w->c.n_vocab);
    work_need(n, &n->decoder, (size_t)n_row, 0);
    lay_bias(n);
    return n;
}

void net_free(struct net *n)
{
    int i;

    if (!n)
        return;
    for (i = 0; i < n->n_text; i++) {
        free(n->text[i].key);
        free(n->text[i].value);
    }
    for (i = 0; i < n->length; i++)
        free(n->kept[i]);
    work_release(&n->encoder);
    work_release(&n->decoder);
    free(n->text);
    free(n->kept);
    free(n->origin);
    free(n->before);
    free(n->scores);
    free(n->bias);
    free(n->logits);
    free(n);
}

int net_vocab(const struct net *n)
{
    return n->w->c.n_vocab;
}

int net_length(const struct net *n)
{
    return n->length;
}

int net_texts(const struct net *n)
{
    return n->n_text;
}

int net_n_row(const struct net *n)
{
    return n->n_row;
}
