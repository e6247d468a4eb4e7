/* dispatch.c - see dispatch.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "moe/columns.h"
#include "moe/dispatch.h"

float *moe_buffer_need(struct moe_buffer *b, size_t n)
{
    if (n > b->n) {
        mem_unmap(b->p, b->n * sizeof(*b->p));
        b->p = mem_map(n * sizeof(*b->p));
        b->n = n;
    }
    return b->p;
}

void moe_buffer_release(struct moe_buffer *b)
{
    mem_unmap(b->p, b->n * sizeof(*b->p));
    *b = (struct moe_buffer){ 0 };
}

void dispatch_init(struct dispatch *d, struct comm *comm, struct comm *slices, int n_expert,
                   size_t n_choice)
{
    int first;
    size_t n_rank = (size_t)comm_size(comm);

    *d = (struct dispatch){ .comm = comm, .n_expert = n_expert, .n_rank = comm_size(comm) };
    d->slices = slices;
    d->n_own = comm_slice(n_expert, d->n_rank, comm_rank(comm), &first);
    d->most = (n_expert + d->n_rank - 1) / d->n_rank;
    d->choice = xcalloc(n_choice, sizeof(*d->choice));
    d->row = xcalloc(n_choice, sizeof(*d->row));
    d->rows = xcalloc((size_t)d->n_own, sizeof(*d->rows));
    d->send_n = xcalloc(n_rank, sizeof(*d->send_n));
    d->recv_n = xcalloc(n_rank, sizeof(*d->recv_n));
    d->send_of = xcalloc(n_rank * (size_t)d->most, sizeof(*d->send_of));
    d->recv_of = xcalloc(n_rank * (size_t)d->most, sizeof(*d->recv_of));
    d->from = xcalloc((size_t)n_expert + 1, sizeof(*d->from));
}

/* The kept choices in the order of their experts, each expert's in order of number. */
static void sort_choices(struct dispatch *d, const int32_t *expert, const int32_t *kept, size_t n)
{
    size_t i;
    int e;

    memset(d->from, 0, ((size_t)d->n_expert + 1) * sizeof(*d->from));
    for (i = 0; i < n; i++)
        if (kept[i])
            d->from[expert[i] + 1]++;
    for (e = 0; e < d->n_expert; e++)
        d->from[e + 1] += d->from[e];
    d->n_send = d->from[d->n_expert];
    for (i = 0; i < n; i++)
        if (kept[i]) {
            d->row[i] = (int32_t)d->from[expert[i]]++;
            d->choice[d->row[i]] = (int32_t)i;
        }
    for (e = d->n_expert; e > 0; e--)    // back to where each expert's rows begin
        d->from[e] = d->from[e - 1];
    d->from[0] = 0;
}

void dispatch_plan(struct dispatch *d, const int32_t *expert, const int32_t *kept, size_t n)
{
    int r, e, first;

    sort_choices(d, expert, kept, n);
    for (r = 0; r < d->n_rank; r++) {
        int n_of = comm_slice(d->n_expert, d->n_rank, r, &first);

        d->send_n[r] = d->from[first + n_of] - d->from[first];
        for (e = 0; e < d->most; e++)
            d->send_of[r * d->most + e] =
                e < n_of ? (int32_t)(d->from[first + e + 1] - d->from[first + e]) : 0;
    }
    comm_exchange_i32(d->comm, d->send_of, d->recv_of, (size_t)d->most);
    memset(d->rows, 0, (size_t)d->n_own * sizeof(*d->rows));
    d->n_recv = 0;
    for (r = 0; r < d->n_rank; r++) {
        d->recv_n[r] = 0;
        for (e = 0; e < d->n_own; e++) {
            d->rows[e] += (size_t)d->recv_of[r * d->most + e];
            d->recv_n[r] += (size_t)d->recv_of[r * d->most + e];
        }
        d->n_recv += d->recv_n[r];
    }
}

/* Between the order of arrival (source, expert) and that of the experts (expert, source). */
static void reorder(const struct dispatch *d, float *by_expert, float *by_source, size_t width,
                    int to_expert)
{
    size_t start = 0;
    int r, e;

    for (e = 0; e < d->n_own; e++) {
        size_t source = 0;

        for (r = 0; r < d->n_rank; r++) {
            const int32_t *of = d->recv_of + (size_t)r * (size_t)d->most;
            size_t at = source, n = (size_t)of[e];
            int i;

            for (i = 0; i < e; i++)
                at += (size_t)of[i];
            if (n && to_expert)
                memcpy(by_expert + start * width, by_source + at * width,
                       n * width * sizeof(float));
            else if (n)
                memcpy(by_source + at * width, by_expert + start * width,
                       n * width * sizeof(float));
            start += n;
            source += d->recv_n[r];
        }
    }
    assert(start == d->n_recv);
}

static int same_order(const struct dispatch *d)
{
    return d->n_rank == 1 || d->n_own <= 1;
}

static void out(struct dispatch *d, const float *send, float *to, size_t width,
                struct moe_buffer *work)
{
    float *arrived = same_order(d) ? to : moe_buffer_need(work, d->n_recv * width);

    comm_exchange_f32(d->comm, send, d->send_n, arrived, d->recv_n, width);
    if (arrived != to)
        reorder(d, to, arrived, width, 1);
}

static void back(struct dispatch *d, float *from, float *to, size_t width, struct moe_buffer *work)
{
    float *leaving = from;

    if (!same_order(d)) {
        float *by_source = moe_buffer_need(work, d->n_recv * width);

        reorder(d, from, by_source, width, 0);
        leaving = by_source;
    }
    comm_exchange_f32(d->comm, leaving, d->recv_n, to, d->send_n, width);
}

void dispatch_out(struct dispatch *d, const float *send, float *to, size_t width,
                  struct moe_buffer work[DISPATCH_WORK])
{
    size_t w = columns_of(d->slices, width);
    float *part, *got;

    if (w == width) {
        out(d, send, to, width, work);
        return;
    }
    part = moe_buffer_need(&work[1], (d->n_send + d->n_recv) * w);
    got = part + d->n_send * w;
    columns_cut(d->slices, send, d->n_send, w, part);
    out(d, part, got, w, work);
    columns_join(d->slices, got, d->n_recv, w, to, &work[2]);
}

/* What dispatch_back() and dispatch_back_whole() share. */
static void back_by_columns(struct dispatch *d, float *from, float *to, size_t width, int whole,
                            struct moe_buffer *work)
{
    size_t w = columns_of(d->slices, width);
    float *part, *got;

    if (w == width) {
        assert(whole || comm_size(d->slices) == 1);
        back(d, from, to, width, work);
        return;
    }
    part = moe_buffer_need(&work[1], (d->n_recv + d->n_send) * w);
    got = part + d->n_recv * w;
    if (whole)
        columns_cut(d->slices, from, d->n_recv, w, part);
    else
        columns_sum(d->slices, from, d->n_recv, w, part, &work[2]);
    back(d, part, got, w, work);
    columns_join(d->slices, got, d->n_send, w, to, &work[2]);
}

void dispatch_back(struct dispatch *d, float *from, float *to, size_t width,
                   struct moe_buffer work[DISPATCH_WORK])
{
    back_by_columns(d, from, to, width, 0, work);
}

void dispatch_back_whole(struct dispatch *d, float *from, float *to, size_t width,
                         struct moe_buffer work[DISPATCH_WORK])
{
    back_by_columns(d, from, to, width, 1, work);
}

void dispatch_release(struct dispatch *d)
{
    free(d->choice);
    free(d->row);
    free(d->rows);
    free(d->send_n);
    free(d->recv_n);
    free(d->send_of);
    free(d->recv_of);
    free(d->from);
    *d = (struct dispatch){ 0 };
}
