/* layer.c - see layer.h.
 *
 * The rows an expert got, what its network saved and what came back from the experts are kept
 * for the backward pass. How many rows come is known after the counts are exchanged; memory is
 * taken at the first step for the most that the capacity lets through.
 */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/spent.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "moe/combine.h"
#include "moe/dispatch.h"
#include "moe/experts.h"
#include "moe/flow.h"
#include "moe/layer.h"
#include "moe/noise.h"
#include "moe/rows.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

struct kept {                    // by a layer, between forward and backward
    struct moe_buffer x;         // [n_recv, M] in expert order
    struct moe_buffer saved;     // of the experts' networks
    struct moe_buffer back;      // [n_send, M] expert(x), in the order sent
    struct moe_buffer number;    // [n_recv] the tokens' numbers, each in two floats' place
};

struct moe_work {
    struct kept kept[2];               // of layers that share
    struct moe_buffer pack, result;    // rows before and after a journey
    struct moe_buffer journey[DISPATCH_WORK], flow[FLOW_WORK];
    struct moe_buffer out;                 // results of experts, where others are on their way
    struct moe_buffer hidden;              // of one expert's backward
    struct moe_buffer input;               // [n, M] the jittered router input
    struct moe_buffer d_gate, d_logits;    // [n, K], [n, E]
};

struct moe_layer {
    struct moe_net net;
    struct moe_work *work;
    struct dispatch d;
    struct flow *flow;    // or NULL: all rows come and go at once
    struct kept own, *kept;
    struct route route;
    struct route_sums sums;
    size_t n_token, n_choice;    // the most, and K
};

struct moe_work *moe_work_new(void)
{
    return xcalloc(1, sizeof(struct moe_work));
}

static size_t kept_floats(const struct kept *k)
{
    return k->x.n + k->saved.n + k->back.n + k->number.n;
}

static void kept_release(struct kept *k)
{
    moe_buffer_release(&k->x);
    moe_buffer_release(&k->saved);
    moe_buffer_release(&k->back);
    moe_buffer_release(&k->number);
}

static size_t journey_floats(const struct moe_work *w)
{
    size_t n = 0;
    int i;

    for (i = 0; i < DISPATCH_WORK; i++)
        n += w->journey[i].n;
    for (i = 0; i < FLOW_WORK; i++)
        n += w->flow[i].n;
    return n + w->out.n;
}

size_t moe_work_bytes(const struct moe_work *w)
{
    return (kept_floats(&w->kept[0]) + kept_floats(&w->kept[1]) + w->pack.n + w->result.n +
            journey_floats(w) + w->hidden.n + w->input.n + w->d_gate.n + w->d_logits.n) *
           sizeof(float);
}

void moe_work_free(struct moe_work *w)
{
    int i;

    if (!w)
        return;
    kept_release(&w->kept[0]);
    kept_release(&w->kept[1]);
    moe_buffer_release(&w->pack);
    moe_buffer_release(&w->result);
    for (i = 0; i < DISPATCH_WORK; i++)
        moe_buffer_release(&w->journey[i]);
    for (i = 0; i < FLOW_WORK; i++)
        moe_buffer_release(&w->flow[i]);
    moe_buffer_release(&w->out);
    moe_buffer_release(&w->hidden);
    moe_buffer_release(&w->input);
    moe_buffer_release(&w->d_gate);
    moe_buffer_release(&w->d_logits);
    free(w);
}

struct moe_layer *moe_layer_new(const struct moe_net *net, struct comm *comm, struct moe_work *w,
                                size_t n_token, int n_choice, int shared)
{
    struct moe_layer *l = xcalloc(1, sizeof(*l));
    size_t n_logit = n_token * (size_t)net->n_expert, n = n_token * (size_t)n_choice;

    l->net = *net;
    l->work = w;
    l->n_token = n_token;
    l->n_choice = (size_t)n_choice;
    l->kept = shared ? &w->kept[shared - 1] : &l->own;
    dispatch_init(&l->d, comm_axis(comm, AXIS_EXPERT), comm_axis(comm, AXIS_MODEL), net->n_expert,
                  n);
    l->flow = flow_new(&l->d, w->flow);
    l->route.logits = xcalloc(n_logit, sizeof(float));
    l->route.probs = xcalloc(n_logit, sizeof(float));
    l->route.expert = xcalloc(n, sizeof(int32_t));
    l->route.slot = xcalloc(n, sizeof(int32_t));
    l->route.kept = xcalloc(n, sizeof(int32_t));
    l->route.gate = xcalloc(n, sizeof(float));
    return l;
}

void moe_layer_free(struct moe_layer *l)
{
    if (!l)
        return;
    flow_free(l->flow);
    dispatch_release(&l->d);
    kept_release(&l->own);
    free(l->route.logits);
    free(l->route.probs);
    free(l->route.expert);
    free(l->route.slot);
    free(l->route.kept);
    free(l->route.gate);
    free(l);
}

const struct route *moe_layer_route(const struct moe_layer *l)
{
    return &l->route;
}

int moe_layer_choices(const struct moe_layer *l)
{
    return (int)l->n_choice;
}

const struct route_sums *moe_layer_sums(const struct moe_layer *l)
{
    return &l->sums;
}

size_t moe_layer_bytes(const struct moe_layer *l)
{
    return (kept_floats(&l->own) + l->n_token * (2 * (size_t)l->net.n_expert + 6 * l->n_choice)) *
           sizeof(float);
}

/* What the router reads: x, or x made noisy in work memory. */
static const float *noisy(const struct moe_layer *l, const struct moe_call *c, const float *x)
{
    float *a;

    if (!moe_is_noisy(c))
        return x;
    a = moe_buffer_need(&l->work->input, l->n_token * l->net.d_model);
    moe_noise(c, x, a, l->net.d_model);
    return a;
}

static struct route_input router_input(const struct moe_layer *l, const struct moe_call *c,
                                       const float *x)
{
    return (struct route_input){ .a = noisy(l, c, x),
                                 .w = l->net.router,
                                 .segment = c->segment,
                                 .n = c->n,
                                 .m = l->net.d_model,
                                 .number = c->number,
                                 .length = c->length };
}

static void choose(struct moe_layer *l, const struct moe_call *c, const float *x)
{
    struct route_input in;

    assert((size_t)route_choices(&c->rule) == l->n_choice);
    l->sums = (struct route_sums){ 0 };
    if (c->n == 0)
        return;
    in = router_input(l, c, x);
    if (c->one_group_losses) {
        struct route_rule whole = c->rule;
        struct route_sums sums = { 0 };

        whole.group_tokens = (int)c->n;
        route_forward(&whole, &in, &l->route, &sums);
        route_forward(&c->rule, &in, &l->route, &l->sums);
        l->sums.aux = sums.aux;
        l->sums.z = sums.z;
        return;
    }
    route_forward(&c->rule, &in, &l->route, &l->sums);
}

/* The most choices of this rank's that can be kept. */
static size_t most_sent(const struct moe_layer *l, const struct moe_call *c)
{
    return l->n_token * (c->rule.kind == ROUTE_NTLB ? 1 : l->n_choice);
}

/* The most rows this rank's experts can get if every rank holds as many groups as this one;
 * without a capacity, some more than now. */
static size_t most_rows(const struct moe_layer *l, const struct moe_call *c)
{
    size_t all = most_sent(l, c) * (size_t)l->d.n_rank, n = all;
    size_t groups = l->n_token / (size_t)c->rule.group_tokens * (size_t)l->d.n_rank;
    int slots = route_capacity(&c->rule);

    if (slots == INT_MAX)
        n = l->d.n_recv + l->d.n_recv / 4;
    else if (groups * (size_t)slots < all / (size_t)(l->d.n_own ? l->d.n_own : 1))
        n = groups * (size_t)slots * (size_t)l->d.n_own;
    n = n < all ? n : all;
    return n > l->d.n_recv ? n : l->d.n_recv;
}

/* Of `rows`, the most that one expert works on. */
static size_t most_of_one(const struct moe_layer *l, const struct moe_call *c, size_t rows)
{
    size_t group = (size_t)c->rule.group_tokens;
    size_t most = group ? (l->n_token + group - 1) / group * (size_t)l->d.n_rank : rows;

    int e;

    most *= group ? (size_t)route_capacity(&c->rule) : 1;
    for (e = 0; e < l->d.n_own; e++)    // other ranks may have more groups than this one
        most = l->d.rows[e] > most ? l->d.rows[e] : most;
    return most < rows ? most : rows;
}

/* Rows of tokens at p, m wide, as this layer has them. */
static struct moe_rows rows_at(const struct moe_layer *l, float *p, size_t m)
{
    return (struct moe_rows){ p, m, l->net.expert16 != NULL };
}

static struct experts experts_of(struct moe_layer *l, const struct moe_call *c)
{
    return (struct experts){ .net = &l->net,
                             .d = &l->d,
                             .call = c,
                             .x = rows_at(l, l->kept->x.p, l->net.d_model),
                             .saved = l->kept->saved.p,
                             .number = (const uint64_t *)(const void *)l->kept->number.p,
                             .work = &l->work->hidden,
                             .flow = l->flow };
}

/* Memory for as many rows as may come in any step with this rule. */
static void reserve(struct moe_layer *l, const struct moe_call *c)
{
    size_t m = l->net.d_model, out = l->net.d_out, wide = m > out ? m : out;
    size_t n_sent = most_sent(l, c);
    size_t rows = c->rule.group_tokens ? most_rows(l, c) : l->d.n_recv;
    size_t most = rows > n_sent ? rows : n_sent;
    int half = l->net.expert16 != NULL;
    struct experts experts;

    moe_buffer_need(&l->kept->x, rows * moe_rows_width(m, half));
    moe_buffer_need(&l->kept->back, n_sent * moe_rows_width(out, half));
    moe_buffer_need(&l->work->pack, most * wide);
    moe_buffer_need(&l->work->result, most * wide);
    moe_buffer_need(&l->kept->saved, experts_saved(&l->net, rows, l->d.n_own));
    if (c->drop.rate > 0) {
        moe_buffer_need(&l->kept->number, rows * 2);
        moe_buffer_need(&l->work->pack, n_sent * 2);
    }
    experts = experts_of(l, c);
    experts_reserve(&experts, most_of_one(l, c, rows));
}

/* The token of a sent row. */
static size_t token_of(const struct moe_layer *l, size_t row)
{
    return (size_t)l->d.choice[row] / l->n_choice;
}

/* The numbers of the tokens whose rows came: a number travels in the place of two floats. */
static void send_numbers(struct moe_layer *l, const struct moe_call *c)
{
    float *pack = l->work->pack.p;
    size_t i;

    for (i = 0; i < l->d.n_send; i++) {
        uint64_t number = moe_token_number(c, token_of(l, i));

        memcpy(pack + 2 * i, &number, sizeof(number));
    }
    dispatch_out(&l->d, pack, l->kept->number.p, 2, l->work->journey);
}

/* Rows of tokens, packed, to the experts, and what these make of them into `back`. */
static void run_experts(struct moe_layer *l, const struct moe_call *c, const struct moe_rows *pack)
{
    struct moe_work *w = l->work;
    struct experts experts = experts_of(l, c);
    size_t m = moe_rows_width(l->net.d_model, pack->half);
    size_t width = moe_rows_width(l->net.d_out, pack->half);
    float *back = l->kept->back.p;

    if (l->flow) {
        struct moe_rows out = *pack;

        out.m = l->net.d_out;
        if (pack->half)
            out.p = moe_buffer_need(&w->out, l->d.n_recv * width);
        flow_begin(l->flow, &(struct flow_way){ pack->p, experts.x.p, back, m, width, pack->half });
        experts_forward(&experts, w->result.p, &out);
        flow_end(l->flow);
        return;
    }
    dispatch_out(&l->d, pack->p, experts.x.p, m, w->journey);
    experts_forward(&experts, w->result.p, pack);
    if (pack->half)
        dispatch_back_whole(&l->d, pack->p, back, width, w->journey);
    else
        dispatch_back(&l->d, w->result.p, back, width, w->journey);
}

void moe_layer_forward(struct moe_layer *l, const struct moe_call *c, const float *x, float *y)
{
    size_t m = l->net.d_model;
    struct moe_rows pack, back;
    int was;
    long k;

    was = spent_on(SPENT_ROUTER);
    choose(l, c, x);
    spent_on(was);
    dispatch_plan(&l->d, l->route.expert, l->route.kept, c->n * l->n_choice);
    if (l->flow)
        flow_plan(l->flow);
    reserve(l, c);
    if (c->drop.rate > 0)
        send_numbers(l, c);
    pack = rows_at(l, l->work->pack.p, m);
#pragma omp parallel for schedule(static) if (l->d.n_send * m > SMALL)
    for (k = 0; k < (long)l->d.n_send; k++)
        moe_row_put(&pack, (size_t)k, 1, x + token_of(l, (size_t)k) * m);
    run_experts(l, c, &pack);
    back = rows_at(l, l->kept->back.p, l->net.d_out);
    combine(&l->route, &l->d, l->n_choice, &back, c->n, y);
}

/* The router's part: dx = gradient of its input, through what made it noisy. */
static void choose_back(struct moe_layer *l, const struct moe_call *c, const float *x, float *dx)
{
    float *d_logits = moe_buffer_need(&l->work->d_logits, l->n_token * (size_t)l->net.n_expert);
    struct route_rule rule = c->rule;
    struct route_input in;

    if (c->n == 0)
        return;
    in = router_input(l, c, x);
    if (c->one_group_losses)
        rule.group_tokens = (int)c->n;
    route_backward(&rule, &in, &l->route, l->work->d_gate.p, c->aux_scale, c->z_scale, d_logits, dx,
                   l->net.d_router);
    if (moe_is_noisy(c))
        moe_noise(c, dx, dx, l->net.d_model);
}

/* The gradient of what came to the experts, where it came from: in the place of d_row or of work.
 * d_row [n_send, d_out] is what they are given. */
static struct moe_rows send_back(struct moe_layer *l, const struct moe_call *c,
                                 const struct moe_rows *d_row)
{
    struct moe_work *w = l->work;
    size_t m = l->net.d_model, out = l->net.d_out, width = moe_rows_width(m, d_row->half);
    size_t out_width = moe_rows_width(out, d_row->half);
    struct moe_rows result = rows_at(l, w->result.p, out), d_in;
    struct experts experts = experts_of(l, c);

    if (l->flow) {
        float *dx = moe_buffer_need(&w->out, l->d.n_recv * m);

        d_in = rows_at(l, moe_buffer_need(&w->journey[0], l->d.n_send * width), m);
        flow_begin(l->flow,
                   &(struct flow_way){ d_row->p, result.p, d_in.p, out_width, width, d_row->half });
        experts_backward(&experts, &result, dx);
        flow_end(l->flow);
        return d_in;
    }
    dispatch_out(&l->d, d_row->p, result.p, out_width, w->journey);
    experts_backward(&experts, &result, d_row->p);
    d_in = rows_at(l, d_row->half ? d_row->p : result.p, m);
    if (d_row->half)
        dispatch_back_whole(&l->d, result.p, d_in.p, width, w->journey);
    else
        dispatch_back(&l->d, d_row->p, d_in.p, width, w->journey);
    return d_in;
}

void moe_layer_backward(struct moe_layer *l, const struct moe_call *c, const float *x,
                        const float *dy, float *dx)
{
    struct moe_work *w = l->work;
    struct moe_rows pack = rows_at(l, w->pack.p, l->net.d_out), d_in, back;
    size_t m = l->net.d_model, j;
    float *d_gate = moe_buffer_need(&w->d_gate, l->n_token * l->n_choice);
    int was;
    long i;

    memset(d_gate, 0, c->n * l->n_choice * sizeof(*d_gate));
    back = rows_at(l, l->kept->back.p, l->net.d_out);
    combine_back(&l->route, &l->d, l->n_choice, &back, dy, d_gate, &pack);
    d_in = send_back(l, c, &pack);
    was = spent_on(SPENT_ROUTER);
    choose_back(l, c, x, dx);
    spent_on(was);
#pragma omp parallel for private(j) schedule(static) if (l->d.n_send * m > SMALL)
    for (i = 0; i < (long)c->n; i++)
        for (j = (size_t)i * l->n_choice; j < ((size_t)i + 1) * l->n_choice; j++)
            if (l->route.kept[j])
                moe_row_add(&d_in, (size_t)l->d.row[j], 1, dx + (size_t)i * m);
}
