/* soft.c - see soft.h.
 *
 * A row is gone through twice, a chunk at a time: for the sums of exponentials, then for the
 * cross-entropy and the gradient. Exponentials are made anew rather than kept: they cost little
 * beside the product that makes a logit.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "nn/soft.h"

enum { CHUNK = 1024 };    // summed in float; the sums of chunks in double

struct row {
    float *x;    // the student's logits, then the gradient
    const float *t;
    double rest;    // log of the teacher's sum outside, -inf: all are told apart
    size_t v;
    float cold;            // 1 / tau
    float x_top, t_top;    // largest of x and t
    double hard, soft;     // sums of exp(x - x_top), exp((x - x_top) / tau)
    double teacher;        // of exp((t - t_top) / tau)
    double outside;        // the part of soft where t is -inf
};

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

static void add_up(struct row *r)
{
    float copy[CHUNK];
    size_t i, j, n;

    r->x_top = kern.max(r->x, r->v);
    r->t_top = kern.max(r->t, r->v);
    for (i = 0; i < r->v; i += n) {
        n = r->v - i < CHUNK ? r->v - i : CHUNK;
        r->teacher += (double)powers(copy, r->t + i, n, r->cold, r->t_top);
        r->hard += (double)powers(copy, r->x + i, n, 1, r->x_top);
        if (r->cold != 1)
            r->soft += (double)powers(copy, r->x + i, n, r->cold, r->x_top);
        for (j = 0; r->rest > -INFINITY && j < n; j++)
            r->outside += is_outside(r->t[i + j]) ? (double)copy[j] : 0;
    }
    if (r->cold == 1)
        r->soft = r->hard;
    r->outside = fmax(r->outside, (double)FLT_MIN);    // where it is lost, as of exp_shift()
}

/* The gradient's weights: of softmax(x), of softmax(x / tau) and of q. */
struct weights {
    double hard, soft, teacher;
};

/* x [n] by its gradient, given q [n]. */
static void turn(const struct row *r, float *x, const float *q, size_t n, const struct weights *w)
{
    float copy[CHUNK];

    if (r->cold == 1) {
        kern.exp_shift(x, r->x_top, n);
        kern.scale(x, (float)(w->hard / r->hard + w->soft / r->soft), n);
    } else {
        powers(copy, x, n, r->cold, r->x_top);
        kern.exp_shift(x, r->x_top, n);
        kern.scale(x, (float)(w->hard / r->hard), n);
        kern.axpy(x, (float)(w->soft / r->soft), copy, n);
    }
    kern.axpy(x, (float)-w->teacher, q, n);
}

/* Among those outside, the teacher's share (q_rest) lies as the student's does. */
static void share_out(const struct row *r, float *q, size_t i, size_t n, double q_rest)
{
    float copy[CHUNK];
    size_t j;

    powers(copy, r->x + i, n, r->cold, r->x_top);
    for (j = 0; j < n; j++)
        if (is_outside(r->t[i + j]))
            q[j] = (float)((double)copy[j] * (q_rest / r->outside));
}

/* Sum of q x / tau over those told apart; with w, x becomes the gradient. */
static double cross(const struct row *r, double q_rest, const struct weights *w)
{
    double norm = (1 - q_rest) / r->teacher, sum = 0;
    float q[CHUNK];
    size_t i, n;

    for (i = 0; i < r->v; i += n) {
        n = r->v - i < CHUNK ? r->v - i : CHUNK;
        powers(q, r->t + i, n, r->cold, r->t_top);
        kern.scale(q, (float)norm, n);
        sum += (double)kern.dot(q, r->x + i, n);
        if (!w)
            continue;
        if (q_rest > 0)
            share_out(r, q, i, n, q_rest);
        turn(r, r->x + i, q, n, w);
    }
    return sum * (double)r->cold;
}

static void one(struct row *r, int32_t target, const struct soft_rule *rule, double scale,
                const struct soft_sums *s, size_t at)
{
    double right = (double)r->x[target], cold = (double)r->cold, rest, q_rest;
    double f = rule->share, log_z, soft_log_z;
    struct weights w;

    add_up(r);
    rest = exp(r->rest - cold * (double)r->t_top);
    q_rest = rest / (r->teacher + rest);
    s->log_z[at] = log_z = (double)r->x_top + log(r->hard);
    s->soft_log_z[at] = soft_log_z = cold * (double)r->x_top + log(r->soft);
    w.teacher = scale * f * rule->tau;
    w.hard = scale * (1 - f) * (1 + 2 * rule->z * log_z);
    w.soft = w.teacher * (1 + 2 * rule->z * soft_log_z);
    s->ce[at] = log_z - right;
    s->soft_ce[at] = soft_log_z - cross(r, q_rest, scale != 0 ? &w : NULL);
    if (q_rest > 0)
        s->soft_ce[at] -= q_rest * (log(r->outside) + cold * (double)r->x_top);
    if (scale != 0)
        r->x[target] -= (float)(scale * (1 - f));
}

void soft_forward(float *logits, const float *teacher, const double *rest, const int32_t *target,
                  size_t n, size_t v, const struct soft_rule *rule, double scale,
                  const struct soft_sums *s)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        struct row r = { .x = logits + i * v, .t = teacher + i * v, .v = v };

        assert(target[i] <= 0 || (size_t)target[i] < v);
        r.rest = rest ? rest[i] : -INFINITY;
        r.cold = (float)(1 / rule->tau);
        if (target[i] > 0) {
            one(&r, target[i], rule, scale, s, i);
            continue;
        }
        s->ce[i] = s->log_z[i] = s->soft_ce[i] = s->soft_log_z[i] = 0;
        if (scale != 0)
            memset(r.x, 0, v * sizeof(*r.x));
    }
}
