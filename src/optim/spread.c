/* spread.c - see spread.h.
 *
 * Where all ranks see one another's memory, nothing moves during the backward pass: when all have
 * ended it, owners add what the others have; when all have updated, each takes what others own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "optim/spread.h"
#include "shape/params.h"

enum { PIECE = 1 << 14 };    // floats added at once

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
    s->bucket =
        spread_plan(p, comm_size(s->shared), comm_size(s->experts), &s->n_bucket, &s->n_shared);
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

int spread_sends(const struct spread *s)
{
    return !s->w && comm_size(s->shared) > 1;
}

void spread_send(struct spread *s, size_t i)
{
    const struct spread_bucket *b = &s->bucket[i];

    if (!spread_sends(s))
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
