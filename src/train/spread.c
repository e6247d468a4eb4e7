/* spread.c - see spread.h.
 *
 * A bucket has one owner. The largest buckets are given out first, each to the rank that has the
 * least, so all depends on shapes and numbers of ranks alone.
 *
 * Where all ranks see one another's memory, nothing moves during the backward pass: when all have
 * ended it, owners add what the others have; when all have updated, each takes what others own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "model/params.h"
#include "train/spread.h"

enum { PIECE = 1 << 14 };                                               // floats added at once
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

/* All buckets, in the order of the tensors; *n_shared of them are shared. */
static struct spread_bucket *plan(const struct params *p, int n_shared, int n_experts, size_t *n_b,
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
    struct spread_bucket *b = plan(p, n_shared, n_experts, &n, &n_b_shared);

    for (i = 0; i < n; i++)
        for (k = b[i].first; k < b[i].end; k++)
            owner[k] = b[i].owner;
    free(b);
}

static void place(struct spread *s, struct spread_bucket *b, struct comm *comm)
{
    const struct params *p = s->params;
    size_t end = b->end < p->n ? (size_t)(p->p[b->end].w - p->w) : p->size, i;

    b->at = (size_t)(p->p[b->first].w - p->w);
    b->n = end - b->at;
    b->comm = comm;
    for (i = b->first; i < b->end; i++) {
        s->owner[i] = b->owner;
        s->own[i] = b->owner == comm_rank(comm);
    }
}

static void blind(struct spread *s)
{
    free(s->w);
    free(s->g);
    free(s->bytes);
    s->w = s->g = NULL;
    s->bytes = NULL;
}

/* Memory of the other ranks along data, those of experts among them. */
static void look(struct spread *s)
{
    size_t n = (size_t)comm_size(s->shared), bytes = s->params->size * sizeof(float);
    double *all;
    size_t i;

    if (n == 1)
        return;
    s->w = xcalloc(n, sizeof(*s->w));
    s->g = xcalloc(n, sizeof(*s->g));
    s->bytes = xcalloc(n, sizeof(*s->bytes));
    all = xcalloc(n, sizeof(*all));
    all[comm_rank(s->shared)] = (double)bytes;
    comm_sum_f64(s->shared, all, n);
    for (i = 0; i < n; i++)
        s->bytes[i] = (size_t)all[i];
    free(all);
    if (!comm_expose(s->shared, s->params->w, bytes, (void **)s->w))
        blind(s);
    else if (!comm_expose(s->shared, s->params->g, bytes, (void **)s->g)) {
        comm_hide(s->shared, (void **)s->w, s->bytes);
        blind(s);
    }
}

struct spread *spread_new(struct params *p, struct comm *comm)
{
    struct spread *s = xcalloc(1, sizeof(*s));
    size_t i;

    s->params = p;
    s->shared = comm_axis(comm, AXIS_DATA);
    s->experts = comm_axis(comm, AXIS_REPLICA);
    s->owner = xcalloc(p->n, sizeof(*s->owner));
    s->own = xcalloc(p->n, sizeof(*s->own));
    s->bucket = plan(p, comm_size(s->shared), comm_size(s->experts), &s->n_bucket, &s->n_shared);
    for (i = 0; i < s->n_bucket; i++)
        place(s, &s->bucket[i], i < s->n_shared ? s->shared : s->experts);
    for (i = 0; i < s->n_shared / 2; i++) {    // the last first
        struct spread_bucket b = s->bucket[i];

        s->bucket[i] = s->bucket[s->n_shared - 1 - i];
        s->bucket[s->n_shared - 1 - i] = b;
    }
    look(s);
    return s;
}

void spread_begin(struct spread *s)
{
    s->n_begun = 0;
}

static void begin_next(struct spread *s)
{
    const struct spread_bucket *b = &s->bucket[s->n_begun++];

    comm_start_sum_f32(b->comm, s->params->g + b->at, b->n, b->owner);
}

void spread_ready(void *spread, size_t from)
{
    struct spread *s = spread;

    if (s->g)
        return;
    while (s->n_begun < s->n_shared && s->bucket[s->n_begun].at >= from)
        begin_next(s);
    comm_advance(s->shared);
}

/* Rank r of the bucket's axis, along data. */
static int along_data(const struct spread *s, const struct spread_bucket *b, int r)
{
    int n = comm_size(s->experts), per = comm_size(s->shared) / n;

    return b->comm == s->shared ? r : r * per + comm_rank(s->shared) % per;
}

/* What the other ranks have of the bucket; replicas have the same experts, so at the same place. */
static void add_others(struct spread *s, const struct spread_bucket *b)
{
    float *own = s->params->g + b->at;
    long k, n_piece = (long)((b->n + PIECE - 1) / PIECE);
    int r;

#pragma omp parallel for private(r) schedule(static)
    for (k = 0; k < n_piece; k++) {
        size_t at = (size_t)k * PIECE, n = b->n - at < PIECE ? b->n - at : PIECE;

        for (r = 0; r < comm_size(b->comm); r++)
            if (r != b->owner)
                kern.add(own + at, s->g[along_data(s, b, r)] + b->at + at, n);
    }
}

static void take(struct spread *s, const struct spread_bucket *b)
{
    const float *from = s->w[along_data(s, b, b->owner)] + b->at;
    float *to = s->params->w + b->at;
    long k, n_piece = (long)((b->n + PIECE - 1) / PIECE);

#pragma omp parallel for schedule(static)
    for (k = 0; k < n_piece; k++) {
        size_t at = (size_t)k * PIECE, n = b->n - at < PIECE ? b->n - at : PIECE;

        memcpy(to + at, from + at, n * sizeof(*to));
    }
}

void spread_sum(struct spread *s)
{
    size_t i;

    if (!s->g) {
        while (s->n_begun < s->n_bucket)
            begin_next(s);
        comm_wait(s->shared);
        comm_wait(s->experts);
        return;
    }
    comm_barrier(s->shared);
    for (i = 0; i < s->n_bucket; i++)
        if (s->bucket[i].owner == comm_rank(s->bucket[i].comm))
            add_others(s, &s->bucket[i]);
}

void spread_send(struct spread *s, size_t i)
{
    const struct spread_bucket *b = &s->bucket[i];

    if (s->w)
        return;
    comm_start_broadcast(b->comm, s->params->w + b->at, b->n * sizeof(float), b->owner);
    comm_advance(b->comm);
}

void spread_wait(struct spread *s)
{
    size_t i;

    if (!s->w) {
        comm_wait(s->shared);
        comm_wait(s->experts);
        return;
    }
    comm_barrier(s->shared);
    for (i = 0; i < s->n_bucket; i++)
        if (s->bucket[i].owner != comm_rank(s->bucket[i].comm))
            take(s, &s->bucket[i]);
    comm_barrier(s->shared);    // before an owner changes them again
}

void spread_free(struct spread *s)
{
    if (!s)
        return;
    if (s->w) {
        comm_hide(s->shared, (void **)s->w, s->bytes);
        comm_hide(s->shared, (void **)s->g, s->bytes);
    }
    blind(s);
    free(s->owner);
    free(s->own);
    free(s->bucket);
    free(s);
}
