/* train/loop: six steps against a reference, and the same whole step however it is divided. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "model/rows.h"
#include "nn/gemm16.h"
#include "seq/batch.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "tensors/tensors.h"
#include "train/loop.h"

static struct err err;
static struct comm *comm;
static struct config config;
static struct batch all;    // the rows of the reference

static char *data(const char *name)
{
    return xasprintf("%s/golden/%s", test_data, name);
}

static void must(int ok)
{
    if (!ok)
        fail_msg("%s", err.msg);
}

static int set_up(void **state)
{
    char *model = data("switch_tiny/model"), *rows = data("paper_switch/inputs.safetensors");
    struct rows_names names;

    (void)state;
    comm = comm_init();
    kernel_init();
    must(config_read(&config, model, &err) == 0);
    must(slice_lay(comm, &config, getenv("TEST_MESH"), &err) == 0);
    must(rows_read(&all, rows, config.n_vocab, &names, &err) == 0);
    free(model);
    free(rows);
    return 0;
}

/* Rows [first, ...) of all into b. */
static void copy_rows(struct batch *b, int first)
{
    size_t n = (size_t)b->n_row * sizeof(int32_t), s = (size_t)b->n_input, t = (size_t)b->n_target;
    size_t at = (size_t)first;

    memcpy(b->input, all.input + at * s, n * s);
    memcpy(b->input_segment, all.input_segment + at * s, n * s);
    memcpy(b->target, all.target + at * t, n * t);
    memcpy(b->decoder, all.decoder + at * t, n * t);
    memcpy(b->target_segment, all.target_segment + at * t, n * t);
    memcpy(b->number, all.number + at, (size_t)b->n_row * sizeof(*b->number));
}

static struct trainer *make(struct train_rule *rule, int64_t micro_rows)
{
    char *model = data("switch_tiny/model");
    struct tensors *from = tensors_open(model, &err);
    struct trainer *t;
    int i;

    must(from != NULL);
    t = trainer_new(&config, rule, comm, all.n_input, all.n_target, micro_rows, &err);
    must(t != NULL);
    must(params_load(t->params, &config, from, &err) == 0);
    for (i = 0; i < t->n_micro && t->n_row; i++)
        copy_rows(&t->micro[i], (int)t->first_row + i * t->micro[i].n_row);
    tensors_close(from);
    free(model);
    return t;
}

static struct train_rule reference_rule(void)
{
    struct train_rule r = { .batch = all.n_row, .group_rows = all.n_row, .min_capacity = 4 };

    r.capacity_factor = 1.25;
    r.aux_loss = 0.01;
    r.z_loss = 1e-4;
    r.optimizer_min_dim = 16;
    r.init_scale = 0.1;
    r.schedule = (struct schedule){ .kind = SCHEDULE_CONSTANT, .lr = 0.01 };
    return r;
}

static void near(double got, double want, double bound, const char *what, int step)
{
    if (!(fabs(got - want) <= bound))
        fail_msg("step %d: %s %.8g, not %.8g", step, what, got, want);
}

static void check_params(const struct params *p)
{
    char *path = data("train_traj/final_params.safetensors");
    struct tensors *want = tensors_open(path, &err);
    float w[96 * 32];
    size_t i, k;

    must(want != NULL);
    assert_true(comm_size(comm) > 1 || tensors_n(want) == p->n);
    for (i = 0; i < p->n; i++) {
        const struct tensor *x = tensors_find(want, p->p[i].name);

        assert_non_null(x);
        assert_int_equal(slice_copy(&p->p[i], x, w, &err), 0);
        for (k = 0; k < p->p[i].n; k++)
            near((double)p->p[i].w[k], (double)w[k], 1e-4, p->p[i].name, 6);
    }
    tensors_close(want);
    free(path);
}

static void test_trajectory(void **state)
{
    struct train_rule rule = reference_rule();
    struct trainer *t = make(&rule, 0);
    char *path = data("train_traj/losses.tsv"), line[256];
    FILE *f = fopen(path, "r");
    double step, total, ce, z, aux, kept[2];
    struct step_report r;
    int n = 0;

    (void)state;
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    while (fgets(line, sizeof(line), f)) {
        assert_int_equal(sscanf(line, "%lf %lf %lf %lf %lf %lf %lf", &step, &total, &ce, &z, &aux,
                                &kept[0], &kept[1]),
                         7);
        must(trainer_step(t, 0, &r, &err) == 0);
        near(r.loss, total, 1e-4, "loss", n);
        near(-r.nlp, ce, 1e-4, "cross-entropy", n);
        near(1e-4 * r.sums.log_z2 / r.sums.n_target, z, 1e-6, "z-loss", n);
        near(r.sums.aux, aux, 1e-4, "balance", n);
        near(r.sums.routed - r.sums.dropped, kept[0] + kept[1], 0, "kept", n);
        n++;
    }
    fclose(f);
    assert_int_equal(n, 6);
    assert_int_equal(t->step, 6);
    check_params(t->params);
    trainer_free(t);
    free(path);
}

/* Two groups of rows in one microbatch or in two: sums in another order, so the bound is that of
 * float sums of some hundred terms, 1e-5 of the loss, over 5 steps. */
static void test_microbatches(void **state)
{
    struct train_rule rule = reference_rule();
    struct trainer *one, *two;
    struct step_report a, b;
    int i;

    (void)state;
    if (comm_size(comm) > 1)
        return;    // of one rank
    rule.group_rows = all.n_row / 2;
    rule.jitter = 0.01;
    rule.dropout = 0.1;
    one = make(&rule, 0);
    two = make(&rule, rule.group_rows);
    assert_int_equal(one->n_micro, 1);
    assert_int_equal(two->n_micro, 2);
    for (i = 0; i < 5; i++) {
        must(trainer_step(one, 0, &a, &err) == 0);
        must(trainer_step(two, 0, &b, &err) == 0);
        near(b.loss, a.loss, 1e-5 * a.loss, "loss", i);
        near(b.grad_norm, a.grad_norm, 1e-4 * a.grad_norm, "gradient norm", i);
        assert_true(b.sums.dropped == a.sums.dropped && b.tokens == a.tokens);
    }
    trainer_free(one);
    trainer_free(two);
}

static void test_repeats(void **state)
{
    struct train_rule rule = reference_rule();
    struct trainer *one = make(&rule, 0), *two = make(&rule, 0);
    struct step_report r;
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        must(trainer_step(one, 0, &r, &err) == 0);
        must(trainer_step(two, 1, &r, &err) == 0);
        assert_int_equal(r.stop, 1);
    }
    assert_memory_equal(one->params->w, two->params->w, one->params->size * sizeof(float));
    trainer_free(one);
    trainer_free(two);
}

/* Each tensor's gradient, as a vector, against that of floats. */
static void near_gradients(const struct params *p, const struct params *want, double share)
{
    size_t i, j;

    for (i = 0; i < p->n; i++) {
        double off = 0, size = 0;

        for (j = 0; j < p->p[i].n; j++) {
            off += pow((double)p->p[i].g[j] - want->p[i].g[j], 2);
            size += pow((double)want->p[i].g[j], 2);
        }
        if (!(sqrt(off) <= share * sqrt(size)))
            fail_msg("gradient of %s: off by %g of itself", p->p[i].name, sqrt(off / size));
    }
}

static void check_halves(const struct params *p)
{
    uint16_t half;
    size_t i, j;

    for (i = 0; i < p->n; i++)
        for (j = 0; j < p->p[i].n; j++) {
            kern.half(&half, p->p[i].w + j, 1);
            assert_int_equal(p->p[i].half[j], half);
        }
}

/* Rounding to bf16 moves each input of a product by at most 2^-9 of itself, up and down as it
 * falls, so the loss, a mean over hundreds of them, first moves by far less. A token that now
 * goes to another expert moves more: of the gradient of an expert with four tokens, a quarter.
 * Updates carry it on, but the loss falls as it does in
 * floats, within a tenth of how far it has fallen. */
static void test_bf16(void **state)
{
    struct train_rule rule = reference_rule();
    struct trainer *full = make(&rule, 0), *half, *again, *plain;
    struct step_report a, b, c;
    double first = 0;
    int i;

    (void)state;
    rule.precision = PRECISION_BF16;
    half = make(&rule, 0);
    again = make(&rule, 0);
    plain = make(&rule, 0);
    assert_true(model_bytes(half->model) < model_bytes(full->model));
    for (i = 0; i < 6; i++) {
        must(trainer_step(full, 0, &a, &err) == 0);
        must(trainer_step(half, 0, &b, &err) == 0);
        must(trainer_step(again, 0, &c, &err) == 0);
        first = i ? first : a.loss;
        near(b.loss, a.loss, i ? 0.1 * (first - a.loss) : a.loss / 4096, "loss of bf16", i);
        if (i == 0 && comm_size(comm) == 1)    // else each rank has some of them
            near_gradients(half->params, full->params, 0.25);
        assert_true(a.loss != b.loss && b.loss == c.loss);
        gemm16_by(GEMM16_PLAIN);
        must(trainer_step(plain, 0, &c, &err) == 0);
        gemm16_by(GEMM16_BEST);
        near(c.loss, b.loss, i ? 0.1 * (first - b.loss) : b.loss / 4096, "loss of rounded floats",
             i);
    }
    assert_memory_equal(half->params->w, again->params->w, half->params->size * sizeof(float));
    check_halves(half->params);
    trainer_free(full);
    trainer_free(half);
    trainer_free(again);
    trainer_free(plain);
}

static void test_refusals(void **state)
{
    struct train_rule rule = reference_rule();
    struct trainer *t = make(&rule, 0);
    struct step_report r;

    (void)state;
    t->params->w[0] = NAN;
    assert_int_equal(trainer_step(t, 0, &r, &err), -1);
    assert_non_null(strstr(err.msg, "not finite"));
    assert_int_equal(t->step, 0);
    trainer_free(t);
    rule.group_rows = all.n_row - 1;
    assert_null(trainer_new(&config, &rule, comm, 4, 4, 0, &err));
    rule.group_rows = all.n_row / 2;
    assert_null(trainer_new(&config, &rule, comm, 4, 4, 1, &err));
}

static int tear_down(void **state)
{
    (void)state;
    batch_release(&all);
    comm_end(comm);
    return 0;
}

TESTS("train/loop", cmocka_unit_test_setup(test_trajectory, set_up),
      cmocka_unit_test(test_microbatches), cmocka_unit_test(test_repeats),
      cmocka_unit_test(test_bf16), cmocka_unit_test_teardown(test_refusals, tear_down))
