/* The router: reference vectors, slopes of a double-precision twin, capacity, groups, padding. */
#include "../nn/check.h"

#include <omp.h>

#include "kernel/kernel.h"
#include "moe/router.h"

struct arrays {
    struct route r;
    float *d_logits, *da, *dw;
};

static struct arrays arrays_new(size_t n, size_t n_expert, size_t m)
{
    return (struct arrays){
        .r = { xcalloc(n * n_expert, 4), xcalloc(n * n_expert, 4), xcalloc(n, 4), xcalloc(n, 4),
               xcalloc(n, 4), xcalloc(n, 4) },
        .d_logits = xcalloc(n * n_expert, 4),
        .da = xcalloc(n * m, 4),
        .dw = xcalloc(n_expert * m, 4),
    };
}

static void arrays_free(struct arrays *x)
{
    free(x->r.logits), free(x->r.probs), free(x->r.expert), free(x->r.slot), free(x->r.kept);
    free(x->r.gate), free(x->d_logits), free(x->da), free(x->dw);
}

static void test_reference(void **state)
{
    const char *file = "ops/ops.safetensors";
    float *x = golden(file, "router.x", 384), *w = golden(file, "router.w", 64);
    float *d_gate = golden(file, "router.dgate", 24), *gate = golden(file, "router.gate", 24);
    float *logits = golden(file, "router.logits", 96), *probs = golden(file, "router.probs", 96);
    float *dx = golden(file, "router.dx", 384), *dw = golden(file, "router.dw", 64);
    float *aux = golden(file, "router.aux", 1), *z = golden(file, "router.z", 1);
    int32_t *top = golden(file, "router.top", 24);
    struct route_rule rule = { 4, 24, 4.0, 1, 0, 0 };
    struct arrays a = arrays_new(24, 4, 16);
    struct route_sums sums;

    (void)state;
    kernel_init();
    route_forward(&rule, x, w, NULL, 24, 16, &a.r, &sums);
    route_backward(&rule, &a.r, d_gate, 0.01, 0.001, x, w, NULL, 24, 16, a.d_logits, a.da, a.dw);
    check_output(a.r.logits, logits, 96);
    check_output(a.r.probs, probs, 96);
    check_output(a.r.gate, gate, 24);
    assert_memory_equal(a.r.expert, top, 24 * sizeof(*top));
    check_close(&sums.aux, aux, 1, 1e-5, 1e-6);
    check_close(&sums.z, z, 1, 1e-5, 1e-6);
    assert_true(sums.routed == 24 && sums.dropped == 0);
    check_gradient(a.da, dx, 384);
    check_gradient(a.dw, dw, 64);
    arrays_free(&a);
    free(x), free(w), free(d_gate), free(gate), free(logits), free(probs), free(dx), free(dw);
    free(aux), free(z), free(top);
}

TESTS("moe/router", cmocka_unit_test(test_reference))
