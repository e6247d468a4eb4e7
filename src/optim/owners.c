/* owners.c - the part of spread.h that needs no other ranks.
 *
 * A bucket has one owner. The largest buckets are given out first, each to the rank that has the
 * least, so all depends on shapes and numbers of ranks alone.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "optim/spread.h"
#include "shape/params.h"

enum { BUCKET_MOST = 1 << 21, BUCKET_LEAST = 1 << 10, BUCKETS = 8 };    // floats; a rank

/* Tensors of one bucket, from `first` up to end at most. */
static size_t bucket_end(const struct params *p, size_t first, size_t end, size_t most)
{
    size_t n = p->p[first].n, i;

    for (i = first + 1; i < end && n + p->p[i].n <= most; i++)
        n += p->p[i].n;
    return i;
}

/* Buckets of tensors [first, end) for n ranks, in their order; with b NULL counts them. */
static size_t cut(const struct params *p, size_t first, size_t end, int n, struct spread_bucket *b)
{
    size_t i, size = 0, most, k = 0, next;

    for (i = first; i < end; i++)
        size += p->p[i].n;
    most = size / (BUCKETS * (size_t)n);
    most = most > BUCKET_MOST ? BUCKET_MOST : most < BUCKET_LEAST ? BUCKET_LEAST : most;
    for (i = first; i < end; i = next, k++) {
        next = bucket_end(p, i, end, most);
        if (b)
            b[k] = (struct spread_bucket){ .first = i, .end = next };
    }
    return k;
}

static size_t numbers(const struct params *p, const struct spread_bucket *b)
{
    size_t i, n = 0;

    for (i = b->first; i < b->end; i++)
        n += p->p[i].n;
    return n;
}

struct sized {
    struct spread_bucket *b;
    size_t n;
};

static int largest_first(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return x->b < y->b ? -1 : 1;
}

static void give_out(const struct params *p, struct spread_bucket *b, size_t n_bucket, int n_rank)
{
    struct sized *s = xcalloc(n_bucket, sizeof(*s));
    size_t *load = xcalloc((size_t)n_rank, sizeof(*load)), i;
    int r, least;

    for (i = 0; i < n_bucket; i++)
        s[i] = (struct sized){ &b[i], numbers(p, &b[i]) };
    if (n_bucket)
        qsort(s, n_bucket, sizeof(*s), largest_first);
    for (i = 0; i < n_bucket; i++) {
        for (least = 0, r = 1; r < n_rank; r++)
            least = load[r] < load[least] ? r : least;
        s[i].b->owner = least;
        load[least] += s[i].n;
    }
    free(load);
    free(s);
}

struct spread_bucket *spread_plan(const struct params *p, int n_shared, int n_experts, size_t *n_b,
                                  size_t *n_b_shared)
{
    size_t shared = cut(p, 0, p->n_shared, n_shared, NULL);
    size_t experts = cut(p, p->n_shared, p->n, n_experts, NULL);
    struct spread_bucket *b = xcalloc(shared + experts, sizeof(*b));

    cut(p, 0, p->n_shared, n_shared, b);
    cut(p, p->n_shared, p->n, n_experts, b + shared);
    give_out(p, b, shared, n_shared);
    give_out(p, b + shared, experts, n_experts);
    *n_b = shared + experts;
    *n_b_shared = shared;
    return b;
}

void spread_owners(const struct params *p, int n_shared, int n_experts, int *owner)
{
    size_t n, n_b_shared, i, k;
    struct spread_bucket *b = spread_plan(p, n_shared, n_experts, &n, &n_b_shared);

    for (i = 0; i < n; i++)
        for (k = b[i].first; k < b[i].end; k++)
            owner[k] = b[i].owner;
    free(b);
}
