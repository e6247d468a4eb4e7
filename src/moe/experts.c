/* experts.c - see experts.h.
 *
 * Side by side each thread takes the next expert of the chunk that none has. The sums over slices,
 * in which other ranks take part, wait until all of them have run.
 */
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "comm/comm.h"
#include "moe/dispatch.h"
#include "moe/experts.h"
#include "moe/flow.h"
#include "moe/layer.h"
#include "nn/gemm.h"
#include "nn/gemm16.h"

/* Floats that an expert keeps of n rows, and works with. */
static size_t saved_floats(const struct moe_net *net, size_t n)
{
    if (net->heads)
        return heads_saved(net->heads, n);
    return net->expert16 ? (ffn16_saved(net->expert16, n) + 15) / 16 * 16
                         : ffn_saved(net->expert, n);
}

static size_t work_floats(const struct moe_net *net, size_t n)
{
    return n * net->d_ff * (net->heads || !net->expert[0].wi_1 ? 1u : 2u);
}

size_t experts_saved(const struct moe_net *net, size_t rows, int n_own)
{
    return n_own ? saved_floats(net, rows) + (size_t)n_own * 16 : 0;
}

/* Which of the lanes side by side a thread works in. */
static size_t lane_number(void)
{
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

static int is_sliced(const struct experts *x)
{
    return x->x.half && comm_size(x->d->slices) > 1;
}

/* The chunks that rows come in; the experts of one. */
static int chunks(const struct experts *x)
{
    return x->flow ? flow_chunks(x->flow) : 1;
}

static int experts_of_chunk(const struct experts *x, int chunk, int *first)
{
    *first = 0;
    return x->flow ? flow_experts(x->flow, chunk, first) : x->d->n_own;
}

/* How many of n_expert can run at once. Products know of it even where it is one: the number of
 * threads must not change who does them. */
static int side_by_side(const struct experts *x, int n_expert)
{
    int n = 1;

#ifdef _OPENMP
    n = omp_get_max_threads();
#endif
    if ((x->x.half && !gemm16_side_by_side(1)) || n_expert < (x->flow ? n : 2 * n))
        return 1;
    return n;
}

static size_t lane_floats(const struct experts *x, size_t rows)
{
    return (work_floats(x->net, rows) + 15) / 16 * 16;
}

void experts_reserve(const struct experts *x, size_t rows)
{
    int most = (x->d->n_own + chunks(x) - 1) / chunks(x);

    if (most && (x->call->gradient || x->x.half))
        moe_buffer_need(x->work, lane_floats(x, rows) * (size_t)side_by_side(x, most));
    gemm16_side_by_side(0);
}

/* One expert's turn. */
struct turn {
    const struct experts *x;
    int e;
    size_t row, n;    // its rows
    float *saved, *work;
    float *y;    // [n_recv, ...] of all
    const struct moe_rows *rows;
    struct ffn_drop drop;
};

static const struct ffn_drop *drop_of(struct turn *t)
{
    const struct experts *x = t->x;

    if (x->call->drop.rate <= 0)
        return NULL;
    t->drop =
        (struct ffn_drop){ .drop = &x->call->drop, .number = x->number + t->row, .length = 1 };
    t->drop.first = (uint64_t)comm_rank(x->d->slices) * (uint64_t)x->net->d_ff;
    return &t->drop;
}

static void forward_one(struct turn *t)
{
    const struct experts *x = t->x;
    const struct moe_net *net = x->net;
    const struct ffn_drop *drop = drop_of(t);
    const float *from = x->x.p + t->row * net->d_model;
    float *y = t->y + t->row * net->d_out;

    if (t->n == 0)
        return;
    if (x->x.half) {
        ffn16_forward(&net->expert16[t->e], drop, moe_rows_half(&x->x, t->row), t->n, t->saved,
                      t->work, y);
        if (!is_sliced(x))
            moe_rows_round(t->rows, t->row, y, t->n);
    } else if (net->heads)
        heads_forward(&net->heads[t->e], drop, from, t->n, t->saved, y);
    else
        ffn_forward(&net->expert[t->e], drop, from, t->n, t->saved, y);
}

/* The gradients of an expert that no row came to. */
static void clear(float *g, size_t n)
{
    if (g)
        memset(g, 0, n * sizeof(*g));
}

static void clear_gradients(const struct moe_net *net, int e)
{
    size_t n = net->d_ff * net->d_model;

    if (net->heads) {
        const struct heads *h = &net->heads[e];

        clear(net->d_heads[e].wi, n);
        clear(net->d_heads[e].q, h->inner * h->d_ff);
        clear(net->d_heads[e].kv, h->inner * h->d_ff);
        return;
    }
    clear(net->d_expert[e].wi, n);
    clear(net->d_expert[e].wi_1, n);
    clear(net->d_expert[e].wo, n);
}

static void backward_heads(struct turn *t, const struct ffn_drop *drop, const float *from,
                           float *dx)
{
    const struct moe_net *net = t->x->net;
    struct heads_grad g = net->d_heads[t->e];

    g.fresh = t->x->call->fresh;
    heads_backward(&net->heads[t->e], drop, &g, from, t->rows->p + t->row * net->d_out, t->n,
                   t->saved, t->work, dx);
}

static void backward_one(struct turn *t)
{
    const struct experts *x = t->x;
    const struct moe_net *net = x->net;
    const struct ffn_drop *drop = drop_of(t);
    size_t m = net->d_model;
    const float *from = x->x.p + t->row * m;
    float *dx = t->y + t->row * m;
    struct ffn_grad g = { 0 };

    if (t->n == 0) {
        if (x->call->fresh)
            clear_gradients(net, t->e);
        return;
    }
    if (!net->heads)
        g = net->d_expert[t->e];
    g.fresh = x->call->fresh;
    if (x->x.half) {
        ffn16_backward(&net->expert16[t->e], drop, &g, moe_rows_half(&x->x, t->row),
                       moe_rows_half(t->rows, t->row), t->n, t->saved, t->work, dx);
        if (!is_sliced(x))
            moe_rows_round(t->rows, t->row, dx, t->n);
    } else if (net->heads)
        backward_heads(t, drop, from, dx);
    else
        ffn_backward(&net->expert[t->e], drop, &g, from, t->rows->p + t->row * m, t->n, t->saved,
                     t->work, dx);
}

static void one(struct turn t, void (*run)(struct turn *))
{
    int e;

    for (e = 0; e < t.e; e++) {
        t.row += t.x->d->rows[e];
        t.saved += saved_floats(t.x->net, t.x->d->rows[e]);
    }
    t.n = t.x->d->rows[t.e];
    run(&t);
}

/* Experts [first, first + n_expert). */
static void some(const struct experts *x, struct turn t, int first, int n_expert,
                 void (*run)(struct turn *))
{
    int n = side_by_side(x, n_expert), e;
    size_t lane = x->work->n / (size_t)n / 16 * 16;

    if (n > 1)
        gemm_alone(1);
#pragma omp parallel for schedule(dynamic) num_threads(n) if (n > 1) firstprivate(t)
    for (e = first; e < first + n_expert; e++) {
        t.e = e;
        t.work = x->work->p + lane * lane_number();
        one(t, run);
    }
    if (n > 1)
        gemm_alone(0);
    gemm16_side_by_side(0);
}

/* What slices made of n rows from `at` on, m wide, becomes their sum. */
static void sum_slices(const struct turn *t, size_t at, size_t n, size_t m)
{
    float *y = t->y + at * m;

    comm_sum_f32(t->x->d->slices, y, n * m);
    moe_rows_round(t->rows, at, y, n);
}

/* m: the width of t.y. */
static void all(const struct experts *x, struct turn t, size_t m, void (*run)(struct turn *))
{
    int c, e, first, n_expert;
    size_t at = 0, n;

    t.x = x;
    t.saved = x->saved;
    for (c = 0; c < chunks(x); c++, at += n) {
        n_expert = experts_of_chunk(x, c, &first);
        for (n = 0, e = first; e < first + n_expert; e++)
            n += x->d->rows[e];
        if (x->flow)
            flow_wait(x->flow, c);
        some(x, t, first, n_expert, run);
        if (is_sliced(x))
            sum_slices(&t, at, n, m);
        if (x->flow)
            flow_return(x->flow, c, x->x.half ? t.rows->p : t.y);
    }
}

void experts_forward(const struct experts *x, float *y, const struct moe_rows *out)
{
    all(x, (struct turn){ .y = y, .rows = out }, x->net->d_out, forward_one);
}

void experts_backward(const struct experts *x, const struct moe_rows *dy, float *dx)
{
    all(x, (struct turn){ .y = dx, .rows = dy }, x->net->d_model, backward_one);
}
