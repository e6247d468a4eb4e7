/* Cross-entropy with z-loss: reference vectors, slopes, extremes. */
#include "../nn/check.h"

#include "kernel/kernel.h"
#include "loss/loss.h"

static void test_reference(void **state)
{
    const char *file = "ops/ops.safetensors";
    float *logits = golden(file, "xent.logits", 9 * 96),
          *want = golden(file, "xent.dlogits", 9 * 96);
    float *ce_sum = golden(file, "xent.ce_sum", 1), *z_sum = golden(file, "xent.z_sum", 1);
    int32_t *target = golden(file, "xent.targets", 9), i;
    double ce[9], log_z[9], sum = 0, z = 0;

    (void)state;
    kernel_init();
    loss_forward(logits, target, 9, 96, 1e-4, 1, ce, log_z);
    for (i = 0; i < 9; i++) {
        sum += ce[i];
        z += 1e-4 * log_z[i] * log_z[i];
    }
    check_close(&sum, ce_sum, 1, 1e-5, 1e-6);
    check_close(&z, z_sum, 1, 1e-5, 1e-6);
    check_gradient(logits, want, 9 * 96);
    free(logits), free(want), free(ce_sum), free(z_sum), free(target);
}

struct row {
    double *x, z;
    size_t v;
    int target;
};

static double row_loss(void *ctx)
{
    struct row *r = ctx;
    double sum = 0, log_z;
    size_t i;

    for (i = 0; i < r->v; i++)
        sum += exp(r->x[i]);
    log_z = log(sum);
    return log_z - r->x[r->target] + r->z * log_z * log_z;
}

/* V longer than what is summed in one piece, and no multiple of anything. */
static void test_slopes(void **state)
{
    enum { V = 2311 };
    int32_t target[3] = { 5, 0, V - 1 };
    float *x = random_floats(3 * V, 1, 3), *kept = xcalloc(3 * V, sizeof(float));
    double ce[3], log_z[3], z = 0.03, scale = 0.37, *slope, *xd;
    int i, j;

    (void)state;
    kernel_init();
    memcpy(kept, x, 3 * V * sizeof(float));
    loss_forward(x, target, 3, V, z, 0, ce, log_z);
    assert_memory_equal(x, kept, 3 * V * sizeof(float));
    loss_forward(x, target, 3, V, z, scale, ce, log_z);
    for (i = 0; i < 3; i += 2) {
        struct row r = { xd = doubles(kept + i * V, V), z, V, target[i] };
        double want = row_loss(&r), got = ce[i] + z * log_z[i] * log_z[i];

        check_close(&got, &want, 1, 1e-5, 1e-6);
        slope = slopes(row_loss, &r, xd, V);
        for (j = 0; j < V; j++)
            slope[j] *= scale;
        check_gradient(x + i * V, slope, V);
        free(slope), free(xd);
    }
    for (j = 0; j < V; j++)
        assert_true(x[V + j] == 0);
    assert_true(ce[1] == 0 && log_z[1] == 0);
    free(x), free(kept);
}

/* Logits far apart or far from 0 neither overflow nor lose the answer. */
static void test_extremes(void **state)
{
    float x[8] = { 1e4f, -1e4f, 1e4f, 0, -INFINITY, 5, 5, 5 };
    int32_t target[2] = { 2, 1 };
    double ce[2], log_z[2];

    (void)state;
    kernel_init();
    loss_forward(x, target, 2, 4, 0, 1, ce, log_z);
    assert_true(fabs(ce[0] - log(2)) < 1e-6 && fabs(ce[1] - log(3)) < 1e-6);
    assert_true(fabsf(x[0] - 0.5f) < 1e-6f && fabsf(x[2] + 0.5f) < 1e-6f && x[1] == 0);
    assert_true(x[4] == 0);
    loss_forward(x, target, 0, 4, 0, 1, ce, log_z);
}

TESTS("loss/loss", cmocka_unit_test(test_reference), cmocka_unit_test(test_slopes),
      cmocka_unit_test(test_extremes))
