/* train/state: a checkpoint gives back all that a run is, and refuses what is not its own. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "examples.h"
#include "kernel/kernel.h"
#include "shape/params.h"
#include "tensors/tensors.h"
#include "train/loop.h"
#include "train/state.h"

static struct err err;
static struct comm *comm;
static struct config config;
static struct mix *mix;
static const struct state_facts facts = { "abc", "def", NULL };
static const struct train_rule usual = { .batch = 4,
                                         .group_rows = 2,
                                         .capacity_factor = 1.25,
                                         .aux_loss = 0.01,
                                         .z_loss = 1e-4,
                                         .min_capacity = 4,
                                         .jitter = 0.01,
                                         .schedule = { SCHEDULE_RSQRT, 1.0, 10000, 0, 0 },
                                         .optimizer_min_dim = 16,
                                         .init_scale = 0.1,
                                         .seed = 1 };

static void must(int ok)
{
    if (!ok)
        fail_msg("%s", err.msg);
}

static int set_up(void **state)
{
    char *model = xasprintf("%s/golden/switch_tiny/model", test_data);

    (void)state;
    comm = comm_init();
    kernel_init();
    examples_write("aa.ex", "aa", 64, 1);
    mix = mix_open("aa.ex", &err);
    must(mix != NULL);
    must(config_read(&config, model, &err) == 0);
    free(model);
    return 0;
}

static struct trainer *make(const struct train_rule *rule, int n_step)
{
    struct trainer *t = trainer_new(&config, rule, comm, EX_INPUTS, EX_TARGETS, 0, &err);
    struct step_report r;

    must(t != NULL);
    while (n_step--) {
        must(trainer_fill(t, mix, &err) == 0);
        must(trainer_step(t, 0, &r, &err) == 0);
    }
    return t;
}

static void same(const struct trainer *a, const struct trainer *b)
{
    assert_int_equal(a->step, b->step);
    assert_memory_equal(a->params->w, b->params->w, a->params->size * sizeof(float));
    assert_memory_equal(a->optimizer->data, b->optimizer->data, a->optimizer->size * sizeof(float));
}

static void test_round_trip(void **state)
{
    struct trainer *a = make(&usual, 3), *b = make(&usual, 0);
    struct step_report r;
    struct tensors *t;
    int i;

    (void)state;
    must(state_save(a, &facts, "run", &err) == 0);
    assert_int_equal(access("run/step-00000003.part", F_OK), -1);
    must(state_load(b, &facts, "run/step-00000003", &err) == 0);
    same(a, b);
    for (i = 0; i < 2; i++) {
        must(trainer_fill(a, mix, &err) == 0 && trainer_step(a, 0, &r, &err) == 0);
        must(trainer_fill(b, mix, &err) == 0 && trainer_step(b, 0, &r, &err) == 0);
    }
    same(a, b);
    must(state_save(a, &facts, "one", &err) == 0 && state_save(b, &facts, "two", &err) == 0);
    assert_int_equal(system("diff -r one two"), 0);
    t = tensors_open("run/step-00000003", &err);    // by its index: weights alone
    must(t != NULL);
    assert_int_equal(tensors_n(t), a->params->n);
    tensors_close(t);
    must(state_save(a, &facts, "one", &err) == 0);    // over itself
    assert_int_equal(system("diff -r one two"), 0);
    trainer_free(a);
    trainer_free(b);
}

static void refused(const struct train_rule *rule, const struct state_facts *f, const char *why)
{
    struct trainer *t = make(rule, 0);

    assert_int_equal(state_load(t, f, "run/step-00000003", &err), -2);
    if (!strstr(err.msg, why))
        fail_msg("'%s' does not say '%s'", err.msg, why);
    trainer_free(t);
}

static void test_other_runs(void **state)
{
    struct train_rule rule = usual;

    (void)state;
    rule.seed = 2;
    refused(&rule, &facts, "--seed 1, not 2");
    rule = usual;
    rule.batch = 8;
    refused(&rule, &facts, "--batch 4, not 8");
    rule = usual;
    rule.aux_loss = 0.02;
    refused(&rule, &facts, "--aux-loss 0.01, not 0.02");
    refused(&usual, &(struct state_facts){ "abd", "def", NULL }, "another mixture");
    refused(&usual, &(struct state_facts){ "abc", "deg", NULL }, "another vocabulary");
    config.d_ff = 32;
    refused(&usual, &facts, "another model");
    config.d_ff = 64;
}

static void test_damage(void **state)
{
    static const char *const damages[] = {
        "rm d/state.json",
        "echo '{' >d/state.json",
        "echo '[]' >d/state.json",
        "sed -i 's/\"version\": 2/\"version\": 3/' d/state.json",
        "sed -i 's/\"version\": 2/\"version\": 3/' d/state.json; rm d/files.xxh128",
        "rm d/files.xxh128",
        ": >d/files.xxh128",
        "sed -i '/expert-00002/d' d/files.xxh128",
        "sed -i 's/\"seed\": 1/\"seed\": 2/' d/state.json",
        "sed -i 's/\"d_ff\": 64/\"d_ff\": 32/' d/config.json",
        "printf x | dd of=d/expert-00002.safetensors bs=1 seek=3000 conv=notrunc status=none",
        "rm d/config.json",
        "rm d/model-shared.safetensors",
        "truncate -s -1 d/expert-00002.safetensors",
        "truncate -s 100 d/optimizer-shared.safetensors",
        "rm d/optimizer-expert-00001.safetensors",
        "cp d/optimizer-expert-00001.safetensors d/optimizer-expert-00000.safetensors",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct trainer *t = make(&usual, 0);

        assert_int_equal(system("rm -rf d && cp -r run/step-00000003 d"), 0);
        assert_int_equal(state_load(t, &facts, "d", &err), 0);
        assert_int_equal(system(damages[i]), 0);
        if (state_load(t, &facts, "d", &err) != -1 || !err.msg[0])
            fail_msg("%s: was not noticed", damages[i]);
        trainer_free(t);
    }
}

static void test_write_fails(void **state)
{
    struct trainer *t = make(&usual, 0);

    (void)state;
    assert_int_equal(system("touch file"), 0);
    assert_int_equal(state_save(t, &facts, "file", &err), -1);
    assert_non_null(strstr(err.msg, "file"));
    trainer_free(t);
}

static int tear_down(void **state)
{
    (void)state;
    mix_close(mix);
    comm_end(comm);
    return 0;
}

TESTS("train/state", cmocka_unit_test_setup(test_round_trip, set_up),
      cmocka_unit_test(test_other_runs), cmocka_unit_test(test_damage),
      cmocka_unit_test_teardown(test_write_fails, tear_down))
