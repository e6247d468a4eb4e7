/* The memory of training: no more than is counted, and none is asked for after the first step. */
#include <malloc.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "base/err.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "plan/plan.h"
#include "shape/params.h"
#include "train/loop.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };    // with an allocator of its own, and more memory
static long n_call;
#else
enum { SANITIZED = 0 };

/* The C library's allocator by its other names, and a count of its use. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static long n_call;

void *malloc(size_t n)
{
    __atomic_add_fetch(&n_call, 1, __ATOMIC_RELAXED);
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    __atomic_add_fetch(&n_call, 1, __ATOMIC_RELAXED);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    __atomic_add_fetch(&n_call, 1, __ATOMIC_RELAXED);
    return __libc_realloc(p, n);
}
#endif

enum { ROWS = 4, INPUTS = 192, TARGETS = 64 };

static const struct config config = { .model_type = "switch_transformers",
                                      .n_vocab = 8192,
                                      .d_model = 256,
                                      .d_ff = 512,
                                      .d_kv = 64,
                                      .n_head = 4,
                                      .n_block = { 2, 2 },
                                      .n_expert = 4,
                                      .sparse = { { 0, 1 }, { 0, 1 } },
                                      .tied = 1,
                                      .n_bucket = 32,
                                      .max_distance = 128,
                                      .eps = 1e-6 };

static void fill(int32_t *id, int32_t *segment, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        id[i] = (int32_t)(3 + i * 7919 % 8000);
        segment[i] = 1;
    }
}

static struct trainer *begin(int remat)
{
    struct train_rule rule = { .batch = ROWS, .group_rows = 1, .min_capacity = 4, .jitter = 0.01 };
    struct trainer *t;
    struct err err;

    rule.capacity_factor = 1.25;
    rule.optimizer_min_dim = 128;
    rule.init_scale = 0.1;
    rule.aux_loss = 0.01;
    rule.dropout = 0.1;
    rule.remat = remat;
    kernel_init();
    t = trainer_new(&config, &rule, comm_init(), INPUTS, TARGETS, 0, &err);
    gemm_threads(1);
    assert_non_null(t);
    fill(t->micro[0].input, t->micro[0].input_segment, ROWS * INPUTS);
    fill(t->micro[0].target, t->micro[0].target_segment, ROWS * TARGETS);
    fill(t->micro[0].decoder, t->micro[0].target_segment, ROWS * TARGETS);
    return t;
}

static void step(struct trainer *t)
{
    struct step_report r;
    struct err err;

    if (trainer_step(t, 0, &r, &err) < 0)
        _exit(2);
}

/* Of the largest process ended so far among those waited for, in bytes: so smaller ones first. */
static double most(void)
{
    struct rusage r;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &r), 0);
    return 1024.0 * (double)r.ru_maxrss;
}

static double bytes_of(void (*work)(int), int how)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        work(how);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return most();
}

static void idle(int how)
{
    static float x[64 * 64];

    (void)how;
    kernel_init();
    comm_init();
    gemm_threads(1);
    gemm_nn(64, 64, 64, x, 64, x, 64, 0, x, 64);
}

static void train(int remat)
{
    struct trainer *t = begin(remat);
    int i;

    for (i = 0; i < 2; i++)
        step(t);
}

static void test_resident(void **state)
{
    struct plan_ask ask = { .mesh = { 1, 1, 1 }, .n_row = ROWS, .n_micro = ROWS };
    double base = bytes_of(idle, 0), got, count[2];
    struct plan p;

    (void)state;
    ask.n_input = INPUTS;
    ask.n_target = TARGETS;
    ask.group_rows = 1;
    ask.min_capacity = 4;
    ask.min_dim = 128;
    ask.capacity_factor = 1.25;
    for (ask.remat = 1; ask.remat >= 0; ask.remat--) {
        got = bytes_of(train, ask.remat) - base;
        plan_make(&p, &config, &ask);
        count[ask.remat] = p.weights + p.gradients + p.slots + p.activations;
        print_message("# remat %d: %.1f MB resident, %.1f MB counted\n", ask.remat, got / 1e6,
                      count[ask.remat] / 1e6);
        assert_true(SANITIZED || got <= 1.15 * count[ask.remat]);
        assert_true(SANITIZED || got >= 0.7 * count[ask.remat]);    // what is counted is there
    }
    assert_true(count[1] < count[0]);
}

static void steady(int remat)
{
    struct trainer *t = begin(remat);
    long calls;
    int i;

    step(t);
    calls = n_call;
    for (i = 0; i < 3; i++)
        step(t);
    if (n_call != calls) {
        print_message("# %ld calls of malloc in 3 steps\n", n_call - calls);
        _exit(1);
    }
    if (calls == 0)
        _exit(SANITIZED ? 0 : 3);
}

static void test_steady(void **state)
{
    (void)state;
    bytes_of(steady, 0);
    bytes_of(steady, 1);
}

TESTS("train/memory", cmocka_unit_test(test_resident), cmocka_unit_test(test_steady))
