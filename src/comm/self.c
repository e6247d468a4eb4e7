/* self.c - comm.h for one process, without MPI. */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "comm/affinity.h"
#include "comm/comm.h"

struct comm {
    size_t piece;
    struct comm_stats stats;
};

/* Started as one of several, each would take itself for all and write over the others' files. */
static void refuse_ranks(void)
{
    static const char *const said[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };    // by launchers
    size_t i;

    for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        const char *n = getenv(said[i]);

        if (n && strtol(n, NULL, 10) > 1)
            die("built without MPI, but started as one of %s ranks", n);
    }
}

struct comm *comm_init(void)
{
    refuse_ranks();
    return xcalloc(1, sizeof(struct comm));
}

int comm_rank(const struct comm *c)
{
    (void)c;
    return 0;
}

int comm_size(const struct comm *c)
{
    (void)c;
    return 1;
}

int comm_node_size(const struct comm *c)
{
    (void)c;
    return 1;
}

int comm_one_node(struct comm *c)
{
    (void)c;
    return 1;
}

int comm_threads(const struct comm *c)
{
    struct affinity own;

    (void)c;
    affinity_read(&own);
    return affinity_share(&own, &own, 1);
}

void comm_lay(struct comm *c, int n_data, int n_model, int n_expert)
{
    (void)c, (void)n_data, (void)n_model, (void)n_expert;
}

struct comm *comm_axis(const struct comm *c, enum axis axis)
{
    (void)axis;
    return (struct comm *)c;
}

void comm_barrier(struct comm *c)
{
    (void)c;
}

void comm_sum_f32(struct comm *c, float *x, size_t n)
{
    (void)c, (void)x, (void)n;
}

void comm_sum_f64(struct comm *c, double *x, size_t n)
{
    (void)c, (void)x, (void)n;
}

void comm_max_f32(struct comm *c, float *x, size_t n)
{
    (void)c, (void)x, (void)n;
}

void comm_max_i64(struct comm *c, int64_t *x, size_t n)
{
    (void)c, (void)x, (void)n;
}

void comm_broadcast(struct comm *c, void *p, size_t bytes, int root)
{
    (void)c, (void)p, (void)bytes, (void)root;
}

static void copy(void *to, const void *from, size_t n)
{
    if (n)
        memcpy(to, from, n);
}

void comm_exchange_f32(struct comm *c, const float *send, const size_t *send_n, float *recv,
                       const size_t *recv_n, size_t width)
{
    (void)recv_n;
    c->stats.n_exchange++;
    copy(recv, send, send_n[0] * width * sizeof(*send));
}

void comm_exchange_i32(struct comm *c, const int32_t *send, int32_t *recv, size_t n)
{
    (void)c;
    copy(recv, send, n * sizeof(*send));
}

void comm_share_f32(struct comm *c, const float *own, size_t n, float *all)
{
    (void)c;
    copy(all, own, n * sizeof(*own));
}

void comm_gather(struct comm *c, const void *p, size_t n, void *all, const size_t *n_of, int root)
{
    (void)c, (void)n_of, (void)root;
    copy(all, p, n);
}

void comm_start_sum_f32(struct comm *c, float *x, size_t n, int root)
{
    (void)c, (void)x, (void)n, (void)root;
}

void comm_start_broadcast(struct comm *c, void *p, size_t bytes, int root)
{
    (void)c, (void)p, (void)bytes, (void)root;
}

void comm_advance(struct comm *c)
{
    (void)c;
}

void comm_wait(struct comm *c)
{
    (void)c;
}

int comm_chunks(const struct comm *c)
{
    (void)c;
    return 1;
}

int comm_rails(const struct comm *c, struct comm **local, struct comm **rail)
{
    (void)c, (void)local, (void)rail;
    return 0;
}

void comm_post_send(struct comm *c, int box, const float *x, size_t n, int to, int tag)
{
    (void)c, (void)box, (void)x, (void)n, (void)to, (void)tag;
}

void comm_post_recv(struct comm *c, int box, float *x, size_t n, int from, int tag)
{
    (void)c, (void)box, (void)x, (void)n, (void)from, (void)tag;
}

void comm_post_wait(struct comm *c, int box)
{
    (void)c, (void)box;
}

void comm_watch(struct comm *c, double seconds)
{
    (void)c, (void)seconds;
}

void comm_place(const char *stack, int block, const char *work)
{
    (void)stack, (void)block, (void)work;
}

const struct comm_stats *comm_stats(const struct comm *c)
{
    return &c->stats;
}

void comm_set_piece(struct comm *c, size_t n)
{
    c->piece = n;
}

void comm_end(struct comm *c)
{
    free(c);
}
