/* adafactor.c - see adafactor.h.
 *
 * Sums are in double: along a row in LANES interleaved parts, over rows in order; those over
 * columns in CHUNKS runs of rows, then run by run. The runs depend on the number of rows only,
 * whatever thread takes them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "optim/adafactor.h"
#include "shape/params.h"
#include "shape/slice.h"

enum { CHUNKS = 16, LANES = 8 };
#define TINY 1e-30f
#define SCALE_MIN 1e-3
#define CLIP 1.0

struct adafactor_work {        // for the largest tensor
    double *uu, *ww;           // [rows] sums along rows
    double *part, *sum;        // [CHUNKS, cols], [cols] sums along columns
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

static struct adafactor_work *work_new(size_t rows, size_t cols)
{
    struct adafactor_work *w = xcalloc(1, sizeof(*w));

    w->uu = xcalloc(rows, sizeof(*w->uu));
    w->ww = xcalloc(rows, sizeof(*w->ww));
    w->part = xcalloc(CHUNKS * cols, sizeof(*w->part));
    w->sum = xcalloc(cols, sizeof(*w->sum));
    w->by_row = xcalloc(rows, sizeof(*w->by_row));
    w->by_col = xcalloc(cols, sizeof(*w->by_col));
    return w;
}

struct adafactor *adafactor_new_of(const struct params *params, const struct adafactor_rule *rule,
                                   const unsigned char *own)
{
    struct adafactor *a = xcalloc(1, sizeof(*a));
    size_t i, rows = 0, cols = 0;
    float *at;

    a->rule = *rule;
    for (i = 0; i < params->n; i++) {
        const struct param *p = &params->p[i];

        if (own && !own[i])
            continue;
        a->size += adafactor_slots(rule, p);
        rows = n_row(p) > rows ? n_row(p) : rows;
        cols = adafactor_is_factored(rule, p) && n_col(p) > cols ? n_col(p) : cols;
    }
    a->work = work_new(rows, cols);
    at = a->data = mem_map(a->size * sizeof(float));
    a->slot = xcalloc(params->n, sizeof(*a->slot));
    for (i = 0; i < params->n; i++) {
        const struct param *p = &params->p[i];

        if (own && !own[i])
            continue;
        if (adafactor_is_factored(rule, p)) {
            a->slot[i].row = at;
            a->slot[i].col = at + n_row(p);
        } else {
            a->slot[i].v = at;
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

/* Sums of (g a b[j])^2 and of w^2 along a row. */
static void two_sums(const float *g, const float *w, float a, const float *b, size_t n, double *uu,
                     double *ww)
{
    double sum[2];

    kern.ada_moments(g, w, a, b, n, sum);
    *uu = sum[0];
    *ww = sum[1];
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

/* What multiplies u: lr, the scale of the parameters, and the clipping of u to RMS 1. */
static float step_size(const struct adafactor *a, const struct param *p, double lr)
{
    double sum[2] = { 0, 0 }, n = (double)slice_size(p), scale;
    size_t i;

    for (i = 0; i < n_row(p); i++) {
        sum[0] += a->work->uu[i];
        sum[1] += a->work->ww[i];
    }
    join(a, p, sum, 2);
    scale = a->rule.no_scale ? 1.0 : fmax(SCALE_MIN, sqrt(sum[1] / n));
    return (float)(lr * scale / fmax(1.0, sqrt(sum[0] / n) / CLIP));
}

/* R and C move towards the means of g^2. */
static void move_factors(struct adafactor *a, const struct param *p, const struct adafactor_slot *s,
                         double beta)
{
    struct adafactor_work *k = a->work;
    double whole_rows = (double)slice_dim(p, 0), whole_cols = (double)slice_dim(p, 1);
    size_t rows = n_row(p), cols = n_col(p), i, j, c;

#pragma omp parallel for schedule(static) private(i)
    for (c = 0; c < CHUNKS; c++) {
        memset(k->part + c * cols, 0, cols * sizeof(*k->part));
        for (i = rows * c / CHUNKS; i < rows * (c + 1) / CHUNKS; i++)
            k->uu[i] = kern.ada_squares(p->g + i * cols, cols, k->part + c * cols);
    }
    memset(k->sum, 0, cols * sizeof(*k->sum));
    for (c = 0; c < CHUNKS; c++)
        for (j = 0; j < cols; j++)
            k->sum[j] += k->part[c * cols + j];
    if (p->axis == 0)
        join(a, p, k->sum, cols);
    else
        join(a, p, k->uu, rows);
    for (i = 0; i < rows; i++)
        s->row[i] = (float)(beta * s->row[i] + (1 - beta) * k->uu[i] / whole_cols);
    for (j = 0; j < cols; j++)
        s->col[j] = (float)(beta * s->col[j] + (1 - beta) * k->sum[j] / whole_rows);
}

/* u = g (R / mean R)^-1/2 C^-1/2 */
static void update_factored(struct adafactor *a, struct param *p, const struct adafactor_slot *s,
                            double beta, double lr)
{
    struct adafactor_work *k = a->work;
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
#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i++)
        two_sums(p->g + i * cols, p->w + i * cols, k->by_row[i], k->by_col, cols, &k->uu[i],
                 &k->ww[i]);
    step = step_size(a, p, lr);
#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i++) {
        float *w = p->w + i * cols;

        kern.ada_step(w, step, p->g + i * cols, k->by_row[i], k->by_col, cols);
        if (p->half)    // while the row is in the cache
            kern.half(p->half + i * cols, w, cols);
    }
}

/* u = g v^-1/2 */
static void update_whole(struct adafactor *a, struct param *p, const struct adafactor_slot *s,
                         double beta, double lr)
{
    struct adafactor_work *k = a->work;
    size_t rows = n_row(p), cols = n_col(p), i, j;
    float step;

#pragma omp parallel for schedule(static)
    for (i = 0; i < rows; i++)
        row_move(p->g + i * cols, p->w + i * cols, s->v + i * cols, beta, cols, &k->uu[i],
                 &k->ww[i]);
    step = step_size(a, p, lr);
#pragma omp parallel for schedule(static)
    for (j = 0; j < p->n; j++)
        p->w[j] -= step * (p->g[j] / sqrtf(s->v[j]));
    if (p->half)
        kern.half(p->half, p->w, p->n);
}

void adafactor_update_some(struct adafactor *a, struct params *params, size_t first, size_t end,
                           uint64_t step, double lr)
{
    double t = fmax(0.0, (double)step - a->rule.offset), beta = 1.0 - pow(t + 1.0, -0.8);
    size_t i;

    for (i = first; i < end; i++) {
        if (a->slot[i].v)
            update_whole(a, &params->p[i], &a->slot[i], beta, lr);
        else if (a->slot[i].row)
            update_factored(a, &params->p[i], &a->slot[i], beta, lr);
    }
}

void adafactor_update(struct adafactor *a, struct params *params, uint64_t step, double lr)
{
    adafactor_update_some(a, params, 0, params->n, step, lr);
}

void adafactor_free(struct adafactor *a)
{
    if (!a)
        return;
    mem_unmap(a->data, a->size * sizeof(float));
    free(a->slot);
    free(a->work->uu);
    free(a->work->ww);
    free(a->work->part);
    free(a->work->sum);
    free(a->work->by_row);
    free(a->work->by_col);
    free(a->work);
    free(a);
}
