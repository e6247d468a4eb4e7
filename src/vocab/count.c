/* count.c - see count.h. Probabilities of a word are products of doubles; each piece is lifted by a
 * factor for each of its characters, the same for all ways through a word, so that they neither
 * vanish nor grow.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/err.h"
#include "text/trie.h"
#include "vocab/count.h"

enum { BATCH = 4096, EDGES = 1 << 14 };
enum { FIRST_BITS = 4 };    // a guess at the bits of a character
enum { LOG_UNITS = 16 };    // of logarithms

struct edge {    // a piece in a word
    uint32_t from, to, piece;
};

struct hand {    // of a thread
    struct edge *edge;
    size_t n_edge, cap_edge;
    double *alpha, *beta;    // [bytes of a word + 1]
    int32_t *back;           // the best piece that ends here
    uint32_t *way;           // of the last counter_without()
    int64_t *count;          // [n_piece]
    int64_t log_all;         // of all words, by count, in LOG_UNITS-ths
};

struct counter {
    const struct candidates *c;
    const struct word *word;
    size_t n_word, next;    // next: to be taken
    struct trie trie;
    double *p;      // of a piece, lifted
    double lift;    // logarithm, for each character
    struct hand *hand;
    int n_thread;
    int64_t *count;    // [n_piece]
    double bits;       // a character
    int best;          // count the best way only
};

struct batch {
    size_t first, n;
};

int counter_build(struct counter *t, struct err *err)
{
    struct bytes *key = xreallocarray(NULL, t->c->n + 1, sizeof(*key));
    uint32_t *number = xreallocarray(NULL, t->c->n + 1, sizeof(*number));
    size_t i;
    int bad;

    for (i = 0; i < t->c->n; i++) {
        key[i] = t->c->of[i].s;
        number[i] = (uint32_t)i;
    }
    trie_release(&t->trie);
    bad = trie_build(&t->trie, key, number, t->c->n, err);
    free(key);
    free(number);
    return bad;
}

/* All pieces in a word, by where they begin. */
static void find_edges(const struct counter *t, struct hand *h, struct bytes w)
{
    size_t at, to;

    h->n_edge = 0;
    for (at = 0; at < w.n; at++) {
        uint32_t base = t->trie.root;

        if ((w.p[at] & 0xC0) == 0x80)
            continue;
        for (to = at; to < w.n; to++) {
            int32_t piece = trie_step(&t->trie, &base, w.p[to]);

            if (piece < 0)
                break;
            if (piece == TRIE_NONE)
                continue;
            if (h->n_edge == h->cap_edge) {
                h->cap_edge *= 2;
                h->edge = xreallocarray(h->edge, h->cap_edge, sizeof(*h->edge));
            }
            h->edge[h->n_edge++] = (struct edge){ (uint32_t)at, (uint32_t)to + 1, (uint32_t)piece };
        }
    }
}

/* Sums over all ways to and from each place of a word; 0 where they are no numbers to go by. */
static int sum_ways(const struct counter *t, struct hand *h, size_t n)
{
    size_t i;

    memset(h->alpha, 0, (n + 1) * sizeof(*h->alpha));
    memset(h->beta, 0, (n + 1) * sizeof(*h->beta));
    h->alpha[0] = h->beta[n] = 1;
    for (i = 0; i < h->n_edge; i++) {
        const struct edge *e = &h->edge[i];

        h->alpha[e->to] += h->alpha[e->from] * t->p[e->piece];
    }
    for (i = h->n_edge; i-- > 0;) {
        const struct edge *e = &h->edge[i];

        h->beta[e->from] += h->beta[e->to] * t->p[e->piece];
    }
    return h->alpha[n] > 1e-250 && h->alpha[n] < 1e250;
}

/* The same in logarithms, for words that are too unlikely, or too likely, for doubles. */
static double log_add(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;

    return low == -INFINITY ? high : high + log1p(exp(low - high));
}

static void sum_ways_log(const struct counter *t, struct hand *h, size_t n)
{
    size_t i;

    for (i = 0; i <= n; i++)
        h->alpha[i] = h->beta[i] = -INFINITY;
    h->alpha[0] = h->beta[n] = 0;
    for (i = 0; i < h->n_edge; i++) {
        const struct edge *e = &h->edge[i];

        h->alpha[e->to] = log_add(h->alpha[e->to], h->alpha[e->from] + log(t->p[e->piece]));
    }
    for (i = h->n_edge; i-- > 0;) {
        const struct edge *e = &h->edge[i];

        h->beta[e->from] = log_add(h->beta[e->from], h->beta[e->to] + log(t->p[e->piece]));
    }
}

static size_t chars_of(struct bytes w)
{
    size_t i, n = 0;

    for (i = 0; i < w.n; i++)
        n += (w.p[i] & 0xC0) != 0x80;
    return n;
}

/* Add how often each piece is expected in a word that counts `count`. */
static void expect(const struct counter *t, struct hand *h, const struct word *w)
{
    struct bytes s = { w->p, w->n };
    double count = (double)w->count * COUNT_UNITS, all;
    size_t i;

    find_edges(t, h, s);
    if (sum_ways(t, h, s.n)) {
        double scale = count / h->alpha[s.n];

        all = log(h->alpha[s.n]);
        for (i = 0; i < h->n_edge; i++) {
            const struct edge *e = &h->edge[i];

            h->count[e->piece] +=
                llrint(scale * h->alpha[e->from] * t->p[e->piece] * h->beta[e->to]);
        }
    } else {
        sum_ways_log(t, h, s.n);
        all = h->alpha[s.n];
        for (i = 0; i < h->n_edge; i++) {
            const struct edge *e = &h->edge[i];

            h->count[e->piece] +=
                llrint(count * exp(h->alpha[e->from] + log(t->p[e->piece]) + h->beta[e->to] - all));
        }
    }
    all -= t->lift * (double)chars_of(s);
    h->log_all += llrint((double)w->count * all * LOG_UNITS);
}

/* Add the pieces of the likeliest way. alpha holds logarithms. */
static void count_best(const struct counter *t, struct hand *h, const struct word *w)
{
    size_t i, at;

    find_edges(t, h, (struct bytes){ w->p, w->n });
    for (i = 0; i <= w->n; i++)
        h->alpha[i] = -INFINITY;
    h->alpha[0] = 0;
    for (i = 0; i < h->n_edge; i++) {
        const struct edge *e = &h->edge[i];
        double s = h->alpha[e->from] + t->c->of[e->piece].score;

        if (s > h->alpha[e->to]) {
            h->alpha[e->to] = s;
            h->back[e->to] = (int32_t)i;
        }
    }
    for (at = w->n; at > 0; at = h->edge[h->back[at]].from)
        h->count[h->edge[h->back[at]].piece] += (int64_t)w->count;
}

static void *batch_new(void *ctx)
{
    (void)ctx;
    return xcalloc(1, sizeof(struct batch));
}

static void batch_free(void *ctx, void *batch)
{
    (void)ctx;
    free(batch);
}

static int take(void *ctx, void *batch, struct err *err)
{
    struct counter *t = ctx;
    struct batch *b = batch;

    (void)err;
    b->first = t->next;
    b->n = t->n_word - t->next < BATCH ? t->n_word - t->next : BATCH;
    t->next += b->n;
    return b->n > 0;
}

static int work(void *ctx, int thread, void *batch, struct err *err)
{
    struct counter *t = ctx;
    const struct batch *b = batch;
    size_t i;

    (void)err;
    for (i = b->first; i < b->first + b->n; i++) {
        if (t->best)
            count_best(t, &t->hand[thread], &t->word[i]);
        else
            expect(t, &t->hand[thread], &t->word[i]);
    }
    return 0;
}

static int put(void *ctx, void *batch, struct err *err)
{
    (void)ctx, (void)batch, (void)err;
    return 0;
}

/* Over all words: t->count, and the bits a character. */
static int count_all(struct counter *t, int best, struct err *err)
{
    static const struct crew crew = { batch_new, batch_free, take, work, put };
    double chars = 0;
    int64_t log_all = 0;
    size_t i;
    int k, bad;

    t->best = best;
    t->next = 0;
    for (k = 0; k < t->n_thread; k++) {
        t->hand[k].count = xreallocarray(t->hand[k].count, t->c->n + 1, sizeof(int64_t));
        memset(t->hand[k].count, 0, t->c->n * sizeof(int64_t));
        t->hand[k].log_all = 0;
    }
    bad = crew_run(&crew, t, t->n_thread, err);
    memset(t->count, 0, t->c->n * sizeof(*t->count));
    for (k = 0; k < t->n_thread; k++) {
        for (i = 0; i < t->c->n; i++)
            t->count[i] += t->hand[k].count[i];
        log_all += t->hand[k].log_all;
    }
    for (i = 0; i < t->n_word; i++)
        chars += (double)t->word[i].count *
                 (double)chars_of((struct bytes){ t->word[i].p, t->word[i].n });
    if (!best)
        t->bits = chars > 0 ? -(double)log_all / LOG_UNITS / chars / log(2) : 0;
    return bad;
}

/* Probabilities, lifted so that a word's sum stays near 1. */
static void lift(struct counter *t)
{
    size_t i;

    t->lift = t->bits * log(2);
    t->p = xreallocarray(t->p, t->c->n + 1, sizeof(*t->p));
    for (i = 0; i < t->c->n; i++)
        t->p[i] = exp(t->c->of[i].score + t->lift * t->c->of[i].chars);
}

const int64_t *counter_expect(struct counter *t, struct err *err)
{
    lift(t);
    return count_all(t, 0, err) < 0 ? NULL : t->count;
}

const int64_t *counter_best(struct counter *t, struct err *err)
{
    return count_all(t, 1, err) < 0 ? NULL : t->count;
}

double counter_bits(const struct counter *t)
{
    return t->bits;
}

size_t counter_without(struct counter *t, size_t piece, const uint32_t **way, double *score)
{
    struct hand *h = &t->hand[0];
    struct bytes s = t->c->of[piece].s;
    size_t i, at, n = 0;

    find_edges(t, h, s);
    for (i = 0; i <= s.n; i++)
        h->alpha[i] = -INFINITY;
    h->alpha[0] = 0;
    for (i = 0; i < h->n_edge; i++) {
        const struct edge *e = &h->edge[i];
        double x = h->alpha[e->from] + t->c->of[e->piece].score;

        if (e->piece != piece && x > h->alpha[e->to]) {
            h->alpha[e->to] = x;
            h->back[e->to] = (int32_t)i;
        }
    }
    *score = h->alpha[s.n];
    *way = h->way;
    for (at = s.n; at > 0 && *score > -INFINITY; at = h->edge[h->back[at]].from)
        h->way[n++] = h->edge[h->back[at]].piece;
    return n;
}

struct counter *counter_new(const struct candidates *c, const struct corpus *from, int n_thread)
{
    struct counter *t = xcalloc(1, sizeof(*t));
    size_t longest = 0, i;
    int k;

    t->c = c;
    t->n_thread = n_thread;
    t->bits = FIRST_BITS;
    t->word = corpus_words(from, &t->n_word);
    for (i = 0; i < t->n_word; i++)
        longest = t->word[i].n > longest ? t->word[i].n : longest;
    for (i = 0; i < c->n; i++)
        longest = c->of[i].s.n > longest ? c->of[i].s.n : longest;
    t->count = xcalloc(c->n + 1, sizeof(*t->count));
    t->hand = xcalloc((size_t)n_thread, sizeof(*t->hand));
    for (k = 0; k < n_thread; k++) {
        t->hand[k].cap_edge = EDGES;
        t->hand[k].edge = xreallocarray(NULL, EDGES, sizeof(struct edge));
        t->hand[k].alpha = xcalloc(longest + 1, sizeof(double));
        t->hand[k].beta = xcalloc(longest + 1, sizeof(double));
        t->hand[k].back = xcalloc(longest + 1, sizeof(int32_t));
        t->hand[k].way = xcalloc(longest + 1, sizeof(uint32_t));
    }
    return t;
}

void counter_free(struct counter *t)
{
    int k;

    if (!t)
        return;
    for (k = 0; k < t->n_thread; k++) {
        free(t->hand[k].edge);
        free(t->hand[k].alpha);
        free(t->hand[k].beta);
        free(t->hand[k].back);
        free(t->hand[k].way);
        free(t->hand[k].count);
    }
    free(t->hand);
    free(t->count);
    free(t->p);
    trie_release(&t->trie);
    free(t);
}
