/* train/spread: who owns what, and that nothing but time and memory depends on it. On however many
 * ranks this is started, laid out as $TEST_MESH says; with $TEST_DIR, checkpoints of another start
 * (on one rank) are loaded, saved and compared (tests/mpi/mesh.t). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "../train/examples.h"
#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "optim/spread.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "train/loop.h"
#include "train/state.h"

static struct err err;
static struct comm *comm;
static struct config config;
static struct mix *mix;

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
    must(slice_lay(comm, &config, getenv("TEST_MESH"), &err) == 0);
    free(model);
    return 0;
}

static void check_owners(const struct params *p, int n_shared, int n_experts)
{
    int *owner = xcalloc(p->n, sizeof(*owner));
    size_t load[2][8] = { { 0 } }, all[2] = { 0 }, most[2] = { 0 }, i;
    int n[2] = { n_shared, n_experts }, k, r;

    spread_owners(p, n_shared, n_experts, owner);
    for (i = 0; i < p->n; i++) {
        k = i >= p->n_shared;
        assert_in_range(owner[i], 0, n[k] - 1);
        load[k][owner[i]] += p->p[i].n;
        all[k] += p->p[i].n;
        most[k] = p->p[i].n > most[k] ? p->p[i].n : most[k];
    }
    /* The largest first: no rank has more than an even share and one bucket. A bucket is a tensor
     * or 1/8 of a share, or it is small. */
    for (k = 0; k < 2; k++)
        for (r = 0; r < n[k]; r++) {
            size_t share = all[k] / (size_t)n[k], bucket = share / 8 + most[k] + 1024;

            if (load[k][r] > share + bucket)
                fail_msg("%d of %d: %zu of %zu", r, n[k], load[k][r], all[k]);
        }
    free(owner);
}

static void test_owners(void **state)
{
    struct params *p = params_table(&config, 0, config.n_expert);
    int n, k;

    (void)state;
    for (n = 1; n <= 8; n++)
        for (k = 1; k <= n; k++)
            check_owners(p, n, k);
    params_free(p);
}

static struct trainer *make(int n_step, int late_sums)
{
    struct train_rule rule = { .batch = 8, .group_rows = 2, .capacity_factor = 1.25 };
    struct trainer *t;
    struct step_report r;

    rule.aux_loss = 0.01;
    rule.z_loss = 1e-4;
    rule.min_capacity = 4;
    rule.jitter = 0.01;
    rule.schedule = (struct schedule){ .lr = 1, .warmup = 100 };
    rule.optimizer_min_dim = 16;
    rule.init_scale = 0.1;
    t = trainer_new(&config, &rule, comm, EX_INPUTS, EX_TARGETS, 2, &err);
    must(t != NULL);
    t->late_sums = late_sums;
    while (n_step--) {
        must(trainer_fill(t, mix, &err) == 0);
        must(trainer_step(t, 0, &r, &err) == 0);
    }
    return t;
}

/* Sums that move during the backward pass are those that begin after it. */
static void test_early(void **state)
{
    struct trainer *a = make(3, 0), *b = make(3, 1);

    (void)state;
    assert_memory_equal(a->params->w, b->params->w, a->params->size * sizeof(float));
    assert_memory_equal(a->optimizer->data, b->optimizer->data, a->optimizer->size * sizeof(float));
    trainer_free(a);
    trainer_free(b);
}

/* Messages in pieces give what whole ones give: a count may pass what MPI takes. */
static void test_pieces(void **state)
{
    struct trainer *a = make(2, 0), *b;

    (void)state;
    comm_set_piece(comm, 100);
    b = make(2, 0);
    comm_set_piece(comm, 0);
    /* sums of a piece may go another way: the bound of float sums over ranks, carried on by a step
     * of 0.1 times the numbers' size */
    for (size_t i = 0; i < a->params->size; i++)
        if (!(a->params->w[i] - b->params->w[i] <= 1e-4f &&
              b->params->w[i] - a->params->w[i] <= 1e-4f))
            fail_msg("%zu: %g, %g", i, (double)a->params->w[i], (double)b->params->w[i]);
    trainer_free(a);
    trainer_free(b);
}

/* All ranks along data hold the slots of the whole once. */
static void test_slots(void **state)
{
    struct params_part part = slice_part(&config, comm);
    struct adafactor_rule rule = { .min_dim = 16 };
    struct params *p = params_table_part(&config, &part);
    struct trainer *t = make(0, 0);
    double whole = 0, shared = 0, held = (double)t->optimizer->size, experts = 0;
    size_t i;

    (void)state;
    for (i = 0; i < p->n; i++)
        *(i < p->n_shared ? &shared : &experts) += (double)adafactor_slots(&rule, &p->p[i]);
    comm_sum_f64(comm_axis(comm, AXIS_EXPERT), &experts, 1);
    comm_sum_f64(comm_axis(comm, AXIS_DATA), &held, 1);
    whole = shared + experts;
    assert_true(held == whole);
    trainer_free(t);
    params_free(p);
}

static void test_checkpoint(void **state)
{
    static const struct state_facts facts = { .mixture = "abc", .vocab_sha256 = "def" };
    const char *dir = getenv("TEST_DIR");
    char *from, *to, *diff;
    struct trainer *t;

    (void)state;
    if (!dir)
        return;
    from = xasprintf("%s/one/step-00000003", dir);
    to = xasprintf("%s/again", dir);
    diff = xasprintf("diff -r '%s' '%s/step-00000003'", from, to);
    t = make(comm_size(comm) == 1 ? 3 : 0, 0);
    if (comm_size(comm) == 1) {
        char *one = xasprintf("%s/one", dir);

        must(state_save(t, &facts, one, &err) == 0);
        free(one);
    } else {
        must(state_load(t, &facts, from, &err) == 0);
        must(state_save(t, &facts, to, &err) == 0);
        if (comm_rank(comm) == 0)
            assert_int_equal(system(diff), 0);
    }
    free(from);
    free(to);
    free(diff);
    trainer_free(t);
}

static int tear_down(void **state)
{
    (void)state;
    mix_close(mix);
    comm_end(comm);
    return 0;
}

TESTS("optim/spread", cmocka_unit_test_setup(test_owners, set_up), cmocka_unit_test(test_early),
      cmocka_unit_test(test_pieces), cmocka_unit_test(test_slots),
      cmocka_unit_test_teardown(test_checkpoint, tear_down))
