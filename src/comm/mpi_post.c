/* mpi_post.c - the part of comm.h about messages between two ranks that move while other work goes
 * on. Requests lie in boxes, each waited for by itself. */
#include <mpi.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/spent.h"
#include "comm/comm.h"
#include "comm/mpi.h"
#include "comm/watch.h"

struct box {
    MPI_Request *request;
    size_t n, room;
};

static MPI_Request *next_request(struct comm *c, int box)
{
    struct box *b;

    if (box >= c->n_box) {
        c->box = xreallocarray(c->box, (size_t)box + 1, sizeof(*c->box));
        while (c->n_box <= box)
            c->box[c->n_box++] = (struct box){ 0 };
    }
    b = &c->box[box];
    if (b->n == b->room) {
        b->room = b->room ? 2 * b->room : 16;
        b->request = xreallocarray(b->request, b->room, sizeof(*b->request));
    }
    return &b->request[b->n++];
}

void comm_post_send(struct comm *c, int box, const float *x, size_t n, int to, int tag)
{
    c->common->stats.exchange_bytes += n * sizeof(*x);
    while (n) {
        int k = mpi_least(n, c->common->piece);

        mpi_check(MPI_Isend(x, k, MPI_FLOAT, to, tag, c->all, next_request(c, box)), "send");
        x += k;
        n -= (size_t)k;
    }
}

void comm_post_recv(struct comm *c, int box, float *x, size_t n, int from, int tag)
{
    while (n) {
        int k = mpi_least(n, c->common->piece);

        mpi_check(MPI_Irecv(x, k, MPI_FLOAT, from, tag, c->all, next_request(c, box)), "receive");
        x += k;
        n -= (size_t)k;
    }
}

void comm_post_wait(struct comm *c, int box)
{
    struct box *b = box < c->n_box ? &c->box[box] : NULL;
    int was;

    if (!b || !b->n)
        return;
    was = spent_on(SPENT_EXCHANGE);
    watch_enter("rows of experts");
    mpi_check(MPI_Waitall((int)b->n, b->request, MPI_STATUSES_IGNORE), "wait for rows");
    watch_leave();
    spent_on(was);
    b->n = 0;
}

int comm_chunks(const struct comm *c)
{
    return c->size > 1 ? c->common->n_chunk : 1;
}

void mpi_boxes_free(struct comm *c)
{
    int i;

    for (i = 0; i < c->n_box; i++)
        free(c->box[i].request);
    free(c->box);
    c->box = NULL;
    c->n_box = 0;
}
