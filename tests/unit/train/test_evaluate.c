/* train/evaluate: sums by language are those of single rows run alone; shards and folders. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "examples.h"
#include "kernel/kernel.h"
#include "model/model.h"
#include "seq/batch.h"
#include "shape/config.h"
#include "shape/params.h"
#include "train/evaluate.h"

static struct err err;
static struct comm *comm;
static struct config config;
static struct params *params;

static int set_up(void **state)
{
    char *model = xasprintf("%s/golden/switch_tiny/model", test_data);

    (void)state;
    comm = comm_init();
    kernel_init();
    mkdir("dev", 0700);
    examples_write("dev/b.ex", "bb", 5, 7);
    examples_write("dev/a.ex", "aa", 8, 1);
    examples_write("more", "aa", 3, 1);
    assert_int_equal(config_read(&config, model, &err), 0);
    params = params_new(&config, 0, config.n_expert, 0);
    params_init(params, &config, 1, 1);
    free(model);
    return 0;
}

/* Cross-entropy of all rows of a shard, one at a time. */
static double alone(const char *path)
{
    struct model *m = model_new(&config, params, comm, 1, EX_INPUTS, EX_TARGETS, 0);
    struct run run = { .group_rows = 1, .capacity_factor = 2, .min_capacity = 4, .n_target = 1 };
    struct mix *mix = mix_open(path, &err);
    struct losses sums = { 0 };
    struct batch b;
    uint64_t i;

    assert_non_null(mix);
    run.n_group[0] = run.n_group[1] = 1;
    batch_init(&b, 1, EX_INPUTS, EX_TARGETS);
    for (i = 0; i < mix_rows(mix); i++) {
        assert_int_equal(mix_fill(mix, i, &b, 0, &err), 0);
        model_forward(m, &b, &run, &sums, NULL, NULL);
    }
    batch_release(&b);
    mix_close(mix);
    model_free(m);
    return sums.ce;
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-5 * fabs(want)))    // floats in another order
        fail_msg("%.9g, not %.9g", got, want);
}

static void test_sums(void **state)
{
    const char *const paths[] = { "dev", "more" };
    struct eval_set *s = eval_open(paths, 2, &err);
    struct eval_rule rule = { 1, 3, 2, 4, 0, 0, 0 };
    struct model *m = model_new(&config, params, comm, 3, EX_INPUTS, EX_TARGETS, 0);
    struct evaluation e;
    double chosen = 0;
    int i;

    (void)state;
    assert_non_null(s);
    assert_int_equal(eval_inputs(s), EX_INPUTS);
    assert_int_equal(eval_targets(s), EX_TARGETS);
    assert_int_equal(eval_vocab(s), EX_VOCAB);
    assert_int_equal(evaluate(s, m, &config, comm, &rule, &e, &err), 0);
    assert_int_equal(e.n_lang, 2);
    assert_int_equal(e.n_sparse, 2);
    assert_string_equal(e.lang[0], "aa");
    assert_true(e.sums[0].rows == 11 && e.sums[1].rows == 5 && e.sums[2].rows == 16);
    assert_true(e.sums[1].targets == 7 * 5);    // rows of 1, 2, 1, 2, 1 segments of 5
    near(e.sums[0].ce, alone("dev/a.ex") + alone("more"));
    near(e.sums[1].ce, alone("dev/b.ex"));
    near(e.sums[2].ce, e.sums[0].ce + e.sums[1].ce);
    for (i = 0; i < e.n_sparse * e.n_expert; i++)
        chosen += e.chosen[2 * e.n_sparse * e.n_expert + i];
    assert_true(chosen == e.sums[2].routed && chosen > 0);
    assert_true(e.sums[2].entropy > 0 && e.sums[2].entropy < chosen * log(config.n_expert));
    evaluation_release(&e);
    model_free(m);
    eval_close(s);
}

static void test_refusals(void **state)
{
    const char *path = "dev/none.ex";
    FILE *f;

    (void)state;
    assert_null(eval_open(&path, 1, &err));
    path = "empty";
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(eval_open(&path, 1, &err));
    assert_non_null(strstr(err.msg, "*.ex"));
    path = "junk.ex";
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("SYS1 but no shard", f);
    fclose(f);
    assert_null(eval_open(&path, 1, &err));
}

static int tear_down(void **state)
{
    (void)state;
    params_free(params);
    comm_end(comm);
    return 0;
}

TESTS("train/evaluate", cmocka_unit_test_setup(test_sums, set_up),
      cmocka_unit_test_teardown(test_refusals, tear_down))
