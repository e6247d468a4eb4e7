/* adafactor.c - see adafactor.h.
 *
 * Sums are in double: along a row in LANES interleaved parts, over rows in order; those over
 * columns in CHUNKS runs of rows, then run by run. The runs depend on the number of rows only,
 * whatever thread takes them.
 *
 * Experts are many tensors of a few megabytes: a thread takes one from first to last, so that it
 * meets again in the cache what it has just read. What is larger, or sliced and so in need of the
 * other ranks, all threads work on together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "optim/adafactor.h"
#include "shape/params.h"
#include "shape/slice.h"

enum { CHUNKS = 16, LANES = 8 };
enum { LARGE = 1 << 22 };    // numbers of a tensor for all threads
enum { AT_ONCE = 32 };       // rows
#define TINY 1e-30f
#define SCALE_MIN 1e-3
#define CLIP 1.0

struct adafactor_work {        // of a thread, for the largest tensor
    double *uu, *ww;           // [rows] sums along rows
    double *part;              // [CHUNKS, cols] sums along columns
    float *by_row, *by_col;    // what multiplies g: [rows], [cols]
};

static size_t n_row(const struct param *p)
{
    return p->n_dim == 2 ? (size_t)p->dim[0] : 1;
}

static size_t n_col(const struct param *p)
{
    return p->n / n_row(p);
}

static int is_large(const struct param *p)
{
    return p->n > LARGE || slice_is_part(p);
}

static void work_init(struct adafactor_work *w, size_t rows, size_t cols)
{
    w->uu = xcalloc(rows, sizeof(*w->uu));
    w->ww = xcalloc(rows, sizeof(*w->ww));
    w->part = xcalloc(CHUNKS * cols, sizeof(*w->part));
    w->by_row = xcalloc(rows, sizeof(*w->by_row));
    w->by_col = xcalloc(cols, sizeof(*w->by_col));
}

/* For the largest tensor that is one thread's, and the first thread's for the largest of all. */
static void add_work(struct adafactor *a, const struct params *params, const unsigned char *own)
{
    size_t rows[2] = { 0 }, cols[2] = { 0 }, i;
    int k, t, n = 1;

#ifdef _OPENMP
    n = omp_get_max_threads();
#endif
    for (i = 0; i < params->n; i++) {
        const struct param *p = &params->p[i];

        for (k = is_large(p); k < 2 && (!own || own[i]); k++) {
            rows[k] = n_row(p) > rows[k] ? n_row(p) : rows[k];
            if (adafactor_is_factored(&a->rule, p))
                cols[k] = n_col(p) > cols[k] ? n_col(p) : cols[k];
        }
    }
    a->n_work = n;
    a->work = xcalloc((size_t)n, sizeof(*a->work));
    for (t = 0; t < n; t++)
        work_init(&a->work[t], rows[t == 0], cols[t == 0]);
}

struct adafactor *adafactor_new_of(const struct params *params, const struct adafactor_rule *rule,
                                   const unsigned char *own)
{
    struct adafactor *a = xcalloc(1, sizeof(*a));
    double *sum;
    size_t i;
    float *at;

    a->rule = *rule;
    for (i = 0; i < params->n; i++)
        if (!own || own[i]) {
            size_t n = adafactor_slots(rule, &params->p[i]);

            a->size += n;
            a->n_sum += adafactor_is_factored(rule, &params->p[i]) ? n : 0;
        }
    add_work(a, params, own);
    at = a->data = mem_map(a->size * sizeof(float));
    sum = a->sum = mem_map(a->n_sum * sizeof(*sum));
    a->slot = xcalloc(params->n, sizeof(*a->slot));
    for (i = 0; i < params->n; i++) {
        const struct param *p = &params->p[i];
        struct adafactor_slot *s = &a->slot[i];

        if (own && !own[i])
            continue;
        if (adafactor_is_factored(rule, p)) {
            *s = (struct adafactor_slot){ .row = at, .col = at + n_row(p), .sum = sum, .ww = -1 };
            sum += adafactor_slots(rule, p);
        } else {
            s->v = at;
        }
        at += adafactor_slots(rule, p);
    }
    return a;
}

struct adafactor *adafactor_new(const struct params *params, const struct adafactor_rule *rule)
{
    return adafactor_new_of(params, rule, NULL);
}

static double lanes_sum(const double *lane)
{
    double sum = 0;
    int k;

    for (k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

/* v moves towards g^2; sums of (g v^-1/2)^2 and of w^2 along a row. */
static void row_move(const float *g, const float *w, float *v, double beta, size_t n, double *uu,
                     double *ww)
{
    double lane_u[LANES] = { 0 }, lane_w[LANES] = { 0 };
    float keep = (float)beta, take = (float)(1 - beta);
    size_t j;

    for (j = 0; j < n; j++) {
        float u;

        v[j] = keep * v[j] + take * (g[j] * g[j] + TINY);
        u = g[j] / sqrtf(v[j]);
        lane_u[j % LANES] += (double)u * (double)u;
        lane_w[j % LANES] += (double)w[j] * (double)w[j];
    }
    *uu = lanes_sum(lane_u);
    *ww = lanes_sum(lane_w);
}

/* Sums over a sliced tensor become those over the whole. */
static void join(const struct adafactor *a, const struct param *p, double *x, size_t n)
{
    if (slice_is_part(p))
        comm_sum_f64(a->slices, x, n);
}

/* over rows in order */
static double sum_rows(const struct param *p, const double *row)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n_row(p); i++)
        sum += row[i];
    return sum;
}

/* What multiplies u: lr, the scale of the parameters, and the clipping of u to RMS 1. */
static float step_size(const struct adafactor *a, const struct param *p, double uu, double ww,
                       double lr)
{
    double sum[2] = { uu, ww }, n = (double)slice_size(p), scale;

    join(a, p, sum, 2);
    scale = a->rule.no_scale ? 1.0 : fmax(SCALE_MIN, sqrt(sum[1] / n));
    return (float)(lr * scale / fmax(1.0, sqrt(sum[0] / n) / CLIP));
}

/* Sums of g^2 along rows and along columns; returns that of all. */
static double look_factored(const struct param *p, const struct adafactor_slot *s,
                            struct adafactor_work *k)
{
    size_t rows = n_row(p), cols = n_col(p), i, j, c;
    double *along = s->sum, *down = s->sum + rows, sum;

#pragma omp parallel for schedule(static) private(i)
    for (c = 0; c < CHUNKS; c++) {
        memset(k->part + c * cols, 0, cols * sizeof(*k->part));
        i = rows * c / CHUNKS;
        kern.ada_squares(p->g + i * cols, rows * (c + 1) / CHUNKS - i, cols, along + i,
                         k->part + c * cols);
    }
    memset(down, 0, cols * sizeof(*down));
    for (c = 0; c < CHUNKS; c++)
        for (j = 0; j < cols; j++)
            down[j] += k->part[c * cols + j];
    sum = sum_rows(p, along) - (double)TINY * (double)p->n;
    return sum < 0 ? 0 : sum;    // NaN stays
}

/* R and C move towards the means of g^2. */
static void move_factors(const struct adafactor *a, const struct param *p,
                         const struct adafactor_slot *s, double beta)
{
    double whole_rows = (double)slice_dim(p, 0), whole_cols = (double)slice_dim(p, 1);
    size_t rows = n_row(p), cols = n_col(p), i, j;
    double *along = s->sum, *down = s->sum + rows;

    if (p->axis == 0)
        join(a, p, down, cols);
    else
        join(a, p, along, rows);
    for (i = 0; i < rows; i++)
        s->row[i] = (float)(beta * s->row[i] + (1 - beta) * along[i] / whole_cols);
    for (j = 0; j < cols; j++)
        s->col[j] = (float)(beta * s->col[j] + (1 - beta) * down[j] / whole_rows);
}

static size_t few(size_t rows)
{
    return rows < AT_ONCE ? rows : AT_ONCE;
}

/* sum [rows] of (x a b)^2 along rows of x, shaped as p. */
static void sums_of(const float *x, const float *a, const float *b, const struct param *p,
                    double *sum)
{
    size_t rows = n_row(p), cols = n_col(p), i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i += AT_ONCE)
        kern.ada_moments(x + i * cols, a ? a + i : NULL, b, few(rows - i), cols, sum + i);
}

/* u = g (R / mean R)^-1/2 C^-1/2 */
static void update_factored(const struct adafactor *a, struct param *p, struct adafactor_slot *s,
                            struct adafactor_work *k, double beta, double lr)
{
    size_t rows = n_row(p), cols = n_col(p), i, j;
    double mean = 0;
    float step;

    move_factors(a, p, s, beta);
    for (i = 0; i < rows; i++)
        mean += s->row[i] / (double)slice_dim(p, 0);
    if (p->axis == 0)
        join(a, p, &mean, 1);
    for (i = 0; i < rows; i++)
        k->by_row[i] = (float)(1.0 / sqrt(s->row[i] / mean));
    for (j = 0; j < cols; j++)
        k->by_col[j] = (float)(1.0 / sqrt(s->col[j]));
    sums_of(p->g, k->by_row, k->by_col, p, k->uu);
    if (s->ww < 0) {
        sums_of(p->w, NULL, NULL, p, k->ww);
        s->ww = sum_rows(p, k->ww);
    }
    step = step_size(a, p, sum_rows(p, k->uu), s->ww, lr);
#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i += AT_ONCE)
        kern.ada_step(p->w + i * cols, p->half ? p->half + i * cols : NULL, step, p->g + i * cols,
                      k->by_row + i, k->by_col, few(rows - i), cols, k->ww + i);
    s->ww = sum_rows(p, k->ww);
}

/* u = g v^-1/2 */
static void update_whole(const struct adafactor *a, struct param *p, const struct adafactor_slot *s,
                         struct adafactor_work *k, double beta, double lr)
{
    size_t rows = n_row(p), cols = n_col(p), i, j;
    float step;

#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i++)
        row_move(p->g + i * cols, p->w + i * cols, s->v + i * cols, beta, cols, &k->uu[i],
                 &k->ww[i]);
    step = step_size(a, p, sum_rows(p, k->uu), sum_rows(p, k->ww), lr);
#pragma omp parallel for schedule(static)
    for (j = 0; j < p->n; j++)
        p->w[j] -= step * (p->g[j] / sqrtf(s->v[j]));
    if (p->half)
        kern.half(p->half, p->w, p->n);
}

/* What is done with each of some tensors. */
struct work {
    struct adafactor *a;
    struct params *params;
    void (*one)(const struct work *w, size_t i, struct adafactor_work *k);
    double *squares;    // of looking
    double beta, lr;    // of an update
};

static int is_ours(const struct adafactor *a, size_t i)
{
    return a->slot[i].v || a->slot[i].row;
}

static void on_each(const struct work *w, size_t first, size_t end)
{
    struct adafactor *a = w->a;
    size_t i;

    for (i = first; i < end; i++)
        if (is_ours(a, i) && is_large(&w->params->p[i]))
            w->one(w, i, &a->work[0]);
#pragma omp parallel for schedule(dynamic) num_threads(a->n_work)
    for (i = first; i < end; i++) {
        int me = 0;

#ifdef _OPENMP
        me = omp_get_thread_num();
#endif
        if (is_ours(a, i) && !is_large(&w->params->p[i]))
            w->one(w, i, &a->work[me]);
    }
}

static void look(const struct work *w, size_t i, struct adafactor_work *k)
{
    const struct param *p = &w->params->p[i];
    const struct adafactor_slot *s = &w->a->slot[i];

    w->squares[i] = s->row ? look_factored(p, s, k) : (double)kern.sum_squares(p->g, p->n);
}

void adafactor_look(struct adafactor *a, struct params *params, double *squares)
{
    struct work w = { .a = a, .params = params, .one = look, .squares = squares };

    memset(squares, 0, params->n * sizeof(*squares));
    on_each(&w, 0, params->n);
}

static void update(const struct work *w, size_t i, struct adafactor_work *k)
{
    struct param *p = &w->params->p[i];
    struct adafactor_slot *s = &w->a->slot[i];

    if (s->v)
        update_whole(w->a, p, s, k, w->beta, w->lr);
    else
        update_factored(w->a, p, s, k, w->beta, w->lr);
}

void adafactor_update(struct adafactor *a, struct params *params, size_t first, size_t end,
                      uint64_t step, double lr)
{
    struct work w = { .a = a, .params = params, .one = update, .lr = lr };

    w.beta = 1.0 - pow(fmax(0.0, (double)step - a->rule.offset) + 1.0, -0.8);
    on_each(&w, first, end);
}

void adafactor_forget(struct adafactor *a, const struct params *params)
{
    size_t i;

    for (i = 0; i < params->n; i++)
        a->slot[i].ww = -1;
}

void adafactor_free(struct adafactor *a)
{
    int t;

    if (!a)
        return;
    mem_unmap(a->data, a->size * sizeof(float));
    mem_unmap(a->sum, a->n_sum * sizeof(*a->sum));
    free(a->slot);
    for (t = 0; t < a->n_work; t++) {
        free(a->work[t].uu);
        free(a->work[t].ww);
        free(a->work[t].part);
        free(a->work[t].by_row);
        free(a->work[t].by_col);
    }
    free(a->work);
    free(a);
}
