/* mpi_start.c - the part of comm.h that starts now and is waited for later.
 *
 * What the library does of it without being called is its affair; comm_advance() calls it.
 */
#include <mpi.h>

#include "base/mem.h"
#include "base/spent.h"
#include "comm/comm.h"
#include "comm/mpi.h"
#include "comm/watch.h"

static MPI_Request *next_request(struct comm *c)
{
    if (c->n_started == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->started = xreallocarray(c->started, c->room, sizeof(*c->started));
    }
    return &c->started[c->n_started++];
}

void comm_start_sum_f32(struct comm *c, float *x, size_t n, int root)
{
    while (n && c->size > 1) {
        int k = mpi_least(n, c->common->piece);

        mpi_check(MPI_Ireduce(c->rank == root ? MPI_IN_PLACE : x, x, k, MPI_FLOAT, MPI_SUM, root,
                              c->all, next_request(c)),
                  "sum to one rank");
        x += k;
        n -= (size_t)k;
    }
}

void comm_start_broadcast(struct comm *c, void *p, size_t bytes, int root)
{
    char *to = p;

    while (bytes && c->size > 1) {
        int k = mpi_least(bytes, c->common->piece);

        mpi_check(MPI_Ibcast(to, k, MPI_BYTE, root, c->all, next_request(c)), "broadcast");
        to += k;
        bytes -= (size_t)k;
    }
}

void comm_advance(struct comm *c)
{
    int done;

    if (c->n_started)
        mpi_check(MPI_Testall((int)c->n_started, c->started, &done, MPI_STATUSES_IGNORE), "test");
}

void comm_wait(struct comm *c)
{
    int was;

    if (!c->n_started)
        return;
    was = spent_on(SPENT_WAIT);
    watch_enter("what was started");
    mpi_check(MPI_Waitall((int)c->n_started, c->started, MPI_STATUSES_IGNORE), "wait");
    watch_leave();
    c->n_started = 0;
    spent_on(was);
}
