/* mesh.c - the part of slice.h that ranks do together. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "comm/mesh.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"

int slice_lay(struct comm *comm, const struct config *c, const char *mesh, struct err *err)
{
    struct mesh m;

    if (mesh_read(&m, mesh, err) < 0 ||
        mesh_complete(&m, comm_size(comm), config_is_sparse(c) ? c->n_expert : 0, err) < 0 ||
        slice_check(c, m.n_model, err) < 0) {
        if (comm_rank(comm) != 0)
            comm_barrier(comm);
        return -1;
    }
    comm_lay(comm, m.n_data, m.n_model, m.n_expert);
    return 0;
}

struct params_part slice_part(const struct config *c, const struct comm *comm)
{
    const struct comm *experts = comm_axis(comm, AXIS_EXPERT),
                      *slices = comm_axis(comm, AXIS_MODEL);
    struct params_part p = { .slice = comm_rank(slices), .n_slice = comm_size(slices) };

    p.n_expert = comm_slice(c->n_expert, comm_size(experts), comm_rank(experts), &p.first_expert);
    return p;
}

void slice_gather(const struct param *p, const float *from, struct comm *model, float *scratch,
                  float *to)
{
    size_t length, n = slice_runs(p, &length), bytes = p->n * sizeof(*from), i;
    size_t *n_of;
    int r;

    if (!slice_is_part(p)) {
        if (comm_rank(model) == 0)
            memcpy(to, from, bytes);
        return;
    }
    n_of = xcalloc((size_t)p->n_slice, sizeof(*n_of));
    for (r = 0; r < p->n_slice; r++)
        n_of[r] = bytes;
    comm_gather(model, from, bytes, n > 1 ? scratch : to, n_of, 0);
    for (r = 0; comm_rank(model) == 0 && n > 1 && r < p->n_slice; r++)
        for (i = 0; i < n; i++)
            memcpy(to + (i * (size_t)p->n_slice + (size_t)r) * length,
                   scratch + (size_t)r * p->n + i * length, length * sizeof(*to));
    free(n_of);
}
