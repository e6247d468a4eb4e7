/* relpos.c - see relpos.h.
 *
 * On each side the first half of the buckets holds one distance each, the others grow in even
 * steps of the logarithm up to max_distance, and the last takes all beyond.
 */
#include <assert.h>
#include <math.h>

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

void relpos_forward(const struct relpos *r, const float *table, int n_head, int n_query, int n_key,
                    float *bias)
{
    int h, rel;

    for (h = 0; n_query > 0 && h < n_head; h++)
        for (rel = 1 - n_query; n_key > 0 && rel < n_key; rel++)
            *bias++ = table[(size_t)relpos_bucket(r, rel) * n_head + h];
}

void relpos_backward(const struct relpos *r, const float *dbias, int n_row, int n_head, int n_query,
                     int n_key, float *dtable)
{
    size_t span = n_query && n_key ? (size_t)n_query + n_key - 1 : 0, at;
    int h, row, from, to, bucket;

    for (h = 0; h < n_head; h++)
        for (from = 1 - n_query; span > 0 && from < n_key; from = to) {    // of one bucket
            double sum = 0;

            bucket = relpos_bucket(r, from);
            for (to = from; to < n_key && relpos_bucket(r, to) == bucket; to++)
                for (row = 0; row < n_row; row++) {
                    at = ((size_t)row * n_head + h) * span + (size_t)(to + n_query - 1);
                    sum += dbias[at];
                }
            dtable[(size_t)bucket * n_head + h] += (float)sum;
        }
}
