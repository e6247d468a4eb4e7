/* attention.c - see attention.h.
 *
 * A (row, head) is done in panels: some queries of one segment against the keys between the
 * first and the last they may see. Everything outside is zero without being computed, so
 * padding, packing and causality save time. A panel fits the second-level cache.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "nn/attention.h"
#include "nn/dropout.h"
#include "nn/gemm.h"

enum { PANEL = ATTENTION_KEY_MAX };    // scores a panel

struct head {    // one head of one row
    const struct attention *a;
    int row, head;
    size_t width;                         // of q, k, v, o: H D
    size_t n_key;                         // T
    size_t at_query, at_key, at_probs;    // offsets of [S, H D], [T, H D], [S, T]
    const int32_t *segment_q, *segment_k;
};

struct panel {
    int i, end;    // queries
    int lo, hi;    // keys
    int solid;     // all keys in [lo, hi) are of the segment
    int32_t segment;
};

static struct head head_at(const struct attention *a, int row, int h)
{
    size_t width = (size_t)a->n_head * a->d_kv, n_query = a->n_query, n_key = a->n_key;

    return (struct head){
        .a = a,
        .row = row,
        .head = h,
        .width = width,
        .n_key = n_key,
        .at_query = row * n_query * width + (size_t)h * a->d_kv,
        .at_key = row * n_key * width + (size_t)h * a->d_kv,
        .at_probs = ((size_t)row * a->n_head + h) * n_query * n_key,
        .segment_q = a->segment_q + row * n_query,
        .segment_k = a->segment_k + row * n_key,
    };
}

/* The keys of segment: from p->lo to before p->hi. */
static void find_keys(const struct head *h, int32_t segment, struct panel *p)
{
    int j, n = 0;

    p->segment = segment;
    p->lo = p->hi = 0;
    for (j = 0; segment != 0 && j < h->a->n_key; j++) {
        if (h->segment_k[j] != segment)
            continue;
        if (n++ == 0)
            p->lo = j;
        p->hi = j + 1;
    }
    p->solid = n == p->hi - p->lo;
}

/* The panel that starts at query i; known holds the keys of the segment looked up last. */
static struct panel panel_at(const struct head *h, int i, struct panel *known)
{
    int32_t segment = h->segment_q[i];
    struct panel p;
    int most;

    if (segment != known->segment)
        find_keys(h, segment, known);
    p = *known;
    most = p.hi > p.lo ? PANEL / (p.hi - p.lo) : h->a->n_query;
    p.i = i;
    for (p.end = i + 1; p.end < h->a->n_query && p.end - i < most; p.end++)
        if (h->segment_q[p.end] != segment)
            break;
    if (h->a->causal && p.hi > p.end)
        p.hi = p.end > p.lo ? p.end : p.lo;
    return p;
}

static const struct panel nothing_known;    // segment 0: no keys

/* Keys of other segments among the n at lo become invisible; returns how many are left. */
static size_t hide(const struct head *h, const struct panel *p, size_t n, float *x)
{
    size_t j, seen = 0;

    for (j = 0; j < n; j++)
        if (h->segment_k[p->lo + j] == p->segment)
            seen++;
        else
            x[j] = -INFINITY;
    return seen;
}

/* Scores x[hi - lo] of query i become probabilities, zero at keys it does not see, and are also
 * laid into its row of probs [T]. */
static void softmax(const struct head *h, const struct panel *p, int i, const float *bias, float *x,
                    float *probs)
{
    size_t n = p->hi - p->lo, see = n;    // keys up to query i
    float sum;

    if (h->a->causal && i < p->hi)
        see = i + 1 > p->lo ? (size_t)(i + 1 - p->lo) : 0;
    if (bias)
        kern.add(x, bias + p->lo, see);
    if (!p->solid && hide(h, p, see, x) == 0)
        see = 0;
    if (see > 0) {
        sum = kern.exp_shift(x, kern.max(x, see), see);
        kern.scale(x, 1 / sum, see);
    }
    memset(x + see, 0, (n - see) * sizeof(*x));
    memset(probs, 0, p->lo * sizeof(*x));
    memcpy(probs + p->lo, x, n * sizeof(*x));
    memset(probs + p->hi, 0, (h->n_key - p->hi) * sizeof(*x));
}

/* f[hi - lo]: the dropout factors of query i's probabilities. */
static void factors(const struct head *h, const struct panel *p, int i, float *f)
{
    uint64_t head = h->a->head_first + (uint64_t)h->head;

    dropout_factors(h->a->drop, h->a->number[h->row], i, head * h->n_key + p->lo, p->hi - p->lo, f);
}

static int dropping(const struct attention *a)
{
    return a->drop && a->drop->rate > 0;
}

/* Rows x[hi - lo] of the panel's queries times the dropout factors; y, if any, likewise. */
static void drop_panel(const struct head *h, const struct panel *p, float *x, float *y)
{
    size_t n = p->hi - p->lo;
    float f[PANEL];
    int i;

    for (i = p->i; i < p->end; i++, x += n) {
        if (i == p->i || h->a->drop->per_element)
            factors(h, p, i, f);
        kern.mul(x, 1, x, f, n);
        if (y)
            kern.mul(y + (i - p->i) * n, 1, y + (i - p->i) * n, f, n);
    }
}

static void zero(float *x, size_t rows, size_t n, size_t ld)
{
    size_t i;

    for (i = 0; i < rows; i++)
        memset(x + i * ld, 0, n * sizeof(*x));
}

static void forward_panel(const struct head *h, const struct panel *p, const float *q,
                          const float *k, const float *v, const float *bias, float *probs, float *o)
{
    size_t rows = p->end - p->i, n = p->hi - p->lo, d = h->a->d_kv, w = h->width, ld = h->n_key;
    size_t keys = h->at_key + p->lo * w;
    float x[PANEL];    // [rows, n]
    int i;

    gemm_nt(rows, n, d, q, w, k + keys, w, 0, x, n);
    for (i = p->i; h->n_key > 0 && i < p->end; i++)
        softmax(h, p, i, bias ? bias + i * ld : NULL, x + (i - p->i) * n, probs + i * ld);
    if (dropping(h->a))
        drop_panel(h, p, x, NULL);
    gemm_nn(rows, d, n, x, n, v + keys, w, 0, o, w);
}

void attention_forward(const struct attention *a, const float *q, const float *k, const float *v,
                       const float *bias, float *probs, float *o)
{
    int unit;

    assert(a->n_key <= ATTENTION_KEY_MAX);
#pragma omp parallel for schedule(static)
    for (unit = 0; unit < a->n_row * a->n_head; unit++) {
        struct head h = head_at(a, unit / a->n_head, unit % a->n_head);
        struct panel known = nothing_known, p;
        int i;

        for (i = 0; i < a->n_query; i = p.end) {
            size_t at = h.at_query + i * h.width;

            p = panel_at(&h, i, &known);
            forward_panel(&h, &p, q + at, k, v,
                          bias ? bias + h.head * (size_t)a->n_query * h.n_key : NULL,
                          probs + h.at_probs, o + at);
        }
    }
}

struct grads {
    float *q, *k, *v, *bias;
};

static void backward_panel(const struct head *h, const struct panel *p, const float *q,
                           const float *k, const float *v, const float *probs, const float *d_o,
                           const struct grads *g)
{
    size_t rows = p->end - p->i, n = p->hi - p->lo, d = h->a->d_kv, w = h->width, ld = h->n_key;
    size_t keys = h->at_key + p->lo * w, i;
    float ds[PANEL], hot[PANEL];    // [rows, n]; hot: the probabilities as they met the values
    const float *x = probs + p->i * ld + p->lo;

    for (i = 0; i < rows; i++)
        memcpy(hot + i * n, x + i * ld, n * sizeof(*x));
    gemm_nt(rows, n, d, d_o, w, v + keys, w, 0, ds, n);
    if (dropping(h->a))
        drop_panel(h, p, hot, ds);
    gemm_tn(n, d, rows, hot, n, d_o, w, 1, g->v + keys, w);
    for (i = 0; i < rows; i++) {
        float s = kern.dot(x + i * ld, ds + i * n, n);

        kern.softmax_back(ds + i * n, x + i * ld, s, n);
        if (g->bias)
            kern.add(g->bias + (p->i + i) * ld + p->lo, ds + i * n, n);
    }
    gemm_nn(rows, d, n, ds, n, k + keys, w, 0, g->q, w);
    gemm_tn(n, d, rows, ds, n, q, w, 1, g->k + keys, w);
}

static void backward_head(const struct head *h, const float *q, const float *k, const float *v,
                          const float *probs, const float *d_o, struct grads g)
{
    struct panel known = nothing_known, p;
    float *dq = g.q;
    int i;

    zero(g.k + h->at_key, h->n_key, h->a->d_kv, h->width);
    zero(g.v + h->at_key, h->n_key, h->a->d_kv, h->width);
    if (g.bias)
        g.bias += h->head * (size_t)h->a->n_query * h->n_key;
    for (i = 0; i < h->a->n_query; i = p.end) {
        size_t at = h->at_query + i * h->width;

        p = panel_at(h, i, &known);
        g.q = dq + at;
        backward_panel(h, &p, q + at, k, v, probs + h->at_probs, d_o + at, &g);
    }
}

/* Rows add to dbias in their order: where there is one, a thread does all rows of a head. */
void attention_backward(const struct attention *a, const float *q, const float *k, const float *v,
                        const float *probs, const float *d_o, float *dq, float *dk, float *dv,
                        float *dbias)
{
    int rows = dbias ? a->n_row : 1, unit;

    assert(a->n_key <= ATTENTION_KEY_MAX);
#pragma omp parallel for schedule(static)
    for (unit = 0; unit < a->n_row * a->n_head / (rows > 0 ? rows : 1); unit++) {
        int row = unit / a->n_head * rows, end = row + rows;

        for (; row < end; row++) {
            struct head h = head_at(a, row, unit % a->n_head);

            backward_head(&h, q, k, v, probs, d_o, (struct grads){ dq, dk, dv, dbias });
        }
    }
}
