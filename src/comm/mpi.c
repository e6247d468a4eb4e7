/* mpi.c - comm.h over MPI, which only the files mpi*.c know.
 *
 * An MPI count is an int, so every call goes in pieces of at most `piece` elements. Rows are
 * exchanged pair by pair: at distance d each rank sends to the rank d above it and receives
 * from the rank d below. Both ends of a pair know the count of each direction, so both cut
 * it into the same pieces; a side that has none left talks to nobody.
 *
 * A process that no launcher started is alone and does not start MPI: Open MPI would start a
 * daemon beside it, which takes seconds, and has been seen to grow without bound when the
 * process could not write its output.
 */
#include <assert.h>
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/spent.h"
#include "comm/affinity.h"
#include "comm/comm.h"
#include "comm/mpi.h"
#include "comm/watch.h"

enum { CHUNKS = 4 };    // a quarter of the rows comes, and one goes, with nothing beside it

void mpi_check(int status, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int n;

    if (status == MPI_SUCCESS)
        return;
    MPI_Error_string(status, text, &n);
    die("MPI: %s: %s", what, text);
}

static void end_all(int status)
{
    MPI_Abort(MPI_COMM_WORLD, status);
}

/* Ranks of a machine; as if it were several of so many ranks each, where tests wish so. */
static void split_nodes(const struct comm *c, MPI_Comm *node)
{
    const char *wish = getenv("SWITCHYARD_NODE_RANKS");
    int n = wish ? atoi(wish) : 0;

    if (n > 0)
        mpi_check(MPI_Comm_split(c->all, c->rank / n, c->rank, node), "split");
    else
        mpi_check(MPI_Comm_split_type(c->all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, node),
                  "split");
}

/* Who else is on this machine, and what it leaves for a rank. */
static void see_node(struct comm *c)
{
    struct affinity own, any;
    MPI_Comm node;

    affinity_read(&own);
    any = own;
    split_nodes(c, &node);
    mpi_check(MPI_Comm_size(node, &c->node_size), "size");
    c->node = c->rank;
    mpi_check(MPI_Bcast(&c->node, 1, MPI_INT, 0, node), "number of the machine");
    mpi_check(MPI_Allreduce(MPI_IN_PLACE, any.bits, sizeof(any.bits), MPI_BYTE, MPI_BOR, node),
              "union of processors");
    mpi_check(MPI_Comm_free(&node), "free");
    c->threads = affinity_share(&own, &any, c->node_size);
}

/* Did a launcher start this process? By what Open MPI, MPICH, Intel MPI, PMIx and Slurm set. */
static int is_launched(void)
{
    static const char *const sign[] = {
        "OMPI_COMM_WORLD_SIZE", "PMIX_RANK",    "PMI_RANK", "PMI_FD", "PMI_SIZE",
        "MPIRUN_RANK",          "SLURM_STEP_ID"
    };
    size_t i;

    for (i = 0; i < sizeof(sign) / sizeof(sign[0]); i++)
        if (getenv(sign[i]))
            return 1;
    return 0;
}

static void start_alone(struct comm *c)
{
    struct affinity own;

    affinity_read(&own);
    c->all = MPI_COMM_NULL;
    c->size = c->node_size = 1;
    c->threads = affinity_share(&own, &own, 1);
}

/* All ranks do as the first was told: else they would wait for messages that nobody sends. */
static void see_chunks(struct comm *c)
{
    const char *wish = getenv("SWITCHYARD_CHUNKS");
    int n = wish ? atoi(wish) : CHUNKS;

    mpi_check(MPI_Bcast(&n, 1, MPI_INT, 0, c->all), "number of chunks");
    c->common->n_chunk = n > 1 ? n : 1;
}

static void start_mpi(struct comm *c)
{
    int level;

    c->all = MPI_COMM_WORLD;
    mpi_check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level), "start");
    if (level < MPI_THREAD_FUNNELED)
        die("MPI: this library cannot run beside threads");
    mpi_check(MPI_Comm_set_errhandler(c->all, MPI_ERRORS_RETURN), "set error handler");
    mpi_check(MPI_Comm_rank(c->all, &c->rank), "rank");
    mpi_check(MPI_Comm_size(c->all, &c->size), "size");
    if (c->size > 1)
        die_hook = end_all;
    see_node(c);
    see_chunks(c);
}

struct comm *mpi_part(const struct comm *c, int color)
{
    struct comm *p = xcalloc(1, sizeof(*p));

    *p = (struct comm){ .all = MPI_COMM_NULL, .size = 1, .node_size = 1, .threads = c->threads };
    p->common = c->common;
    p->node = c->node;
    if (color >= 0 && c->all != MPI_COMM_NULL) {
        mpi_check(MPI_Comm_split(c->all, color, c->rank, &p->all), "split");
        mpi_check(MPI_Comm_rank(p->all, &p->rank), "rank");
        mpi_check(MPI_Comm_size(p->all, &p->size), "size");
    }
    p->equal = xcalloc((size_t)p->size, sizeof(*p->equal));
    return p;
}

void mpi_part_free(struct comm *p)
{
    if (!p)
        return;
    mpi_nodes_free(p);
    if (p->all != MPI_COMM_NULL)
        mpi_check(MPI_Comm_free(&p->all), "free");
    mpi_boxes_free(p);
    free(p->started);
    free(p->equal);
    free(p);
}

static void axes_free(struct comm *c)
{
    int i;

    mpi_nodes_free(c);
    for (i = 0; i < N_AXIS; i++)
        if (c->of[i] != c && c->of[i] != c->alone)
            mpi_part_free(c->of[i]);
    mpi_part_free(c->alone);
    c->alone = NULL;
}

struct comm *comm_init(void)
{
    struct comm *c = xcalloc(1, sizeof(*c));

    c->common = xcalloc(1, sizeof(*c->common));
    c->common->piece = INT_MAX / 2;
    if (is_launched())
        start_mpi(c);
    else
        start_alone(c);
    c->equal = xcalloc((size_t)c->size, sizeof(*c->equal));
    c->alone = mpi_part(c, -1);
    c->of[AXIS_DATA] = c->of[AXIS_EXPERT] = c;
    c->of[AXIS_MODEL] = c->of[AXIS_REPLICA] = c->alone;
    mpi_nodes_see(c);
    return c;
}

/* As comm_axis() without a mesh, but c and its lone rank are not made again. */
static struct comm *axis_new(struct comm *c, int n, int color)
{
    return n == c->size ? c : n == 1 ? c->alone : mpi_part(c, color);
}

void comm_lay(struct comm *c, int n_data, int n_model, int n_expert)
{
    int data = c->rank / n_model, model = c->rank % n_model;

    assert(n_data * n_model == c->size && n_data % n_expert == 0);
    axes_free(c);
    c->alone = mpi_part(c, -1);
    c->of[AXIS_DATA] = axis_new(c, n_data, model);
    c->of[AXIS_MODEL] = axis_new(c, n_model, data);
    c->of[AXIS_EXPERT] = axis_new(c, n_expert, data / n_expert * n_model + model);
    c->of[AXIS_REPLICA] = axis_new(c, n_data / n_expert, data % n_expert * n_model + model);
    mpi_nodes_see(c->of[AXIS_EXPERT]);
}

struct comm *comm_axis(const struct comm *c, enum axis axis)
{
    return c->of[axis];
}

int comm_rank(const struct comm *c)
{
    return c->rank;
}

int comm_size(const struct comm *c)
{
    return c->size;
}

int comm_node_size(const struct comm *c)
{
    return c->node_size;
}

int comm_one_node(struct comm *c)
{
    int64_t node[2] = { c->node, -c->node };

    comm_max_i64(c, node, 2);
    return node[0] == -node[1];
}

int comm_threads(const struct comm *c)
{
    return c->threads;
}

void comm_set_piece(struct comm *c, size_t n)
{
    c->common->piece = n && n < INT_MAX ? n : INT_MAX / 2;
}

void comm_barrier(struct comm *c)
{
    int was = spent_on(SPENT_WAIT);

    watch_enter("barrier");
    if (c->size > 1)
        mpi_check(MPI_Barrier(c->all), "barrier");
    watch_leave();
    spent_on(was);
}

int mpi_least(size_t n, size_t piece)
{
    return (int)(n < piece ? n : piece);
}

/* n elements of `width` bytes, in place. */
static void reduce(struct comm *c, void *x, size_t n, size_t width, MPI_Datatype type, MPI_Op op,
                   const char *what)
{
    int was = spent_on(SPENT_WAIT);
    char *p = x;

    watch_enter(what);
    while (n && c->size > 1) {
        int k = mpi_least(n, c->common->piece);

        mpi_check(MPI_Allreduce(MPI_IN_PLACE, p, k, type, op, c->all), what);
        p += (size_t)k * width;
        n -= (size_t)k;
    }
    watch_leave();
    spent_on(was);
}

void comm_sum_f32(struct comm *c, float *x, size_t n)
{
    reduce(c, x, n, sizeof(*x), MPI_FLOAT, MPI_SUM, "sum of floats");
}

void comm_sum_f64(struct comm *c, double *x, size_t n)
{
    reduce(c, x, n, sizeof(*x), MPI_DOUBLE, MPI_SUM, "sum of doubles");
}

void comm_max_f32(struct comm *c, float *x, size_t n)
{
    reduce(c, x, n, sizeof(*x), MPI_FLOAT, MPI_MAX, "maximum of floats");
}

void comm_max_i64(struct comm *c, int64_t *x, size_t n)
{
    reduce(c, x, n, sizeof(*x), MPI_INT64_T, MPI_MAX, "maximum of integers");
}

void comm_broadcast(struct comm *c, void *p, size_t bytes, int root)
{
    char *to = p;

    watch_enter("broadcast");
    while (bytes && c->size > 1) {
        int k = mpi_least(bytes, c->common->piece);

        mpi_check(MPI_Bcast(to, k, MPI_BYTE, root, c->all), "broadcast");
        to += k;
        bytes -= (size_t)k;
    }
    watch_leave();
}

/* n elements to rank `to`, m elements from rank `from`, each `width` bytes. */
static void swap(struct comm *c, const char *send, size_t n, int to, char *recv, size_t m, int from,
                 size_t width, MPI_Datatype type, const char *what)
{
    watch_enter(what);
    while (n || m) {
        int k = mpi_least(n, c->common->piece), l = mpi_least(m, c->common->piece);

        mpi_check(MPI_Sendrecv(send, k, type, k ? to : MPI_PROC_NULL, 0, recv, l, type,
                               l ? from : MPI_PROC_NULL, 0, c->all, MPI_STATUS_IGNORE),
                  what);
        send += (size_t)k * width;
        recv += (size_t)l * width;
        n -= (size_t)k;
        m -= (size_t)l;
    }
    watch_leave();
}

static size_t before(const size_t *n, int rank)
{
    size_t sum = 0;

    while (rank-- > 0)
        sum += n[rank];
    return sum;
}

static void exchange(struct comm *c, const char *send, const size_t *send_n, char *recv,
                     const size_t *recv_n, size_t row, size_t width, MPI_Datatype type,
                     const char *what)
{
    size_t bytes = row * width, own = send_n[c->rank] * bytes;
    int d;

    if (own)
        memcpy(recv + before(recv_n, c->rank) * bytes, send + before(send_n, c->rank) * bytes, own);
    for (d = 1; d < c->size; d++) {
        int to = (c->rank + d) % c->size, from = (c->rank - d + c->size) % c->size;

        swap(c, send + before(send_n, to) * bytes, send_n[to] * row, to,
             recv + before(recv_n, from) * bytes, recv_n[from] * row, from, width, type, what);
    }
}

void mpi_exchange(struct comm *c, const float *send, const size_t *send_n, float *recv,
                  const size_t *recv_n, size_t width)
{
    exchange(c, (const char *)send, send_n, (char *)recv, recv_n, width, sizeof(*send), MPI_FLOAT,
             "exchange of rows");
}

void comm_exchange_f32(struct comm *c, const float *send, const size_t *send_n, float *recv,
                       const size_t *recv_n, size_t width)
{
    int was = spent_on(SPENT_EXCHANGE);
    size_t rows = before(send_n, c->size) - send_n[c->rank];

    if (c->nodes)
        mpi_nodes_exchange(c, send, send_n, recv, recv_n, width);
    else
        mpi_exchange(c, send, send_n, recv, recv_n, width);
    c->common->stats.n_exchange++;
    c->common->stats.exchange_bytes += rows * width * sizeof(*send);
    spent_on(was);
}

void comm_exchange_i32(struct comm *c, const int32_t *send, int32_t *recv, size_t n)
{
    static const char what[] = "exchange of counts";
    int was = spent_on(SPENT_EXCHANGE);
    int r;

    if (n <= c->common->piece && c->size > 1) {
        watch_enter(what);
        mpi_check(MPI_Alltoall(send, (int)n, MPI_INT32_T, recv, (int)n, MPI_INT32_T, c->all), what);
        watch_leave();
    } else {
        for (r = 0; r < c->size; r++)
            c->equal[r] = n;
        exchange(c, (const char *)send, c->equal, (char *)recv, c->equal, 1, sizeof(*send),
                 MPI_INT32_T, what);
    }
    spent_on(was);
}

void comm_share_f32(struct comm *c, const float *own, size_t n, float *all)
{
    int was = spent_on(SPENT_EXCHANGE);
    int d;

    if (n)
        memcpy(all + (size_t)c->rank * n, own, n * sizeof(*own));
    for (d = 1; d < c->size; d++) {
        int to = (c->rank + d) % c->size, from = (c->rank - d + c->size) % c->size;

        swap(c, (const char *)own, n, to, (char *)(all + (size_t)from * n), n, from, sizeof(*own),
             MPI_FLOAT, "sharing of rows");
    }
    spent_on(was);
}

void comm_gather(struct comm *c, const void *p, size_t n, void *all, const size_t *n_of, int root)
{
    char *to = all;
    int r;

    if (c->rank != root) {
        swap(c, p, n, root, NULL, 0, root, 1, MPI_BYTE, "gather");
        return;
    }
    for (r = 0; r < c->size; r++) {
        if (r != root)
            swap(c, NULL, 0, r, to, n_of[r], r, 1, MPI_BYTE, "gather");
        else if (n)
            memcpy(to, p, n);
        to += n_of[r];
    }
}

void comm_watch(struct comm *c, double seconds)
{
    if (c->size > 1)
        watch_start(c->rank, seconds);
}

void comm_place(const char *stack, int block, const char *work)
{
    watch_place(stack, block, work);
}

const struct comm_stats *comm_stats(const struct comm *c)
{
    return &c->common->stats;
}

void comm_end(struct comm *c)
{
    if (!c)
        return;
    watch_stop();
    axes_free(c);
    if (c->all != MPI_COMM_NULL)
        mpi_check(MPI_Finalize(), "end");
    die_hook = NULL;
    free(c->common);
    mpi_boxes_free(c);
    free(c->started);
    free(c->equal);
    free(c);
}
