/* Experts side by side: the same to the bit on any number of threads, whether their gradients are
 * added to zeros or overwrite what was there, experts that no row came to too. */
#include "../nn/check.h"

#include "comm/comm.h"
#include "kernel/kernel.h"
#include "moe/layer.h"
#include "nn/gemm.h"

enum { E = 8, M = 64, F = 96, LENGTH = 40, ROWS = 4, N = LENGTH * ROWS, PART = M * F };
enum { N_GRAD = E * M + 3 * E * PART, OUT = N * M };

static struct comm *own;

static void end(void)
{
    comm_end(own);
}

struct result {
    float y[OUT], dx[OUT], d[N_GRAD];
};

static float *weights;
static uint16_t *halves;

static void make_weights(void)
{
    weights = random_floats(N_GRAD, 5, 0.3);
    halves = xcalloc(N_GRAD, sizeof(*halves));
    kern.half(halves, weights, N_GRAD);
}

static void run(int n_thread, int fresh, int half, int gated, size_t n_real, struct result *r)
{
    struct ffn expert[E];
    struct ffn16 expert16[E];
    struct ffn_grad d_expert[E];
    struct moe_net net = { .n_expert = E, .d_model = M, .d_ff = F, .d_out = M, .router = weights };
    struct moe_work *work = moe_work_new();
    struct moe_call call = { .rule = { .n_expert = E, .group_tokens = N, .capacity_factor = 3 },
                             .n = N,
                             .length = LENGTH,
                             .gradient = 1,
                             .fresh = fresh };
    uint64_t number[ROWS] = { 3, 4, 5, 6 };
    int32_t segment[N];
    float *in = random_floats(OUT, 1, 1.0), *dy = random_floats(OUT, 2, 1.0);
    struct moe_layer *l;
    size_t e, at, i;

    gemm_threads(n_thread);
    for (i = 0; i < N_GRAD; i++)
        r->d[i] = fresh && i >= E * M ? NAN : 0;
    for (i = 0; i < N; i++)
        segment[i] = i < n_real;
    for (e = 0; e < E; e++) {
        at = E * M + 3 * e * PART;
        expert[e] = (struct ffn){ M, F, weights + at, gated ? weights + at + PART : NULL,
                                  weights + at + 2 * PART };
        expert16[e] = (struct ffn16){ M, F, halves + at, gated ? halves + at + PART : NULL,
                                      halves + at + 2 * PART };
        d_expert[e] = (struct ffn_grad){ r->d + at, gated ? r->d + at + PART : NULL,
                                         r->d + at + 2 * PART, 0 };
    }
    net.d_router = r->d;
    net.expert = expert;
    net.d_expert = d_expert;
    net.expert16 = half ? expert16 : NULL;
    call.segment = segment;
    call.number = number;
    call.drop = (struct dropout){ .rate = 0.2, .key = 4, .per_element = 1 };
    l = moe_layer_new(&net, own, work, N, 1, 0);
    moe_layer_forward(l, &call, in, r->y);
    moe_layer_backward(l, &call, in, dy, r->dx);
    moe_layer_free(l);
    moe_work_free(work);
    free(in), free(dy);
}

static void check_same(int half, int gated, size_t n_real)
{
    static struct result want, got;
    size_t e, i;
    int n_thread, fresh;

    run(1, 0, half, gated, n_real, &want);
    for (e = 0; e < E; e++)    // nothing of what is not there
        for (i = 0; !gated && i < PART; i++)
            assert_true(want.d[E * M + (3 * e + 1) * PART + i] == 0);
    for (n_thread = 1; n_thread <= 4; n_thread++)
        for (fresh = 0; fresh < 2; fresh++) {
            run(n_thread, fresh, half, gated, n_real, &got);
            assert_memory_equal(got.y, want.y, sizeof(want.y));
            assert_memory_equal(got.dx, want.dx, sizeof(want.dx));
            for (i = 0; i < N_GRAD; i++)
                if (gated || i < E * M || (i - E * M) / PART % 3 != 1)
                    assert_true(got.d[i] == want.d[i]);
        }
    gemm_threads(1);
}

static void test_threads(void **state)
{
    int half, gated;

    (void)state;
    for (half = 0; half < 2; half++)
        for (gated = 0; gated < 2; gated++) {
            check_same(half, gated, N);
            check_same(half, gated, 3);    // experts without rows
        }
}

static int set_up(void **state)
{
    (void)state;
    kernel_init();
    own = comm_init();
    atexit(end);
    make_weights();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(weights), free(halves);
    return 0;
}

TESTS("moe/experts", cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down))
