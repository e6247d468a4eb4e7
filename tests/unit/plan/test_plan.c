/* train/plan: memory as the model takes it, capacity as the router has it. (Sizes and operations
 * of published models: tests/cmd/switch-plan.t.) */
#include <math.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "moe/router.h"
#include "nn/gemm.h"
#include "optim/spread.h"
#include "plan/plan.h"
#include "shape/params.h"
#include "train/loop.h"

enum { INPUTS = 128, TARGETS = 48 };

static struct comm *comm;

static int set_up(void **state)
{
    (void)state;
    comm = comm_init();
    gemm_threads(1);    // small products
    kernel_init();
    return 0;
}

static struct config make_config(int sparse, int gated, int big)
{
    struct config c = { .model_type = "switch_transformers", .n_vocab = big ? 4000 : 500 };
    int i;

    c.d_model = big ? 128 : 64;
    c.d_ff = big ? 512 : 128;
    c.d_kv = 32;
    c.n_head = big ? 8 : 4;
    c.n_block[0] = c.n_block[1] = 4;
    c.n_bucket = 32;
    c.max_distance = 128;
    c.eps = 1e-6;
    c.tied = 1;
    c.gated = gated;
    c.n_expert = sparse ? 4 : 0;
    for (i = 1; i < 4 && sparse; i += 2)
        c.sparse[0][i] = c.sparse[1][i] = 1;
    return c;
}

static void fill(int32_t *id, int32_t *segment, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        id[i] = (int32_t)(3 + i * 7919 % 400);
        segment[i] = 1;
    }
}

/* What the model has taken after a step, in which no row is padded and no token dropped. */
static double taken(const struct config *c, const struct plan_ask *ask)
{
    struct train_rule rule = { .group_rows = 1, .min_capacity = 4, .jitter = 0.01 };
    struct step_report r;
    struct trainer *t;
    struct err err;
    size_t s = (size_t)ask->n_row * INPUTS, n = (size_t)ask->n_row * TARGETS;
    double bytes;

    rule.batch = ask->n_row;
    rule.capacity_factor = c->n_expert;
    rule.optimizer_min_dim = 128;
    rule.remat = ask->remat;
    rule.precision = ask->half ? PRECISION_BF16 : PRECISION_FP32;
    rule.init_scale = 0.1;
    rule.aux_loss = 0.01;
    t = trainer_new(c, &rule, comm, INPUTS, TARGETS, 0, &err);
    assert_non_null(t);
    fill(t->micro[0].input, t->micro[0].input_segment, s);
    fill(t->micro[0].target, t->micro[0].target_segment, n);
    fill(t->micro[0].decoder, t->micro[0].target_segment, n);
    assert_int_equal(trainer_step(t, 0, &r, &err), 0);
    assert_true(r.sums.dropped == 0);
    bytes = (double)model_bytes(t->model);
    trainer_free(t);
    return bytes;
}

/* Arrays are rounded up to 16 floats, and counts of tokens are small: 2 %. */
static void check_activations(const struct config *c, int rows, int half, const char *what,
                              int number)
{
    struct plan_ask ask = { .mesh = { 1, 1, 1 }, .n_row = rows, .n_micro = rows };
    struct plan p;
    double bytes;

    ask.half = half;
    ask.n_input = INPUTS;
    ask.n_target = TARGETS;
    ask.group_rows = 1;
    ask.min_capacity = 4;
    ask.min_dim = 128;
    ask.capacity_factor = 4;
    for (ask.remat = 0; ask.remat < 2; ask.remat++) {
        bytes = taken(c, &ask);
        plan_make(&p, c, &ask);
        if (!(fabs(p.activations / bytes - 1) <= 0.02))
            fail_msg("%s %d, %d rows, remat %d, bf16 %d: %.0f bytes, but the model has %.0f", what,
                     number, rows, ask.remat, half, p.activations, bytes);
    }
}

static void test_activations(void **state)
{
    int k, rows;

    (void)state;
    for (k = 0; k < 8; k++)
        for (rows = 1; rows <= 1 + (k == 1); rows++) {
            struct config c = make_config(k & 1, k >> 1 & 1, k >> 2);

            check_activations(&c, rows, 0, "case", k);
        }
}

static void test_half(void **state)
{
    int k;

    (void)state;
    for (k = 0; k < 4; k++) {
        struct config c = make_config(k & 1, k >> 1, 0);

        check_activations(&c, 1, 1, "case", k);
    }
}

static void test_variants(void **state)
{
    int router, mixed;

    (void)state;
    for (router = ROUTE_TOP1; router <= ROUTE_NTLB; router++)
        for (mixed = 0; mixed < 3; mixed++) {
            struct config c = make_config(1, 0, 1);

            c.router = (enum route_kind)router;
            c.second = SECOND_ALL;
            c.n_choice = 3;
            c.mixed[0][0] = c.mixed[1][1] = mixed > 0;
            c.d_ff_mixed = mixed == 1 ? 300 : 0;
            if (mixed == 2)
                c.sparse[0][1] = c.sparse[0][3] = c.sparse[1][1] = c.sparse[1][3] = 0;
            check_activations(&c, 1, router == ROUTE_TOP2 && mixed == 1, "variant",
                              router * 3 + mixed);
        }
}

/* The fullest of two ranks with an expert each; slots of what they share are divided. */
static void test_slots(void **state)
{
    struct adafactor_rule rule = { .min_dim = 128 };
    struct plan_ask ask = { .mesh = { 2, 1, 2 }, .n_row = 2, .n_micro = 1, .n_input = 8 };
    struct config c = make_config(1, 0, 1);
    struct params *t = params_new(&c, 0, 2, 0);
    int *owner = calloc(t->n, sizeof(*owner)), r;
    unsigned char *own = calloc(t->n, 1);
    struct plan p;
    double most = 0;
    size_t i;

    (void)state;
    spread_owners(t, 2, 1, owner);
    for (r = 0; r < 2; r++) {
        struct adafactor *a;

        for (i = 0; i < t->n; i++)
            own[i] = i >= t->n_shared || owner[i] == r;
        a = adafactor_new_of(t, &rule, own);
        most = fmax(most, (double)(a->size * sizeof(float)));
        adafactor_free(a);
    }
    ask.n_target = 8;
    ask.group_rows = 1;
    ask.min_dim = 128;
    plan_make(&p, &c, &ask);
    assert_true(p.slots == most);
    assert_int_equal(p.experts_per_rank, 2);
    free(owner);
    free(own);
    params_free(t);
}

static void test_capacity(void **state)
{
    static const double factors[] = { 0.1, 1, 1.25, 2, 100 };
    struct config c = make_config(1, 0, 0);
    int e, f, length;

    (void)state;
    for (e = 1; e <= 256; e *= 4)
        for (f = 0; f < 5; f++)
            for (length = 1; length < 700; length += 37) {
                struct route_rule rule = { .n_expert = e, .min_capacity = 4 };
                struct plan_ask ask = {
                    .mesh = { 1, 1, 1 }, .n_row = 6, .n_micro = 6, .min_dim = 128
                };
                struct plan p;

                c.n_expert = e;
                ask.group_rows = 2;
                ask.min_capacity = 4;
                ask.capacity_factor = rule.capacity_factor = factors[f];
                ask.n_input = length;
                ask.n_target = 1;
                rule.group_tokens = 2 * length;
                plan_make(&p, &c, &ask);
                assert_int_equal(p.capacity[ENCODER], route_capacity(&rule));
            }
}

static int tear_down(void **state)
{
    (void)state;
    comm_end(comm);
    return 0;
}

TESTS("plan/plan", cmocka_unit_test_setup(test_activations, set_up), cmocka_unit_test(test_half),
      cmocka_unit_test(test_variants), cmocka_unit_test(test_slots),
      cmocka_unit_test_teardown(test_capacity, tear_down))
