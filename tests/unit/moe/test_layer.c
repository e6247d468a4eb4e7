/* The Switch layer on one process: reference vectors of another implementation, exchanges,
 * what dropout and jitter depend on, no tokens. Several ranks: tests/mpi. */
#include "../comm/self.h"
#include "../nn/check.h"

#include "moe/layer.h"

enum { E = 4, M = 16, F = 24, ROWS = 4, LENGTH = 6, N = ROWS * LENGTH };

/* [k, in, out] -> [k, out, in] */
static float *transposed(float *x, size_t k, size_t in, size_t out)
{
    float *y = xcalloc(k * in * out, sizeof(*y));
    size_t e, i, j;

    for (e = 0; e < k; e++)
        for (i = 0; i < in; i++)
            for (j = 0; j < out; j++)
                y[(e * out + j) * in + i] = x[(e * in + i) * out + j];
    free(x);
    return y;
}

struct weights {
    float *router, *wi, *wi_1, *wo;
};

static struct weights read_weights(const char *file, const char *prefix, const char *router,
                                   int gated)
{
    char *name[4];
    struct weights w = { 0 };
    int i;

    name[0] = xasprintf("%s%s", prefix, router);
    name[1] = xasprintf("%swi", prefix);
    name[2] = xasprintf("%swi_1", prefix);
    name[3] = xasprintf("%swo", prefix);
    w.router = transposed(golden(file, name[0], M * E), 1, M, E);
    w.wi = transposed(golden(file, name[1], E * M * F), E, M, F);
    w.wi_1 = gated ? transposed(golden(file, name[2], E * M * F), E, M, F) : NULL;
    w.wo = transposed(golden(file, name[3], E * F * M), E, F, M);
    for (i = 0; i < 4; i++)
        free(name[i]);
    return w;
}

static void free_weights(struct weights *w)
{
    free(w->router), free(w->wi), free(w->wi_1), free(w->wo);
}

struct layer {
    struct weights w, d;
    struct ffn expert[E];
    struct ffn_grad d_expert[E];
    struct moe_work *work;
    struct moe_layer *l;
    uint64_t number[ROWS];
};

static void make_layer(struct layer *x, int gated, int n_choice)
{
    struct moe_net net;
    size_t e, part = (size_t)M * F;

    x->w = read_weights("mesh_moe/inputs.safetensors", "", "router_kernel", gated);
    x->d.router = xcalloc((size_t)M * E, sizeof(float));
    x->d.wi = xcalloc(E * part, sizeof(float));
    x->d.wi_1 = gated ? xcalloc(E * part, sizeof(float)) : NULL;
    x->d.wo = xcalloc(E * part, sizeof(float));
    for (e = 0; e < E; e++) {
        x->expert[e] = (struct ffn){ M, F, x->w.wi + e * part, gated ? x->w.wi_1 + e * part : NULL,
                                     x->w.wo + e * part };
        x->d_expert[e] = (struct ffn_grad){ x->d.wi + e * part, gated ? x->d.wi_1 + e * part : NULL,
                                            x->d.wo + e * part, 0 };
    }
    for (e = 0; e < ROWS; e++)
        x->number[e] = 10 + e;
    net = (struct moe_net){ E,    M,    F, x->w.router, x->d.router, x->expert, x->d_expert, NULL,
                            NULL, NULL, M };
    x->work = moe_work_new();
    x->l = moe_layer_new(&net, self(), x->work, N, n_choice, 0);
}

static void free_layer(struct layer *x)
{
    moe_layer_free(x->l);
    moe_work_free(x->work);
    free_weights(&x->w);
    free_weights(&x->d);
}

static struct moe_call make_call(const struct layer *x, int groups, double capacity, int least)
{
    return (struct moe_call){ .rule = { .n_expert = E,
                                        .group_tokens = N / groups,
                                        .capacity_factor = capacity,
                                        .min_capacity = least },
                              .n = N,
                              .length = LENGTH,
                              .number = x->number,
                              .gradient = 1 };
}

static const struct reference {
    const char *name;
    int groups, least, gated, pad, microbatches;
    double capacity;
    enum route_kind kind;
    enum route_second second;
    int second_loss;
} references[] = {
    { "switch_train_cf1.25", 1, 1, 0, 0, 1, 1.25, ROUTE_TOP1, 0, 0 },
    { "switch_microbatch2", 1, 1, 0, 0, 2, 1.25, ROUTE_TOP1, 0, 0 },
    { "switch_mincap4_groups4", 4, 4, 0, 0, 1, 1.25, ROUTE_TOP1, 0, 0 },
    { "switch_geglu", 1, 1, 1, 0, 1, 1.25, ROUTE_TOP1, 0, 0 },
    { "switch_train_cf1.0_pad", 1, 1, 0, 1, 1, 1.0, ROUTE_TOP1, 0, 0 },
    { "switch_train_cf1.0_pad_groups2", 2, 1, 0, 1, 1, 1.0, ROUTE_TOP1, 0, 0 },
    { "switch_eval_cf2.0_pad", 1, 1, 0, 1, 1, 2.0, ROUTE_TOP1, 0, 0 },
    { "switch_zloss1e-3_pad", 1, 1, 0, 1, 1, 1.25, ROUTE_TOP1, 0, 0 },
    { "top2_all_cf1.25", 1, 1, 0, 0, 1, 1.25, ROUTE_TOP2, SECOND_ALL, 0 },
    { "top2_all_cf2.0_pad", 1, 1, 0, 1, 1, 2.0, ROUTE_TOP2, SECOND_ALL, 0 },
    { "top2_threshold_second_loss", 1, 1, 0, 0, 1, 1.25, ROUTE_TOP2, SECOND_THRESHOLD, 1 },
    { "ntlb_k4_cf1.0", 1, 1, 0, 0, 1, 1.0, ROUTE_NTLB, 0, 0 },
    { "ntlb_k4_cf1.0_pad", 1, 1, 0, 1, 1, 1.0, ROUTE_NTLB, 0, 0 },
};

static void check_gradients(const struct reference *r, const char *file, struct layer *x,
                            struct moe_call *call, const float *in)
{
    float *dy = golden("mesh_moe/inputs.safetensors", "cotangent", N * M);
    float *dx = xcalloc(N * M, sizeof(*dx)), *want_dx = golden(file, "grad.x", N * M);
    float *loss = golden(file, "loss_times_coef", 1);
    int balanced = r->kind != ROUTE_NTLB && !r->pad;    // else its balance loss is another
    struct weights want = read_weights(file, "grad.", "router_kernel", r->gated);
    double got_loss;

    call->aux_scale = balanced ? 0.01 / (r->groups * r->microbatches) : 0;
    got_loss = call->aux_scale * moe_layer_sums(x->l)->aux;
    moe_layer_backward(x->l, call, in, dy, dx);
    if (balanced)
        check_close(&got_loss, loss, 1, 1e-5, 1e-6);
    if (!r->pad) {
        check_gradient(dx, want_dx, N * M);
        check_gradient(x->d.router, want.router, E * M);
    }
    check_gradient(x->d.wi, want.wi, E * M * F);
    check_gradient(x->d.wo, want.wo, E * M * F);
    if (r->gated)
        check_gradient(x->d.wi_1, want.wi_1, E * M * F);
    free_weights(&want);
    free(dy), free(dx), free(want_dx), free(loss);
}

/* combine [G, Sg, E, C] has the gate at each token's experts and slots. */
static void check_choices(const struct reference *r, const char *file, const struct layer *x,
                          const struct route_rule *rule)
{
    size_t slots = (size_t)route_capacity(rule), n_choice = (size_t)route_choices(rule), i, k;
    const struct route *got = moe_layer_route(x->l);
    float *want = golden(file, "combine", N * E * slots), *made = xcalloc(N * E * slots, 4);
    size_t n_want = 0, n_made = 0;

    for (i = 0; i < N * n_choice; i++)
        if (got->kept[i]) {
            k = (i / n_choice * E + (size_t)got->expert[i]) * slots + (size_t)got->slot[i];
            assert_true(got->slot[i] >= 0 && (size_t)got->slot[i] < slots && made[k] == 0);
            made[k] = got->gate[i];
            n_made++;
        }
    for (i = 0; i < N * E * slots; i++)
        n_want += want[i] != 0;
    check_output(made, want, N * E * slots);
    if (n_made != n_want)
        fail_msg("%s: %zu slots, not %zu", r->name, n_made, n_want);
    free(want), free(made);
}

static void check_reference(const struct reference *r)
{
    char *file = xasprintf("mesh_moe/%s.safetensors", r->name);
    float *in = golden("mesh_moe/inputs.safetensors", "x", N * M), y[N * M];
    float *real = golden("mesh_moe/inputs.safetensors", "nonpadding", N);
    float *want = golden(file, "y", N * M);
    int32_t segment[N], i;
    struct layer x;
    struct moe_call call;

    make_layer(&x, r->gated, r->kind == ROUTE_TOP2 ? 2 : r->kind == ROUTE_NTLB ? 4 : 1);
    call = make_call(&x, r->groups, r->capacity, r->least);
    call.rule.kind = r->kind;
    call.rule.n_choice = 4;
    call.rule.second = r->second;
    call.rule.threshold = 0.3;
    call.rule.second_loss = r->second_loss;
    for (i = 0; i < N; i++)
        segment[i] = !r->pad || real[i] != 0;
    call.segment = segment;
    moe_layer_forward(x.l, &call, in, y);
    check_output(y, want, N * M);
    check_choices(r, file, &x, &call.rule);
    check_gradients(r, file, &x, &call, in);
    free_layer(&x);
    free(file), free(in), free(real), free(want);
}

static void test_reference(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(references) / sizeof(references[0]); i++)
        check_reference(&references[i]);
}

static void test_exchanges(void **state)
{
    float *in = random_floats(N * M, 1, 1.0), y[N * M], dx[N * M];
    int32_t segment[N];
    struct layer x;
    struct moe_call call;
    uint64_t before, i;

    (void)state;
    for (i = 0; i < N; i++)
        segment[i] = 1;
    make_layer(&x, 0, 1);
    call = make_call(&x, 2, 1.0, 1);
    call.segment = segment;
    before = comm_stats(self())->n_exchange;
    moe_layer_forward(x.l, &call, in, y);
    assert_int_equal(comm_stats(self())->n_exchange, before + 2);
    moe_layer_backward(x.l, &call, in, y, dx);
    assert_int_equal(comm_stats(self())->n_exchange, before + 4);
    free_layer(&x);
    free(in);
}

/* Rows in another order, with their numbers: the same results in that order. */
static void test_randomness_goes_with_rows(void **state)
{
    static const size_t order[ROWS] = { 2, 0, 3, 1 };
    float *in = random_floats(N * M, 2, 1.0), moved[N * M], y[N * M], z[N * M], plain[N * M];
    int32_t segment[N];
    struct layer x;
    struct moe_call call;
    size_t i, row = LENGTH * M;

    (void)state;
    for (i = 0; i < N; i++)
        segment[i] = 1;
    make_layer(&x, 1, 1);
    call = make_call(&x, ROWS, E, 1);    // nothing dropped
    call.segment = segment;
    moe_layer_forward(x.l, &call, in, plain);
    call.jitter = 0.5;
    call.input_key = 3;
    call.drop = (struct dropout){ .rate = 0.4, .key = 4, .per_element = 1 };
    moe_layer_forward(x.l, &call, in, y);
    for (i = 0; i < ROWS; i++) {
        memcpy(moved + i * row, in + order[i] * row, row * sizeof(float));
        x.number[i] = 10 + order[i];
    }
    moe_layer_forward(x.l, &call, moved, z);
    for (i = 0; i < ROWS; i++)
        check_close(z + i * row, y + order[i] * row, row, 1e-6, 1e-6);
    assert_memory_not_equal(plain, y, sizeof(y));
    free_layer(&x);
    free(in);
}

static void test_nothing(void **state)
{
    float none = 0;
    struct layer x;
    struct moe_call call;

    (void)state;
    make_layer(&x, 0, 1);
    call = make_call(&x, 1, 1.25, 4);
    call.n = 0;
    moe_layer_forward(x.l, &call, &none, &none);
    moe_layer_backward(x.l, &call, &none, &none, &none);
    assert_true(moe_layer_sums(x.l)->routed == 0);
    assert_true(none == 0);
    free_layer(&x);
}

TESTS("moe/layer", cmocka_unit_test(test_reference), cmocka_unit_test(test_exchanges),
      cmocka_unit_test(test_randomness_goes_with_rows), cmocka_unit_test(test_nothing))
