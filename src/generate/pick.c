/* pick.c - see pick.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "generate/pick.h"
#include "kernel/kernel.h"

enum { PIECE = 1024 };

double pick_log_sum(const float *logit, size_t n)
{
    float top = kern.max(logit, n), x[PIECE];
    double sum = 0;
    size_t at, some;

    for (at = 0; at < n; at += some) {
        some = n - at < PIECE ? n - at : PIECE;
        memcpy(x, logit + at, some * sizeof(*x));
        sum += (double)kern.exp_shift(x, top, some);
    }
    return (double)top + log(sum);
}

size_t pick_best(const float *logit, size_t n, struct pick *to, size_t most)
{
    size_t n_found = 0, i, k;

    for (i = 0; i < n; i++) {
        if (n_found == most && !(most > 0 && logit[i] > to[most - 1].logit))
            continue;
        if (isnan(logit[i]))
            continue;
        for (k = n_found < most ? n_found++ : most - 1; k > 0 && to[k - 1].logit < logit[i]; k--)
            to[k] = to[k - 1];
        to[k] = (struct pick){ (int32_t)i, logit[i] };
    }
    return n_found;
}

static int by_logit(const void *a, const void *b)
{
    const struct pick *x = a, *y = b;

    if (x->logit != y->logit)
        return x->logit > y->logit ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static double weight(const struct draw *d, float logit, float top)
{
    return exp(((double)logit - (double)top) / d->temperature);
}

/* Ids less likely than (1 - p) / n all together make up less than 1 - p: none of them is needed. */
static size_t likely(const struct draw *d, const float *logit, size_t n, float top,
                     struct pick *work)
{
    double sum = 0, least;
    size_t i, k = 0;

    for (i = 0; i < n; i++)
        sum += isnan(logit[i]) ? 0 : weight(d, logit[i], top);
    least = d->top_k > 0 ? 0 : sum * (1 - d->top_p) / (double)n;
    for (i = 0; i < n; i++)
        if (weight(d, logit[i], top) >= least)
            work[k++] = (struct pick){ (int32_t)i, logit[i] };
    return k;
}

/* The ids to draw among: how many, in work. */
static size_t among(const struct draw *d, const float *logit, size_t n, float top,
                    struct pick *work)
{
    double all = 0, sum = 0;
    size_t i, k;

    if (d->top_k > 0 && d->top_k < n && d->top_k <= PIECE)
        k = pick_best(logit, n, work, d->top_k);
    else {
        k = likely(d, logit, n, top, work);
        if (d->top_p < 1 || (d->top_k > 0 && d->top_k < k))
            qsort(work, k, sizeof(*work), by_logit);
        if (d->top_k > 0 && d->top_k < k)
            k = d->top_k;
    }
    if (d->top_p >= 1)
        return k;
    if (d->top_k > 0)
        for (i = 0; i < k; i++)
            all += weight(d, work[i].logit, top);
    else
        for (i = 0; i < n; i++)
            all += isnan(logit[i]) ? 0 : weight(d, logit[i], top);
    for (i = 0; i < k && (i == 0 || sum < d->top_p * all); i++)
        sum += weight(d, work[i].logit, top);
    return i;
}

int32_t pick_draw(const struct draw *d, const float *logit, size_t n, double u, struct pick *work)
{
    struct pick best = { 0, 0 };
    double sum = 0;
    size_t i, k;

    if (pick_best(logit, n, &best, 1) == 0)
        return 0;
    k = among(d, logit, n, best.logit, work);
    for (i = 0; i < k; i++)
        sum += weight(d, work[i].logit, best.logit);
    u *= sum;
    for (i = 0; i + 1 < k; i++) {
        u -= weight(d, work[i].logit, best.logit);
        if (u < 0)
            break;
    }
    return i < k ? work[i].id : best.id;
}
