/* The loss of slices of the vocabulary: joined, that of the whole. */
#include "../nn/check.h"

#include "kernel/kernel.h"
#include "loss/loss.h"
#include "loss/loss_slice.h"

enum { N = 5, V = 3000, PARTS = 3, WIDTH = V / PARTS };

static struct loss_slice part(int k, const int32_t *target, double scale)
{
    return (struct loss_slice){
        .first = (size_t)k * WIDTH, .v = WIDTH, .target = target, .n = N, .z = 0.01, .scale = scale
    };
}

/* [N, V] and the slices [PARTS, N, WIDTH] of it. */
static void cut(const float *whole, float *slices)
{
    int k, i;

    for (k = 0; k < PARTS; k++)
        for (i = 0; i < N; i++)
            memcpy(slices + (k * N + i) * WIDTH, whole + i * V + k * WIDTH, WIDTH * sizeof(float));
}

/* What ranks share between the steps. */
static void run(float *slices, const int32_t *target, double scale, double *ce, double *log_z)
{
    float top[N], most[N];
    double sums[2 * N], all[2 * N] = { 0 };
    int k, i;

    for (i = 0; i < N; i++)
        most[i] = -INFINITY;
    for (k = 0; k < PARTS; k++) {
        struct loss_slice s = part(k, target, scale);

        loss_slice_top(&s, slices + k * N * WIDTH, top);
        for (i = 0; i < N; i++)
            most[i] = fmaxf(most[i], top[i]);
    }
    for (k = 0; k < PARTS; k++) {
        struct loss_slice s = part(k, target, scale);

        loss_slice_sums(&s, slices + k * N * WIDTH, most, sums);
        for (i = 0; i < 2 * N; i++)
            all[i] += sums[i];
    }
    for (k = 0; k < PARTS; k++) {
        struct loss_slice s = part(k, target, scale);

        loss_slice_end(&s, slices + k * N * WIDTH, most, all, ce, log_z);
    }
}

static void check(double scale)
{
    static const int32_t target[N] = { 5, V - 1, 0, WIDTH, -3 };
    float *x = random_floats(N * V, 1, 8), *slices = xcalloc(N * V, sizeof(float));
    float *want = xcalloc(N * V, sizeof(float));
    double ce[2][N], log_z[2][N];
    int i;

    x[7] = 300;    // far above the rest, in one slice
    cut(x, slices);
    run(slices, target, scale, ce[0], log_z[0]);
    loss_forward(x, target, N, V, 0.01, scale, ce[1], log_z[1]);
    cut(x, want);
    for (i = 0; i < N; i++) {
        assert_true(fabs(ce[0][i] - ce[1][i]) <= 1e-6 * fabs(ce[1][i]));
        assert_true(fabs(log_z[0][i] - log_z[1][i]) <= 1e-6 * fabs(log_z[1][i]));
    }
    for (i = 0; i < N * V; i++)
        if (!(fabsf(slices[i] - want[i]) <= 1e-6f * (fabsf(want[i]) + (scale != 0))))
            fail_msg("element %d: %g, not %g", i, (double)slices[i], (double)want[i]);
    free(x);
    free(slices);
    free(want);
}

static void test_parts(void **state)
{
    (void)state;
    kernel_init();
    check(0.37);
    check(0);
}

TESTS("loss/loss_slice", cmocka_unit_test(test_parts))
