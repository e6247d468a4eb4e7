/* pieces.c - see pieces.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/pieces.h"
#include "comm/comm.h"
#include "shape/slice.h"
#include "tensors/tensors.h"

struct writing {
    struct piece *p;    // [n] in order of names
    size_t n, next;
    struct comm *holders, *slices;    // of the first of holders, the first of slices writes
    float *whole, *scratch;           // for the largest that is not all here
    size_t *n_of;                     // [holders]
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct piece *)a)->v.name, ((const struct piece *)b)->v.name);
}

/* The next tensor, from its owner, put together from its slices. tensors_write_from() goes in
 * order of names. */
static const void *next_tensor(void *ctx, const struct tensor *x, struct err *err)
{
    struct writing *w = ctx;
    const struct piece *p = &w->p[w->next++];
    const float *from = p->v.w;
    int mine = comm_rank(w->holders) == p->owner;

    (void)err;
    assert(!x || strcmp(x->name, p->v.name) == 0);
    if (p->owner != 0) {
        w->n_of[p->owner] = p->v.n * sizeof(float);
        comm_gather(w->holders, from, mine ? w->n_of[p->owner] : 0, w->scratch, w->n_of, 0);
        w->n_of[p->owner] = 0;
        from = w->scratch;
    }
    if (comm_rank(w->holders) != 0)
        return NULL;
    if (!slice_is_part(&p->v))
        return from;
    slice_gather(&p->v, from, w->slices, w->scratch + p->v.n, w->whole);
    return w->whole;
}

int pieces_write(struct piece *p, size_t n, struct comm *holders, struct comm *slices,
                 const char *path, struct err *err)
{
    static const char *const meta[] = { "format", "pt", NULL };
    struct writing w = { .p = p, .n = n, .holders = holders, .slices = slices };
    int first = comm_rank(w.holders) == 0, root = first && comm_rank(w.slices) == 0, rc = 0, k;
    struct tensor *x = xcalloc(w.n, sizeof(*x));
    size_t i, most = 0, room;

    qsort(w.p, w.n, sizeof(*w.p), by_name);
    for (i = 0; i < w.n; i++) {
        const struct param *v = &p[i].v;

        x[i] = (struct tensor){ .name = v->name, .type = TENSOR_F32, .n_dim = v->n_dim };
        x[i].n = slice_size(v);
        for (k = 0; k < v->n_dim; k++)
            x[i].dim[k] = slice_dim(v, k);
        if ((slice_is_part(v) || w.p[i].owner) && x[i].n > most)
            most = x[i].n;
    }
    room = first ? 3 * most : 0;    // whole; what came from the owner; what came from slices
    w.whole = room ? mem_map(room * sizeof(float)) : NULL;
    w.scratch = w.whole ? w.whole + most : NULL;
    w.n_of = xcalloc((size_t)comm_size(w.holders), sizeof(*w.n_of));
    if (root)
        rc = tensors_write_from(path, x, w.n, meta, next_tensor, &w, err);
    while (w.next < w.n)
        next_tensor(&w, NULL, err);
    mem_unmap(w.whole, room * sizeof(float));
    free(w.n_of);
    free(x);
    return rc;
}
