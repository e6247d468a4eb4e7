/* top.c - see top.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/kernel.h"
#include "loss/top.h"

enum { CHUNK = 1024 };    // summed in float; the sums of chunks in double

/* Does a stand before b among the likeliest? */
static int before(const float *x, int32_t a, int32_t b)
{
    return x[a] > x[b] || (x[a] == x[b] && a < b);
}

/* heap [n]: ids, the least likely first. Let the one at place i sink. */
static void sink(int32_t *heap, size_t n, size_t i, const float *x)
{
    int32_t own = heap[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < n && before(x, heap[child], heap[child + 1]))
            child++;
        if (child >= n || before(x, heap[child], own))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = own;
}

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* The k largest of x [v], ids rising; k <= v. */
static void largest(const float *x, size_t v, size_t k, int32_t *id)
{
    size_t i;

    for (i = 0; i < k; i++)
        id[i] = (int32_t)i;
    for (i = k / 2; i-- > 0;)
        sink(id, k, i, x);
    for (i = k; i < v; i++)
        if (x[i] > x[id[0]]) {    // an equal one has a higher id
            id[0] = (int32_t)i;
            sink(id, k, 0, x);
        }
    qsort(id, k, sizeof(*id), by_number);
}

/* log sum exp(x / tau) of all but the k of id, which rise. */
static double others(const float *x, size_t v, const int32_t *id, size_t k, double tau)
{
    float copy[CHUNK], cold = (float)(1 / tau), top = kern.max(x, v) * cold;
    double sum = 0;
    size_t i, n, at = 0;

    for (i = 0; i < v; i += n) {
        n = v - i < CHUNK ? v - i : CHUNK;
        memcpy(copy, x + i, n * sizeof(*x));
        kern.scale(copy, cold, n);
        for (; at < k && (size_t)id[at] < i + n; at++)
            copy[(size_t)id[at] - i] = -INFINITY;
        sum += (double)kern.exp_shift(copy, top, n);
    }
    return (double)top + log(sum);
}

static void one(const float *x, size_t v, size_t k, double tau, int32_t *id, float *logit,
                float *rest)
{
    size_t i;

    if (k == v) {
        for (i = 0; i < v; i++)
            id[i] = (int32_t)i;
        *rest = -INFINITY;
    } else {
        largest(x, v, k, id);
        *rest = (float)others(x, v, id, k, tau);
    }
    for (i = 0; i < k; i++)
        logit[i] = x[id[i]];
}

void top_rows(const float *logits, const int32_t *target, size_t n, size_t v, size_t k, double tau,
              int32_t *id, float *logit, float *rest)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++)
        if (target[i] > 0)
            one(logits + i * v, v, k, tau, id + i * k, logit + i * k, rest + i);
}

/* log sum of exp(x[i]), i < n. */
static double log_sum(const double *x, size_t n)
{
    double top = -INFINITY, sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (i = 0; i < n && top > -INFINITY; i++)
        sum += exp(x[i] - top);
    return top > -INFINITY ? top + log(sum) : top;
}

/* Slices are in the order of their ids, so that places among all candidates rise as ids do. */
void top_merge(const struct top_parts *from, const int32_t *target, size_t n, size_t k, double tau,
               int32_t *id, float *logit, float *rest)
{
    size_t all = from->m * from->k, i, s, j, at, n_other;
    float *x = xcalloc(all, sizeof(*x));
    double *other = xcalloc(all + from->m, sizeof(*other));
    int32_t *place = xcalloc(k, sizeof(*place));

    for (i = 0; i < n; i++) {
        if (target[i] <= 0)
            continue;
        for (s = 0; s < from->m; s++)
            memcpy(x + s * from->k, from->logit + (s * n + i) * from->k, from->k * sizeof(*x));
        largest(x, all, k, place);
        for (s = 0, n_other = 0; s < from->m; s++)
            other[n_other++] = (double)from->rest[s * n + i];
        for (j = 0, at = 0; j < all; j++)
            if (at < k && (size_t)place[at] == j) {
                id[i * k + at] = from->id[(j / from->k * n + i) * from->k + j % from->k];
                logit[i * k + at++] = x[j];
            } else {
                other[n_other++] = (double)x[j] / tau;
            }
        rest[i] = (float)log_sum(other, n_other);
    }
    free(x);
    free(other);
    free(place);
}
