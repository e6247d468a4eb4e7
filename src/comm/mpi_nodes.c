/* mpi_nodes.c - rows between ranks of several machines, in two steps.
 *
 * Sent one to one, rows from every rank of a machine to every rank of another are many small
 * messages. Here rank i of a machine first gives rank j of it what is for ranks j of all machines;
 * then ranks j exchange with one another, machine by machine. Between two machines go as many
 * messages as one has ranks, all large. What arrives is in the order of its sources.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "comm/mpi.h"

struct nodes {
    int n, n_local;                   // machines; ranks of each
    struct comm *local, *rail;        // of this machine; of this number on all machines
    int32_t *send_of, *recv_of;       // [n_local, n] rows by the machine they are for
    size_t *send_n, *recv_n;          // [n_local]
    size_t *rail_send, *rail_recv;    // [n]
    float *packed, *met;              // rows between the steps
    size_t n_packed, n_met;           // room
};

/* Do ranks come machine by machine, as many on each? *n_local of them. */
static int is_regular(struct comm *c, int *n_local)
{
    double *node = xcalloc((size_t)c->size, sizeof(*node));
    int r, n, regular = 1;

    node[c->rank] = c->node;
    comm_sum_f64(c, node, (size_t)c->size);
    for (n = 1; n < c->size && node[n] == node[0]; n++)
        ;
    for (r = 0; r < c->size; r++)
        regular &= node[r] == node[r / n * n] && (r < n || node[r] != node[r - n]);
    free(node);
    *n_local = n;
    return regular && c->size % n == 0 && n > 1 && n < c->size;
}

void mpi_nodes_see(struct comm *c)
{
    struct nodes *s;
    size_t n, m;
    int n_local;

    if (c->size < 4 || !is_regular(c, &n_local))
        return;
    s = c->nodes = xcalloc(1, sizeof(*s));
    s->n_local = n_local;
    s->n = c->size / n_local;
    s->local = mpi_part(c, c->rank / n_local);
    s->rail = mpi_part(c, c->rank % n_local);
    n = (size_t)s->n;
    m = (size_t)n_local;
    s->send_of = xcalloc(n * m, sizeof(*s->send_of));
    s->recv_of = xcalloc(n * m, sizeof(*s->recv_of));
    s->send_n = xcalloc(m, sizeof(*s->send_n));
    s->recv_n = xcalloc(m, sizeof(*s->recv_n));
    s->rail_send = xcalloc(n, sizeof(*s->rail_send));
    s->rail_recv = xcalloc(n, sizeof(*s->rail_recv));
}

static float *room(float **p, size_t *have, size_t need)
{
    if (need > *have) {
        mem_unmap(*p, *have * sizeof(**p));
        *p = mem_map(need * sizeof(**p));
        *have = need;
    }
    return *p;
}

static size_t before(const size_t *n, int rank)
{
    size_t sum = 0;

    while (rank-- > 0)
        sum += n[rank];
    return sum;
}

static void copy(float *to, const float *from, size_t n)
{
    if (n)
        memcpy(to, from, n * sizeof(*to));
}

/* Rows for ranks j of all machines to rank j of this one. */
static void meet(struct nodes *s, const float *send, const size_t *send_n, size_t width)
{
    size_t n = before(send_n, s->n * s->n_local);
    float *to = room(&s->packed, &s->n_packed, n * width);
    int j, b;

    for (j = 0; j < s->n_local; j++) {
        s->send_n[j] = 0;
        for (b = 0; b < s->n; b++) {
            int rank = b * s->n_local + j;

            copy(to, send + before(send_n, rank) * width, send_n[rank] * width);
            to += send_n[rank] * width;
            s->send_n[j] += send_n[rank];
            s->send_of[j * s->n + b] = (int32_t)send_n[rank];
        }
    }
    comm_exchange_i32(s->local, s->send_of, s->recv_of, (size_t)s->n);
    for (j = 0; j < s->n_local; j++)
        for (s->recv_n[j] = 0, b = 0; b < s->n; b++)
            s->recv_n[j] += (size_t)s->recv_of[j * s->n + b];
    n = before(s->recv_n, s->n_local);
    mpi_exchange(s->local, s->packed, s->send_n, room(&s->met, &s->n_met, n * width), s->recv_n,
                 width);
}

/* From the order of ranks here to that of machines they are for. */
static void turn(struct nodes *s, size_t width)
{
    size_t n = before(s->recv_n, s->n_local);
    float *to = room(&s->packed, &s->n_packed, n * width);
    int j, b, k;

    for (b = 0; b < s->n; b++) {
        const float *from = s->met;

        s->rail_send[b] = 0;
        for (j = 0; j < s->n_local; j++) {
            size_t rows = (size_t)s->recv_of[j * s->n + b], skip = 0;

            for (k = 0; k < b; k++)
                skip += (size_t)s->recv_of[j * s->n + k];
            copy(to, from + skip * width, rows * width);
            to += rows * width;
            s->rail_send[b] += rows;
            from += s->recv_n[j] * width;
        }
    }
}

int comm_rails(const struct comm *c, struct comm **local, struct comm **rail)
{
    if (!c->nodes)
        return 0;
    *local = c->nodes->local;
    *rail = c->nodes->rail;
    return 1;
}

void mpi_nodes_exchange(struct comm *c, const float *send, const size_t *send_n, float *recv,
                        const size_t *recv_n, size_t width)
{
    struct nodes *s = c->nodes;
    int b;

    meet(s, send, send_n, width);
    turn(s, width);
    for (b = 0; b < s->n; b++)
        s->rail_recv[b] = before(recv_n, (b + 1) * s->n_local) - before(recv_n, b * s->n_local);
    mpi_exchange(s->rail, s->packed, s->rail_send, recv, s->rail_recv, width);
}

void mpi_nodes_free(struct comm *c)
{
    struct nodes *s = c->nodes;

    if (!s)
        return;
    mpi_part_free(s->local);
    mpi_part_free(s->rail);
    free(s->send_of);
    free(s->recv_of);
    free(s->send_n);
    free(s->recv_n);
    free(s->rail_send);
    free(s->rail_recv);
    mem_unmap(s->packed, s->n_packed * sizeof(float));
    mem_unmap(s->met, s->n_met * sizeof(float));
    free(s);
    c->nodes = NULL;
}
