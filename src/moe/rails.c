/* rails.c - see rails.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "moe/dispatch.h"
#include "moe/rails.h"

struct rails *rails_new(struct comm *c, int most)
{
    struct comm *local, *rail;
    struct rails *r;
    size_t n, m;

    if (!comm_rails(c, &local, &rail))
        return NULL;
    r = xcalloc(1, sizeof(*r));
    *r = (struct rails){ .local = local, .rail = rail, .most = most };
    r->n = comm_size(rail);
    r->n_local = comm_size(local);
    n = (size_t)r->n_local;
    m = (size_t)r->n * (size_t)most;
    r->pass_of = xcalloc(m, sizeof(*r->pass_of));
    r->give = xcalloc(n * m, sizeof(*r->give));
    r->take = xcalloc(n * m, sizeof(*r->take));
    r->give_n = xcalloc(n, sizeof(*r->give_n));
    r->take_n = xcalloc(n, sizeof(*r->take_n));
    r->at = xcalloc(n, sizeof(*r->at));
    return r;
}

void rails_free(struct rails *r)
{
    if (!r)
        return;
    free(r->pass_of);
    free(r->give);
    free(r->take);
    free(r->give_n);
    free(r->take_n);
    free(r->at);
    free(r);
}

void rails_plan(struct rails *r, const int32_t *send_of)
{
    size_t most = (size_t)r->most, m = (size_t)r->n * most, i, k;
    int j, b;

    memset(r->pass_of, 0, m * sizeof(*r->pass_of));
    memset(r->give_n, 0, (size_t)r->n_local * sizeof(*r->give_n));
    memset(r->take_n, 0, (size_t)r->n_local * sizeof(*r->take_n));
    for (j = 0; j < r->n_local; j++)
        for (b = 0; b < r->n; b++)
            memcpy(r->give + (size_t)j * m + (size_t)b * most,
                   send_of + (size_t)(b * r->n_local + j) * most, most * sizeof(*send_of));
    comm_exchange_i32(r->local, r->give, r->take, m);
    r->n_send = r->n_pass = 0;
    for (j = 0; j < r->n_local; j++) {
        for (k = 0; k < m; k++) {
            i = (size_t)j * m + k;
            r->give_n[j] += (size_t)r->give[i];
            r->take_n[j] += (size_t)r->take[i];
            r->pass_of[k] += r->take[i];
        }
        r->n_send += r->give_n[j];
        r->n_pass += r->take_n[j];
    }
}

/* Where each rank's rows begin among those of all of this machine. */
static void begin_at(struct rails *r, const size_t *n)
{
    size_t sum = 0;
    int j;

    for (j = 0; j < r->n_local; j++) {
        r->at[j] = sum;
        sum += n[j];
    }
}

/* The next n rows of both arrays, from one into the other. */
static void move(float *in_turn, float *by_rank, size_t *turn, size_t *at, size_t n, size_t width,
                 int to_rank)
{
    float *a = in_turn + *turn * width, *b = by_rank + *at * width;

    *turn += n;
    *at += n;
    if (n)
        memcpy(to_rank ? b : a, to_rank ? a : b, n * width * sizeof(*a));
}

/* Between rows in the order of ranks and that of the ranks here which they are given to. */
static void sort_given(struct rails *r, float *rows, float *given, size_t width, int to_given)
{
    size_t turn = 0, n, m = (size_t)r->n * (size_t)r->most;
    int b, j, e;

    begin_at(r, r->give_n);
    for (b = 0; b < r->n; b++)
        for (j = 0; j < r->n_local; j++) {
            for (n = 0, e = 0; e < r->most; e++)
                n += (size_t)r->give[(size_t)j * m + (size_t)b * (size_t)r->most + (size_t)e];
            move(rows, given, &turn, &r->at[j], n, width, to_given);
        }
}

/* Between rows as they are passed on and those taken from each rank here. */
static void sort_taken(struct rails *r, float *pass, float *taken, size_t width, int to_taken)
{
    size_t turn = 0, m = (size_t)r->n * (size_t)r->most, k;
    int j;

    begin_at(r, r->take_n);
    for (k = 0; k < m; k++)    // machine by machine, expert by expert
        for (j = 0; j < r->n_local; j++)
            move(pass, taken, &turn, &r->at[j], (size_t)r->take[(size_t)j * m + k], width,
                 to_taken);
}

void rails_out(struct rails *r, float *send, float *pass, size_t width, struct moe_buffer *work)
{
    float *given = moe_buffer_need(&work[0], r->n_send * width);
    float *taken = moe_buffer_need(&work[1], r->n_pass * width);

    sort_given(r, send, given, width, 1);
    comm_exchange_f32(r->local, given, r->give_n, taken, r->take_n, width);
    sort_taken(r, pass, taken, width, 0);
}

void rails_back(struct rails *r, float *pass, float *back, size_t width, struct moe_buffer *work)
{
    float *given = moe_buffer_need(&work[0], r->n_send * width);
    float *taken = moe_buffer_need(&work[1], r->n_pass * width);

    sort_taken(r, pass, taken, width, 1);
    comm_exchange_f32(r->local, taken, r->take_n, given, r->give_n, width);
    sort_given(r, back, given, width, 0);
}
