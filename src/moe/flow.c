/* flow.c - see flow.h.
 *
 * A message is what a peer has for a chunk: rows in the order of the chunk's experts. Peers are
 * the ranks, or on several machines those of this one's number. Of a chunk of one expert rows come
 * and go where they belong; of more, they are put in order. Rank d above is served first by all, so
 * that not all send to one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "moe/columns.h"
#include "moe/dispatch.h"
#include "moe/flow.h"
#include "moe/rails.h"

enum buffer {    // the first ones are on their way until flow_end()
    CUT,         // this slice's columns of what is sent
    PASSED,      // what is passed on between machines
    ARRIVED,
    SUMMED,    // this slice's columns of results
    LEAVING,
    RETURNED,
    ORDERED,
    JOINED,
    LOCAL
};
_Static_assert((int)LOCAL + (int)RAILS_WORK == (int)FLOW_WORK, "a buffer for each use");

struct flow {
    struct dispatch *d;
    struct rails *rails;    // or NULL
    struct comm *comm;      // of peers
    int n_peer, n_chunk;
    const int32_t *send_of;    // [n_peer, most]
    int32_t *recv_of;          // [n_peer, most]
    size_t n_pass;             // rows that peers take from here
    size_t *start;             // [n_own + 1] where an expert's rows begin
    size_t *at;                // [n_peer] work
    struct moe_buffer *work;
    struct flow_way way;
    size_t w, back_w;    // columns moved
    float *arrived, *returned;
};

struct flow *flow_new(struct dispatch *d, struct moe_buffer *work)
{
    int n_chunk = comm_chunks(d->comm);
    struct flow *f;

    if (d->n_rank == 1 || d->most == 1 || n_chunk == 1)
        return NULL;
    f = xcalloc(1, sizeof(*f));
    f->d = d;
    f->work = work;
    f->n_chunk = n_chunk < d->most ? n_chunk : d->most;
    f->rails = rails_new(d->comm, d->most);
    f->comm = f->rails ? f->rails->rail : d->comm;
    f->n_peer = comm_size(f->comm);
    f->send_of = f->rails ? f->rails->pass_of : d->send_of;
    f->recv_of = xcalloc((size_t)f->n_peer * (size_t)d->most, sizeof(*f->recv_of));
    f->start = xcalloc((size_t)d->n_own + 1, sizeof(*f->start));
    f->at = xcalloc((size_t)f->n_peer, sizeof(*f->at));
    return f;
}

void flow_free(struct flow *f)
{
    if (!f)
        return;
    rails_free(f->rails);
    free(f->recv_of);
    free(f->start);
    free(f->at);
    free(f);
}

int flow_chunks(const struct flow *f)
{
    return f->n_chunk;
}

int flow_experts(const struct flow *f, int chunk, int *first)
{
    return comm_slice(f->d->n_own, f->n_chunk, chunk, first);
}

void flow_plan(struct flow *f)
{
    struct dispatch *d = f->d;
    int together = d->n_rank / f->n_peer, r, e;    // ranks whose rows come as one peer's

    if (f->rails)
        rails_plan(f->rails, d->send_of);
    f->n_pass = f->rails ? f->rails->n_pass : d->n_send;
    memset(f->recv_of, 0, (size_t)f->n_peer * (size_t)d->most * sizeof(*f->recv_of));
    for (r = 0; r < d->n_rank; r++)
        for (e = 0; e < d->n_own; e++)
            f->recv_of[r / together * d->most + e] += d->recv_of[r * d->most + e];
    for (e = 0; e < d->n_own; e++)
        f->start[e + 1] = f->start[e] + d->rows[e];
}

/* Experts of peer p in a chunk of its own. */
static int experts_of_peer(const struct flow *f, int p, int chunk, int *first)
{
    int rank = f->rails ? p * f->rails->n_local + comm_rank(f->rails->local) : p, own, none;

    own = comm_slice(f->d->n_expert, f->d->n_rank, rank, &none);
    return comm_slice(own, f->n_chunk, chunk, first);
}

static size_t sum_of(const int32_t *of, int n)
{
    size_t sum = 0;

    while (n-- > 0)
        sum += (size_t)of[n];
    return sum;
}

/* Rows that peer p takes from here for its chunk, and gives back; where they are in the order sent.
 */
static size_t sent(const struct flow *f, int p, int chunk, size_t *at)
{
    const int32_t *of = f->send_of + p * f->d->most;
    int first, n = experts_of_peer(f, p, chunk, &first);

    *at = sum_of(f->send_of, p * f->d->most) + sum_of(of, first);
    return sum_of(of + first, n);
}

/* Rows of an own chunk from peer p; where they are in the order of arrival. */
static size_t received(const struct flow *f, int p, int chunk, size_t *at)
{
    int first, n = flow_experts(f, chunk, &first), q;

    *at = f->start[first];
    for (q = 0; q < p; q++)
        *at += sum_of(f->recv_of + q * f->d->most + first, n);
    return sum_of(f->recv_of + p * f->d->most + first, n);
}

/* Rows of a chunk, and where they begin. */
static size_t rows_of(const struct flow *f, int chunk, size_t *at)
{
    int first, n = flow_experts(f, chunk, &first);

    *at = f->start[first];
    return f->start[first + n] - f->start[first];
}

/* Does a chunk's order of arrival differ from that of experts? */
static int is_mixed(const struct flow *f, int chunk)
{
    int first;

    return flow_experts(f, chunk, &first) > 1;
}

static int any_mixed(const struct flow *f)
{
    return f->d->n_own > f->n_chunk;
}

/* Between the order of arrival (peer, expert) of a chunk's rows and that of experts. */
static void reorder(struct flow *f, int chunk, float *by_expert, float *by_peer, size_t width,
                    int to_expert)
{
    size_t turn = 0, n, begin = 0;
    int first, n_expert = flow_experts(f, chunk, &first), p, e;

    for (p = 0; p < f->n_peer; p++) {
        f->at[p] = begin;
        begin += sum_of(f->recv_of + p * f->d->most + first, n_expert);
    }
    for (e = first; e < first + n_expert; e++)
        for (p = 0; p < f->n_peer; p++) {
            float *a = by_expert + turn * width, *b = by_peer + f->at[p] * width;

            n = (size_t)f->recv_of[p * f->d->most + e];
            if (n)
                memcpy(to_expert ? a : b, to_expert ? b : a, n * width * sizeof(*a));
            turn += n;
            f->at[p] += n;
        }
}

static int tag_out(int chunk)
{
    return 1 + 2 * chunk;
}

static int tag_back(int chunk)
{
    return 2 + 2 * chunk;
}

/* The box of all but the rows of chunks as they come. */
static int box_rest(const struct flow *f)
{
    return f->n_chunk;
}

/* Peer k above this one, and below. */
static int above(const struct flow *f, int k)
{
    return (comm_rank(f->comm) + k) % f->n_peer;
}

static int below(const struct flow *f, int k)
{
    return (comm_rank(f->comm) - k + f->n_peer) % f->n_peer;
}

static void copy(float *to, const float *from, size_t n)
{
    if (n)
        memcpy(to, from, n * sizeof(*to));
}

/* What leaves here, in the order of peers. */
static float *leaving(struct flow *f)
{
    const struct flow_way *way = &f->way;
    float *rows = way->send;

    if (f->w != way->width) {
        float *part = moe_buffer_need(&f->work[CUT], f->d->n_send * f->w);

        columns_cut(f->d->slices, rows, f->d->n_send, f->w, part);
        rows = part;
    }
    if (f->rails) {
        float *pass = moe_buffer_need(&f->work[PASSED], f->n_pass * f->w);

        rails_out(f->rails, rows, pass, f->w, &f->work[LOCAL]);
        rows = pass;
    }
    return rows;
}

/* Results return into the place of peers. */
static void expect(struct flow *f)
{
    size_t w = f->back_w, at, n;
    int c, k;

    for (c = 0; c < f->n_chunk; c++)
        for (k = 1; k < f->n_peer; k++) {
            n = sent(f, above(f, k), c, &at);
            comm_post_recv(f->comm, box_rest(f), f->returned + at * w, n * w, above(f, k),
                           tag_back(c));
        }
}

static void post_out(struct flow *f, const float *rows)
{
    size_t w = f->w, at, from, n;
    int c, k;

    for (c = 0; c < f->n_chunk; c++) {
        for (k = 1; k < f->n_peer; k++) {
            n = received(f, below(f, k), c, &at);
            comm_post_recv(f->comm, c, f->arrived + at * w, n * w, below(f, k), tag_out(c));
        }
        n = received(f, below(f, 0), c, &at);
        sent(f, below(f, 0), c, &from);
        copy(f->arrived + at * w, rows + from * w, n * w);
    }
    for (c = 0; c < f->n_chunk; c++)
        for (k = 1; k < f->n_peer; k++) {
            n = sent(f, above(f, k), c, &from);
            comm_post_send(f->comm, box_rest(f), rows + from * w, n * w, above(f, k), tag_out(c));
        }
}

void flow_begin(struct flow *f, const struct flow_way *way)
{
    struct dispatch *d = f->d;
    int cut, cut_back;

    f->way = *way;
    f->w = columns_of(d->slices, way->width);
    f->back_w = columns_of(d->slices, way->back_width);
    cut = f->w != way->width;
    cut_back = f->back_w != way->back_width;
    assert(way->whole || cut_back || comm_size(d->slices) == 1);
    f->arrived = way->to;
    if (cut || any_mixed(f))
        f->arrived = moe_buffer_need(&f->work[ARRIVED], d->n_recv * f->w);
    f->returned = way->back;
    if (cut_back || f->rails)
        f->returned = moe_buffer_need(&f->work[RETURNED], f->n_pass * f->back_w);
    if (cut_back)
        moe_buffer_need(&f->work[SUMMED], d->n_recv * f->back_w);
    if (any_mixed(f))
        moe_buffer_need(&f->work[LEAVING], d->n_recv * f->back_w);
    post_out(f, leaving(f));
    expect(f);
}

void flow_wait(struct flow *f, int chunk)
{
    size_t at, n = rows_of(f, chunk, &at), w = f->w;
    float *rows = f->arrived + at * w, *to = f->way.to + at * f->way.width, *ordered;
    int cut = w != f->way.width;

    comm_post_wait(f->comm, chunk);
    if (is_mixed(f, chunk)) {
        ordered = cut ? moe_buffer_need(&f->work[ORDERED], n * w) : to;
        reorder(f, chunk, ordered, rows, w, 1);
        rows = ordered;
    }
    if (cut)
        columns_join(f->d->slices, rows, n, w, to, &f->work[JOINED]);
    else if (rows != to)
        copy(to, rows, n * w);
}

void flow_return(struct flow *f, int chunk, float *from)
{
    size_t at, n = rows_of(f, chunk, &at), w = f->back_w, to, first = at;
    float *rows = from + at * f->way.back_width, *part;
    int k;

    if (w != f->way.back_width) {
        part = f->work[SUMMED].p + at * w;
        if (f->way.whole)
            columns_cut(f->d->slices, rows, n, w, part);
        else
            columns_sum(f->d->slices, rows, n, w, part, &f->work[JOINED]);
        rows = part;
    }
    if (is_mixed(f, chunk)) {
        part = f->work[LEAVING].p + at * w;
        reorder(f, chunk, rows, part, w, 0);
        rows = part;
    }
    for (k = 1; k < f->n_peer; k++) {
        n = received(f, below(f, k), chunk, &at);
        comm_post_send(f->comm, box_rest(f), rows + (at - first) * w, n * w, below(f, k),
                       tag_back(chunk));
    }
    n = received(f, below(f, 0), chunk, &at);
    sent(f, below(f, 0), chunk, &to);
    copy(f->returned + to * w, rows + (at - first) * w, n * w);
}

void flow_end(struct flow *f)
{
    struct dispatch *d = f->d;
    int cut = f->back_w != f->way.back_width;
    float *back = f->returned;

    comm_post_wait(f->comm, box_rest(f));
    if (f->rails) {
        back = cut ? moe_buffer_need(&f->work[CUT], d->n_send * f->back_w) : f->way.back;
        rails_back(f->rails, f->returned, back, f->back_w, &f->work[LOCAL]);
    }
    if (cut)
        columns_join(d->slices, back, d->n_send, f->back_w, f->way.back, &f->work[JOINED]);
}
