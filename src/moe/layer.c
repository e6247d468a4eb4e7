/* layer.c - see layer.h.
 *
 * The rows an expert got, what its network saved and what came back from the experts are kept
 * for the backward pass. How many rows come is known after the counts are exchanged; memory is
 * taken at the first step for the most that the capacity lets through.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "moe/dispatch.h"
#include "moe/layer.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

struct kept {                    // by a layer, between forward and backward
    struct moe_buffer x;         // [n_recv, M] in expert order
    struct moe_buffer saved;     // of the experts' networks
    struct moe_buffer back;      // [n_send, M] expert(x), in the order sent
    struct moe_buffer number;    // [n_recv] the tokens' numbers, each in two floats' place
};

struct moe_work {
    struct kept kept;                      // of layers that share
    struct moe_buffer pack, result;        // rows before and after a journey
    struct moe_buffer journey;             // of dispatch
    struct moe_buffer hidden;              // of one expert's backward
    struct moe_buffer input;               // [n, M] the jittered router input
    struct moe_buffer d_gate, d_logits;    // [n], [n, E]
};

struct moe_layer {
    struct moe_net net;
    struct moe_work *work;
    struct dispatch d;
    struct kept own, *kept;
    struct route route;
    struct route_sums sums;
    size_t n_token;
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

size_t moe_work_bytes(const struct moe_work *w)
{
    return (kept_floats(&w->kept) + w->pack.n + w->result.n + w->journey.n + w->hidden.n +
            w->input.n + w->d_gate.n + w->d_logits.n) *
           sizeof(float);
}

void moe_work_free(struct moe_work *w)
{
    if (!w)
        return;
    kept_release(&w->kept);
    moe_buffer_release(&w->pack);
    moe_buffer_release(&w->result);
    moe_buffer_release(&w->journey);
    moe_buffer_release(&w->hidden);
    moe_buffer_release(&w->input);
    moe_buffer_release(&w->d_gate);
    moe_buffer_release(&w->d_logits);
    free(w);
}

struct moe_layer *moe_layer_new(const struct moe_net *net, struct comm *comm, struct moe_work *w,
                                size_t n_token, int shared)
{
    struct moe_layer *l = xcalloc(1, sizeof(*l));
    size_t n_logit = n_token * (size_t)net->n_expert;

    l->net = *net;
    l->work = w;
    l->n_token = n_token;
    l->kept = shared ? &w->kept : &l->own;
    dispatch_init(&l->d, comm, net->n_expert, n_token);
    l->route.logits = xcalloc(n_logit, sizeof(float));
    l->route.probs = xcalloc(n_logit, sizeof(float));
    l->route.expert = xcalloc(n_token, sizeof(int32_t));
    l->route.slot = xcalloc(n_token, sizeof(int32_t));
    l->route.kept = xcalloc(n_token, sizeof(int32_t));
    l->route.gate = xcalloc(n_token, sizeof(float));
    return l;
}

void moe_layer_free(struct moe_layer *l)
{
    if (!l)
        return;
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

const struct route_sums *moe_layer_sums(const struct moe_layer *l)
{
    return &l->sums;
}

size_t moe_layer_bytes(const struct moe_layer *l)
{
    return (kept_floats(&l->own) + l->n_token * (2 * (size_t)l->net.n_expert + 5)) * sizeof(float);
}

static uint64_t token_number(const struct moe_call *c, size_t token)
{
    return c->number[token / c->length] * c->length + token % c->length;
}

/* to = from * u, u uniform in [1 - jitter, 1 + jitter], four elements from one draw. */
static void jitter(const struct moe_call *c, const float *from, float *to, size_t m)
{
    float low = (float)(1.0 - c->jitter), step = (float)(2.0 * c->jitter / 65536.0);
    size_t i, j;

#pragma omp parallel for private(j) schedule(static) if (c->n * m > SMALL)
    for (i = 0; i < c->n; i++) {
        uint64_t number = token_number(c, i), bits = 0;

        for (j = 0; j < m; j++) {
            if (j % 4 == 0)
                bits = rng_u64(c->jitter_key, number, j / 4);
            to[i * m + j] = from[i * m + j] * (low + step * ((float)(bits & 0xffff) + 0.5f));
            bits >>= 16;
        }
    }
}

/* What the router reads: x, or x jittered in work memory. */
static const float *router_input(const struct moe_layer *l, const struct moe_call *c,
                                 const float *x)
{
    size_t m = l->net.d_model;
    float *a;

    if (c->jitter == 0)
        return x;
    a = moe_buffer_need(&l->work->input, l->n_token * m);
    jitter(c, x, a, m);
    return a;
}

static void choose(struct moe_layer *l, const struct moe_call *c, const float *x)
{
    const float *a = router_input(l, c, x);
    size_t m = l->net.d_model;

    l->sums = (struct route_sums){ 0 };
    if (c->n == 0)
        return;
    if (c->one_group_losses) {
        struct route_rule whole = c->rule;
        struct route_sums sums = { 0 };

        whole.group_tokens = (int)c->n;
        route_forward(&whole, a, l->net.router, c->segment, c->n, m, &l->route, &sums);
        route_forward(&c->rule, a, l->net.router, c->segment, c->n, m, &l->route, &l->sums);
        l->sums.aux = sums.aux;
        l->sums.z = sums.z;
        return;
    }
    route_forward(&c->rule, a, l->net.router, c->segment, c->n, m, &l->route, &l->sums);
}

/* The most rows this rank's experts can get if every rank holds as many groups as this one. */
static size_t most_rows(const struct moe_layer *l, const struct moe_call *c)
{
    size_t groups = l->n_token / (size_t)c->rule.group_tokens * (size_t)l->d.n_rank;
    size_t by_capacity = groups * (size_t)route_capacity(&c->rule) * (size_t)l->d.n_own;
    size_t all = l->n_token * (size_t)l->d.n_rank;
    size_t n = by_capacity < all ? by_capacity : all;

    return n > l->d.n_recv ? n : l->d.n_recv;
}

/* Memory for as many rows as may come in any step with this rule. */
static void reserve(struct moe_layer *l, const struct moe_call *c)
{
    size_t m = l->net.d_model, rows = c->rule.group_tokens ? most_rows(l, c) : l->d.n_recv;
    size_t most = rows > l->n_token ? rows : l->n_token;

    if (rows < l->d.n_recv)
        rows = l->d.n_recv;
    moe_buffer_need(&l->kept->x, rows * m);
    moe_buffer_need(&l->kept->back, l->n_token * m);
    moe_buffer_need(&l->work->pack, most * m);
    moe_buffer_need(&l->work->result, most * m);
    if (l->d.n_own)
        moe_buffer_need(&l->kept->saved, ffn_saved(&l->net.expert[0], rows));
    if (c->drop.rate > 0) {
        moe_buffer_need(&l->kept->number, rows * 2);
        moe_buffer_need(&l->work->pack, l->n_token * 2);
    }
    if (c->gradient && l->d.n_own)
        moe_buffer_need(&l->work->hidden, rows * l->net.d_ff * (l->net.expert[0].wi_1 ? 2u : 1u));
}

/* The numbers of the tokens whose rows came: a number travels in the place of two floats. */
static void send_numbers(struct moe_layer *l, const struct moe_call *c)
{
    float *pack = l->work->pack.p;
    size_t i;

    for (i = 0; i < l->d.n_send; i++) {
        uint64_t number = token_number(c, (size_t)l->d.token[i]);

        memcpy(pack + 2 * i, &number, sizeof(number));
    }
    dispatch_out(&l->d, pack, l->kept->number.p, 2, &l->work->journey);
}

/* The dropout of an expert's rows, which begin at row. */
static const struct ffn_drop *drop_of(const struct moe_layer *l, const struct moe_call *c,
                                      size_t row, struct ffn_drop *drop)
{
    if (c->drop.rate <= 0)
        return NULL;
    drop->drop = &c->drop;
    drop->number = (const uint64_t *)(const void *)l->kept->number.p + row;
    drop->length = 1;
    drop->first = 0;
    return drop;
}

static void run_experts(struct moe_layer *l, const struct moe_call *c, float *y)
{
    size_t m = l->net.d_model, row = 0;
    float *saved = l->kept->saved.p;
    int e;

    for (e = 0; e < l->d.n_own; e++) {
        const struct ffn *f = &l->net.expert[e];
        size_t n = l->d.rows[e];
        struct ffn_drop drop;

        if (n == 0)
            continue;
        ffn_forward(f, drop_of(l, c, row, &drop), l->kept->x.p + row * m, n, saved, y + row * m);
        saved += ffn_saved(f, n);
        row += n;
    }
}

void moe_layer_forward(struct moe_layer *l, const struct moe_call *c, const float *x, float *y)
{
    struct moe_work *w = l->work;
    size_t m = l->net.d_model, i;
    long k;

    choose(l, c, x);
    dispatch_plan(&l->d, l->route.expert, l->route.kept, c->n);
    reserve(l, c);
    if (c->drop.rate > 0)
        send_numbers(l, c);
#pragma omp parallel for schedule(static) if (l->d.n_send * m > SMALL)
    for (k = 0; k < (long)l->d.n_send; k++)
        memcpy(w->pack.p + (size_t)k * m, x + (size_t)l->d.token[k] * m, m * sizeof(*x));
    dispatch_out(&l->d, w->pack.p, l->kept->x.p, m, &w->journey);
    run_experts(l, c, w->result.p);
    dispatch_back(&l->d, w->result.p, l->kept->back.p, m, &w->journey);

    memset(y, 0, c->n * m * sizeof(*y));
#pragma omp parallel for private(i) schedule(static) if (l->d.n_send * m > SMALL)
    for (k = 0; k < (long)l->d.n_send; k++) {
        size_t token = (size_t)l->d.token[k];
        const float *row = l->kept->back.p + (size_t)k * m;

        for (i = 0; i < m; i++)
            y[token * m + i] = l->route.gate[token] * row[i];
    }
}

static void run_experts_back(struct moe_layer *l, const struct moe_call *c, const float *dy,
                             float *dx)
{
    size_t m = l->net.d_model, row = 0;
    float *saved = l->kept->saved.p;
    int e;

    for (e = 0; e < l->d.n_own; e++) {
        const struct ffn *f = &l->net.expert[e];
        size_t n = l->d.rows[e];
        struct ffn_drop drop;

        if (n == 0)
            continue;
        ffn_backward(f, drop_of(l, c, row, &drop), &l->net.d_expert[e], l->kept->x.p + row * m,
                     dy + row * m, n, saved, l->work->hidden.p, dx + row * m);
        saved += ffn_saved(f, n);
        row += n;
    }
}

/* The router's part: dx = gradient of its input, times the jitter. */
static void choose_back(struct moe_layer *l, const struct moe_call *c, const float *x, float *dx)
{
    const float *a = router_input(l, c, x);
    struct route_rule rule = c->rule;
    float *d_logits = moe_buffer_need(&l->work->d_logits, l->n_token * (size_t)l->net.n_expert);

    if (c->n == 0)
        return;
    if (c->one_group_losses)
        rule.group_tokens = (int)c->n;
    route_backward(&rule, &l->route, l->work->d_gate.p, c->aux_scale, c->z_scale, a, l->net.router,
                   c->segment, c->n, l->net.d_model, d_logits, dx, l->net.d_router);
    if (c->jitter != 0)
        jitter(c, dx, dx, l->net.d_model);
}

void moe_layer_backward(struct moe_layer *l, const struct moe_call *c, const float *x,
                        const float *dy, float *dx)
{
    struct moe_work *w = l->work;
    size_t m = l->net.d_model, i;
    float *d_gate = moe_buffer_need(&w->d_gate, l->n_token);
    float *d_row = w->pack.p, *d_in = w->result.p;
    long k;

    memset(d_gate, 0, c->n * sizeof(*d_gate));
#pragma omp parallel for private(i) schedule(static) if (l->d.n_send * m > SMALL)
    for (k = 0; k < (long)l->d.n_send; k++) {
        size_t token = (size_t)l->d.token[k];
        const float *d = dy + token * m;

        d_gate[token] = kern.dot(d, l->kept->back.p + (size_t)k * m, m);
        for (i = 0; i < m; i++)
            d_row[(size_t)k * m + i] = l->route.gate[token] * d[i];
    }
    dispatch_out(&l->d, d_row, d_in, m, &w->journey);
    run_experts_back(l, c, d_in, d_row);
    dispatch_back(&l->d, d_row, d_in, m, &w->journey);
    choose_back(l, c, x, dx);
#pragma omp parallel for schedule(static) if (l->d.n_send * m > SMALL)
    for (k = 0; k < (long)l->d.n_send; k++)
        kern.add(dx + (size_t)l->d.token[k] * m, d_in + (size_t)k * m, m);
}
