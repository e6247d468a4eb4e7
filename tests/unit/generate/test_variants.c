/* Networks of all variants: each step of generation gives the logits of one pass over the whole. */
#include <math.h>

#include "../nn/check.h"
#include "comm/comm.h"
#include "generate/net.h"
#include "generate/weights.h"
#include "kernel/kernel.h"
#include "model/model.h"
#include "seq/batch.h"
#include "shape/params.h"

enum { S = 9, T = 7, V = 40, TEXTS = 2 };

static struct comm *comm;

static struct config make_config(enum route_kind router, int mixed, int d_ff_mixed)
{
    struct config c = { .model_type = "switch_transformers",
                        .n_vocab = V,
                        .d_model = 12,
                        .d_ff = 20,
                        .d_kv = 5,
                        .n_head = 3,
                        .n_block = { 2, 2 },
                        .n_expert = 4,
                        .tied = 1,
                        .n_bucket = 32,
                        .max_distance = 128,
                        .eps = 1e-6,
                        .expert_capacity = 64,
                        .n_choice = 3,
                        .second = SECOND_THRESHOLD,
                        .threshold = 0.3 };

    c.router = router;
    c.d_ff_mixed = d_ff_mixed;
    c.sparse[ENCODER][1] = c.sparse[DECODER][0] = 1;
    c.mixed[ENCODER][0] = c.mixed[DECODER][0] = c.mixed[DECODER][1] = (unsigned char)mixed;
    return c;
}

static void write_model(const struct config *c, const struct params *p)
{
    struct tensor *t = xcalloc(p->n, sizeof(*t));
    struct err err = { "" };
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct param *x = &p->p[i];

        t[i] = (struct tensor){ .name = x->name, .type = TENSOR_F32, .n_dim = x->n_dim };
        memcpy(t[i].dim, x->dim, sizeof(x->dim));
        t[i].data = x->w;
        t[i].n = x->n;
    }
    if (config_write(c, "config.json", &err) < 0 ||
        tensors_write("model.safetensors", t, p->n, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    free(t);
}

static void fill(struct batch *b)
{
    int row, i;

    batch_init(b, TEXTS, S, T);
    for (row = 0; row < TEXTS; row++) {
        for (i = 0; i < S; i++) {
            b->input[row * S + i] = 1 + (row * 11 + i * 5) % (V - 1);
            b->input_segment[row * S + i] = 1;
        }
        for (i = 0; i < T; i++) {
            b->target[row * T + i] = 1 + (row * 7 + i * 3) % (V - 1);
            b->target_segment[row * T + i] = 1;
            b->decoder[row * T + i] = i ? b->target[row * T + i - 1] : 0;
        }
    }
}

static void check(const struct config *c)
{
    struct params *p = params_new(c, 0, c->n_expert, 0);
    struct run run = { .group_rows = 1, .cap = CAP_NONE, .n_target = 1, .n_group = { 1, 1 } };
    struct losses sums = { 0 };
    struct model_view want;
    struct weights *w;
    struct batch b;
    struct model *m;
    struct net *net;
    struct err err = { "" };
    int32_t text[TEXTS], id[TEXTS];
    int i, t;

    params_init(p, c, 3, 1.0);
    write_model(c, p);
    fill(&b);
    m = model_new(c, p, comm, TEXTS, S, T, 0);
    model_keep(m);
    model_forward(m, &b, &run, &sums, NULL, NULL);
    assert_true(model_look(m, "logits", &want) && sums.dropped == 0);
    w = weights_open(".", &err);
    if (!w)
        fail_msg("%s", err.msg);
    net = net_new(w, TEXTS, TEXTS, T);
    for (i = 0; i < TEXTS; i++) {
        net_encode(net, i, b.input + i * S, S, 0);
        text[i] = i;
    }
    net_begin_steps(net);
    for (t = 0; t < T; t++) {
        const float *got;

        for (i = 0; i < TEXTS; i++)
            id[i] = b.decoder[i * T + t];
        got = net_step(net, TEXTS, id, text, text);
        for (i = 0; i < TEXTS; i++)
            check_close(got + i * V, want.f32 + (i * T + t) * V, V, 5e-5, 1e-5);
    }
    net_free(net);
    weights_close(w);
    model_free(m);
    params_free(p);
    batch_release(&b);
}

static void test_variants(void **state)
{
    static const enum route_kind kinds[] = { ROUTE_TOP1, ROUTE_TOP2, ROUTE_NTLB };
    struct config c;
    size_t i;

    (void)state;
    kernel_init();
    net_threads(1);    // tiny products
    comm = comm_init();
    for (i = 0; i < 3; i++) {
        c = make_config(kinds[i], 0, 0);
        check(&c);
        c = make_config(kinds[i], 1, 17);
        check(&c);
        c = make_config(kinds[i], 1, 0);
        c.gated = 1;
        c.router_bf16 = 1;
        check(&c);
    }
    c = make_config(ROUTE_TOP2, 0, 0);
    c.second = SECOND_NONE;
    check(&c);
    comm_end(comm);
}

TESTS("generate/variants", cmocka_unit_test(test_variants))
