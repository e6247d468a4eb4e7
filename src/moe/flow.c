/* flow.c - see flow.h.
 *
 * The rows of each expert are a message of their own and go where they belong: nothing is put in
 * another order. Rank d above is served first by all, so that not all send to one.
 */
#include <string.h>

#include "comm/comm.h"
#include "moe/dispatch.h"
#include "moe/flow.h"

int flow_is_for(const struct dispatch *d)
{
    return comm_can_post(d->comm) && comm_size(d->slices) == 1 && d->most > 1;
}

static int tag_out(int e)
{
    return 1 + 2 * e;
}

static int tag_back(int e)
{
    return 2 + 2 * e;
}

/* The box of all but the rows of expert e < n_own. */
static int box_rest(const struct dispatch *d)
{
    return d->n_own;
}

/* Rows that rank r takes from here for its expert e, and gives back; where they are in the order
 * sent. */
static size_t sent(const struct dispatch *d, int r, int e, size_t *at)
{
    int first, n = comm_slice(d->n_expert, d->n_rank, r, &first);

    *at = e < n ? d->from[first + e] : 0;
    return e < n ? (size_t)d->send_of[r * d->most + e] : 0;
}

/* Rows of own expert e from rank r; where they are in the experts' order. */
static size_t received(const struct dispatch *d, int r, int e, size_t *at)
{
    int i;

    for (*at = 0, i = 0; i < e; i++)
        *at += d->rows[i];
    for (i = 0; i < r; i++)
        *at += (size_t)d->recv_of[i * d->most + e];
    return (size_t)d->recv_of[r * d->most + e];
}

/* Rank k above this one, and below. */
static int above(const struct dispatch *d, int k)
{
    return (comm_rank(d->comm) + k) % d->n_rank;
}

static int below(const struct dispatch *d, int k)
{
    return (comm_rank(d->comm) - k + d->n_rank) % d->n_rank;
}

static void copy(float *to, const float *from, size_t n)
{
    if (n)
        memcpy(to, from, n * sizeof(*to));
}

void flow_out(struct dispatch *d, const float *send, float *to, size_t width)
{
    size_t at, from, n;
    int e, k;

    for (e = 0; e < d->n_own; e++) {
        for (k = 1; k < d->n_rank; k++) {
            n = received(d, below(d, k), e, &at);
            comm_post_recv(d->comm, e, to + at * width, n * width, below(d, k), tag_out(e));
        }
        n = received(d, below(d, 0), e, &at);
        sent(d, below(d, 0), e, &from);
        copy(to + at * width, send + from * width, n * width);
    }
    for (e = 0; e < d->most; e++)
        for (k = 1; k < d->n_rank; k++) {
            n = sent(d, above(d, k), e, &from);
            comm_post_send(d->comm, box_rest(d), send + from * width, n * width, above(d, k),
                           tag_out(e));
        }
}

void flow_expect(struct dispatch *d, float *back, size_t width)
{
    size_t at, n;
    int e, k;

    for (e = 0; e < d->most; e++)
        for (k = 1; k < d->n_rank; k++) {
            n = sent(d, above(d, k), e, &at);
            comm_post_recv(d->comm, box_rest(d), back + at * width, n * width, above(d, k),
                           tag_back(e));
        }
}

void flow_wait(struct dispatch *d, int e)
{
    comm_post_wait(d->comm, e);
}

void flow_return(struct dispatch *d, int e, const float *from, float *back, size_t width)
{
    size_t at, to, n;
    int k;

    for (k = 1; k < d->n_rank; k++) {
        n = received(d, below(d, k), e, &at);
        comm_post_send(d->comm, box_rest(d), from + at * width, n * width, below(d, k),
                       tag_back(e));
    }
    n = received(d, below(d, 0), e, &at);
    sent(d, below(d, 0), e, &to);
    copy(back + to * width, from + at * width, n * width);
}

void flow_end(struct dispatch *d)
{
    comm_post_wait(d->comm, box_rest(d));
}
