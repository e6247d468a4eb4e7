/* soft.c - see soft.h.
 *
 * A row is gone through twice, a chunk at a time: for the sums of exponentials, then for the
 * cross-entropy and the gradient. Exponentials are made anew rather than kept: they cost little
 * beside the product that makes a logit. All is written for a slice of the ids; a whole row is a
 * slice whose sums nobody else adds to.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "loss/soft.h"

enum { CHUNK = 1024 };    // summed in float; the sums of chunks in double
enum { X_TOP, T_TOP };    // of SOFT_TOPS: the largest of x and t

/* Of SOFT_SUMS: of exp(x - top), exp((x - top) / tau), exp((t - top) / tau); the part of the second
 * where t is -inf; the logit of the target. */
enum { HARD, SOFT, TEACHER, OUTSIDE, RIGHT };

struct row {
    float *x;    // the student's logits, then the gradient
    const float *t;
    double rest;    // log of the teacher's sum outside, -inf: all are told apart
    size_t v;
    int64_t right;         // place of the target, -1: in another slice
    float cold;            // 1 / tau
    const float *top;      // over all slices
    const double *sums;    // likewise
};

static struct row row_at(const struct soft_slice *s, size_t i)
{
    int64_t right = s->target[i] - (int64_t)s->first;

    return (struct row){ .x = s->logits + i * s->v,
                         .t = s->teacher + i * s->v,
                         .rest = s->rest ? s->rest[i] : -INFINITY,
                         .v = s->v,
                         .right = right >= 0 && right < (int64_t)s->v ? right : -1,
                         .cold = (float)(1 / s->rule.tau) };
}

/* to = exp(cold (x - top)); returns the sum. */
static float powers(float *to, const float *x, size_t n, float cold, float top)
{
    memcpy(to, x, n * sizeof(*x));
    if (cold != 1)
        kern.scale(to, cold, n);
    return kern.exp_shift(to, cold * top, n);
}

static int is_outside(float t)
{
    return t == -INFINITY;
}

static void find_top(const struct row *r, float *top)
{
    top[X_TOP] = kern.max(r->x, r->v);
    top[T_TOP] = kern.max(r->t, r->v);
}

static void add_up(const struct row *r, double *sums)
{
    float copy[CHUNK];
    size_t i, j, n;

    memset(sums, 0, SOFT_SUMS * sizeof(*sums));
    for (i = 0; i < r->v; i += n) {
        n = r->v - i < CHUNK ? r->v - i : CHUNK;
        sums[TEACHER] += (double)powers(copy, r->t + i, n, r->cold, r->top[T_TOP]);
        sums[HARD] += (double)powers(copy, r->x + i, n, 1, r->top[X_TOP]);
        if (r->cold != 1)
            sums[SOFT] += (double)powers(copy, r->x + i, n, r->cold, r->top[X_TOP]);
        for (j = 0; r->rest > -INFINITY && j < n; j++)
            sums[OUTSIDE] += is_outside(r->t[i + j]) ? (double)copy[j] : 0;
    }
    if (r->cold == 1)
        sums[SOFT] = sums[HARD];
    if (r->right >= 0)
        sums[RIGHT] = (double)r->x[r->right];
}

/* The student's sum outside; where it is lost, as of exp_shift(), not 0. */
static double outside(const struct row *r)
{
    return fmax(r->sums[OUTSIDE], (double)FLT_MIN);
}

static double log_z(const struct row *r)
{
    return (double)r->top[X_TOP] + log(r->sums[HARD]);
}

static double soft_log_z(const struct row *r)
{
    return (double)r->cold * (double)r->top[X_TOP] + log(r->sums[SOFT]);
}

/* The teacher's share outside. */
static double share_outside(const struct row *r)
{
    double rest = exp(r->rest - (double)r->cold * (double)r->top[T_TOP]);

    return rest / (r->sums[TEACHER] + rest);
}

/* The gradient's weights: of softmax(x), of softmax(x / tau) and of q. */
struct weights {
    double hard, soft, teacher;
};

static struct weights weigh(const struct row *r, const struct soft_rule *rule, double scale)
{
    struct weights w = { .teacher = scale * rule->share * rule->tau };

    w.hard = scale * (1 - rule->share) * (1 + 2 * rule->z * log_z(r));
    w.soft = w.teacher * (1 + 2 * rule->z * soft_log_z(r));
    return w;
}

/* x [n] by its gradient, given q [n]. */
static void turn(const struct row *r, float *x, const float *q, size_t n, const struct weights *w)
{
    double hard = w->hard / r->sums[HARD], soft = w->soft / r->sums[SOFT];
    float copy[CHUNK];

    if (r->cold == 1) {
        kern.exp_shift(x, r->top[X_TOP], n);
        kern.scale(x, (float)(hard + soft), n);
    } else {
        powers(copy, x, n, r->cold, r->top[X_TOP]);
        kern.exp_shift(x, r->top[X_TOP], n);
        kern.scale(x, (float)hard, n);
        kern.axpy(x, (float)soft, copy, n);
    }
    kern.axpy(x, (float)-w->teacher, q, n);
}

/* Among those outside, the teacher's share (q_rest) lies as the student's does. */
static void share_out(const struct row *r, float *q, size_t i, size_t n, double q_rest)
{
    double each = q_rest / outside(r);
    float copy[CHUNK];
    size_t j;

    powers(copy, r->x + i, n, r->cold, r->top[X_TOP]);
    for (j = 0; j < n; j++)
        if (is_outside(r->t[i + j]))
            q[j] = (float)((double)copy[j] * each);
}

/* Sum of q x / tau over those told apart; when scale is not 0, x becomes the gradient. */
static double cross(const struct row *r, const struct soft_rule *rule, double scale)
{
    double q_rest = share_outside(r), norm = (1 - q_rest) / r->sums[TEACHER], sum = 0;
    struct weights w = weigh(r, rule, scale);
    float q[CHUNK];
    size_t i, n;

    for (i = 0; i < r->v; i += n) {
        n = r->v - i < CHUNK ? r->v - i : CHUNK;
        powers(q, r->t + i, n, r->cold, r->top[T_TOP]);
        kern.scale(q, (float)norm, n);
        sum += (double)kern.dot(q, r->x + i, n);
        if (scale == 0)
            continue;
        if (q_rest > 0)
            share_out(r, q, i, n, q_rest);
        turn(r, r->x + i, q, n, &w);
    }
    if (scale != 0 && r->right >= 0)
        r->x[r->right] -= (float)(scale * (1 - rule->share));
    return sum * (double)r->cold;
}

/* sum: of cross() over all slices. */
static void end(const struct row *r, double sum, const struct soft_sums *to, size_t i)
{
    double q_rest = share_outside(r);

    to->log_z[i] = log_z(r);
    to->soft_log_z[i] = soft_log_z(r);
    to->ce[i] = to->log_z[i] - r->sums[RIGHT];
    to->soft_ce[i] = to->soft_log_z[i] - sum;
    if (q_rest > 0)
        to->soft_ce[i] -= q_rest * (log(outside(r)) + (double)r->cold * (double)r->top[X_TOP]);
}

static void pass_over(const struct soft_sums *to, size_t i)
{
    to->ce[i] = to->log_z[i] = to->soft_ce[i] = to->soft_log_z[i] = 0;
}

void soft_forward(float *logits, const float *teacher, const double *rest, const int32_t *target,
                  size_t n, size_t v, const struct soft_rule *rule, double scale,
                  const struct soft_sums *to)
{
    struct soft_slice s = { logits, teacher, rest, target, 0, v, n, *rule, scale };
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        struct row r = row_at(&s, i);
        double sums[SOFT_SUMS];
        float top[SOFT_TOPS];

        assert(target[i] <= 0 || (size_t)target[i] < v);
        if (target[i] > 0) {
            r.top = top;
            r.sums = sums;
            find_top(&r, top);
            add_up(&r, sums);
            end(&r, cross(&r, rule, scale), to, i);
            continue;
        }
        pass_over(to, i);
        if (scale != 0)
            memset(r.x, 0, v * sizeof(*r.x));
    }
}

void soft_slice_top(const struct soft_slice *s, float *top)
{
    size_t i;

    memset(top, 0, s->n * SOFT_TOPS * sizeof(*top));
#pragma omp parallel for schedule(static)
    for (i = 0; i < s->n; i++) {
        struct row r = row_at(s, i);

        if (s->target[i] > 0)
            find_top(&r, top + i * SOFT_TOPS);
    }
}

void soft_slice_sums(const struct soft_slice *s, const float *top, double *sums)
{
    size_t i;

    memset(sums, 0, s->n * SOFT_SUMS * sizeof(*sums));
#pragma omp parallel for schedule(static)
    for (i = 0; i < s->n; i++) {
        struct row r = row_at(s, i);

        r.top = top + i * SOFT_TOPS;
        if (s->target[i] > 0)
            add_up(&r, sums + i * SOFT_SUMS);
    }
}

void soft_slice_cross(const struct soft_slice *s, const float *top, const double *sums, double *to)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < s->n; i++) {
        struct row r = row_at(s, i);

        r.top = top + i * SOFT_TOPS;
        r.sums = sums + i * SOFT_SUMS;
        to[i] = 0;
        if (s->target[i] > 0)
            to[i] = cross(&r, &s->rule, s->scale);
        else if (s->scale != 0)
            memset(r.x, 0, s->v * sizeof(*r.x));
    }
}

void soft_slice_end(const struct soft_slice *s, const float *top, const double *sums,
                    const double *crosses, const struct soft_sums *to)
{
    size_t i;

    for (i = 0; i < s->n; i++) {
        struct row r = row_at(s, i);

        r.top = top + i * SOFT_TOPS;
        r.sums = sums + i * SOFT_SUMS;
        if (s->target[i] > 0)
            end(&r, crosses[i], to, i);
        else
            pass_over(to, i);
    }
}
