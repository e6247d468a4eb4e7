/* relpos.c - see relpos.h.
 *
 * On each side the first half of the buckets holds one distance each, the others grow in even
 * steps of the logarithm up to max_distance, and the last takes all beyond.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/relpos.h"

/* Bucket of distance d >= 0 among n on one side. Exact steps (the distances 16, 32, 64 of T5)
 * belong to the upper bucket, however log rounds; every other distance is further from a step. */
static int side(const struct relpos *r, int n, int d)
{
    int exact = n / 2, more;

    assert(exact > 0 && r->max_distance > exact);
    if (d < exact)
        return d;
    if (d >= r->max_distance)
        return n - 1;
    more =
        (int)(log((double)d / exact) / log((double)r->max_distance / exact) * (n - exact) + 1e-9);
    return exact + more < n ? exact + more : n - 1;
}

int relpos_bucket(const struct relpos *r, int rel)
{
    int half = r->n_bucket / 2;

    if (!r->both)
        return side(r, r->n_bucket, rel < 0 ? -rel : 0);
    return rel > 0 ? half + side(r, half, rel) : side(r, half, -rel);
}

/* Along a diagonal all is the same: a row is the one above moved by one, and a new first. */
void relpos_forward(const struct relpos *r, const float *table, int n_head, int n_query, int n_key,
                    float *bias)
{
    int h;

    if (n_key == 0)
        return;
#pragma omp parallel for schedule(static)
    for (h = 0; h < n_head; h++) {
        float *row = bias + (size_t)h * n_query * n_key;
        int i, j;

        for (j = 0; n_query > 0 && j < n_key; j++)
            row[j] = table[(size_t)relpos_bucket(r, j) * n_head + h];
        for (i = 1; i < n_query; i++, row += n_key) {
            memcpy(row + n_key + 1, row, (n_key - 1) * sizeof(*row));
            row[n_key] = table[(size_t)relpos_bucket(r, -i) * n_head + h];
        }
    }
}

/* Sum over all places of one head with key - query in [from, to). */
static double band(const float *dbias, int n_query, int n_key, int from, int to)
{
    double sum = 0;
    int i, j, end;

    for (i = 0; i < n_query; i++, dbias += n_key) {
        end = i + to < n_key ? i + to : n_key;
        for (j = i + from > 0 ? i + from : 0; j < end; j++)
            sum += dbias[j];
    }
    return sum;
}

void relpos_backward(const struct relpos *r, const float *dbias, int n_head, int n_query, int n_key,
                     float *dtable)
{
    int h;

#pragma omp parallel for schedule(static)
    for (h = 0; h < n_head; h++) {
        int from, to, bucket;

        for (from = 1 - n_query; from < n_key; from = to) {    // neighbours in one bucket
            bucket = relpos_bucket(r, from);
            for (to = from + 1; to < n_key && relpos_bucket(r, to) == bucket; to++)
                ;
            dtable[(size_t)bucket * n_head + h] +=
                (float)band(dbias + (size_t)h * n_query * n_key, n_query, n_key, from, to);
        }
    }
}
