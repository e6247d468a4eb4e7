/* train/adafactor: three steps against reference runs; threads do not change a bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "io/tensors.h"
#include "kernel/kernel.h"
#include "optim/adafactor.h"
#include "shape/params.h"

static struct err err;

static struct tensors *golden(const char *name)
{
    char path[4096];
    struct tensors *t;

    snprintf(path, sizeof(path), "%s/golden/adafactor/%s.safetensors", test_data, name);
    t = tensors_open(path, &err);
    if (!t)
        fail_msg("%s", err.msg);
    return t;
}

static const struct tensor *get(const struct tensors *t, const char *fmt, const char *name, int i)
{
    char key[128];
    const struct tensor *x;

    snprintf(key, sizeof(key), fmt, name, i);
    x = tensors_find(t, key);
    if (!x)
        fail_msg("no %s", key);
    return x;
}

/* One tensor as a table of parameters: of a stack [E, rows, cols], slice e. */
static struct params single(const struct tensor *x, int e, struct param *p)
{
    struct params t = { .p = p, .n = 1, .n_shared = 1 };
    float *all = malloc(x->n * sizeof(*all));

    *p = (struct param){ .n_dim = x->n_dim == 3 ? 2 : x->n_dim, .expert = -1 };
    p->dim[0] = x->dim[x->n_dim == 3 ? 1 : 0];
    p->dim[1] = p->n_dim == 2 ? x->dim[x->n_dim - 1] : 0;
    p->n = (size_t)(p->dim[0] * (p->n_dim == 2 ? p->dim[1] : 1));
    p->w = malloc(p->n * sizeof(float));
    p->g = malloc(p->n * sizeof(float));
    assert_int_equal(tensor_copy_f32(x, all, x->n, &err), 0);
    memcpy(p->w, all + (size_t)e * p->n, p->n * sizeof(float));
    free(all);
    return t;
}

/* Against slice e of want. */
static void near(const struct tensor *want, int e, const float *got, size_t n, const char *what)
{
    float *all = malloc(want->n * sizeof(*all));
    size_t i;

    assert_true((size_t)(e + 1) * n <= want->n);
    assert_int_equal(tensor_copy_f32(want, all, want->n, &err), 0);
    for (i = 0; i < n; i++) {
        double w = (double)all[(size_t)e * n + i];

        if (!(fabs(w - (double)got[i]) <= 1e-6 + 1e-5 * fabs(w)))
            fail_msg("%s[%zu]: %.9g, not %.9g", what, i, (double)got[i], w);
    }
    free(all);
}

/* The slot of n numbers called v, vr or vc. A reference names factored ones by dimension: vr is the
 * mean over the larger. */
static void check_slots(const struct tensors *want, const char *name, int e, const struct param *p,
                        const struct adafactor_slot *s)
{
    int wide = p->dim[1] >= p->dim[0];

    if (s->v) {
        near(get(want, "%s.slot.v", name, 0), e, s->v, p->n, name);
        return;
    }
    near(get(want, wide ? "%s.slot.vr" : "%s.slot.vc", name, 0), e, s->row, (size_t)p->dim[0],
         name);
    near(get(want, wide ? "%s.slot.vc" : "%s.slot.vr", name, 0), e, s->col, (size_t)p->dim[1],
         name);
}

static void check(const char *file, const char *name, int e, const struct adafactor_rule *rule,
                  double lr)
{
    struct tensors *in = golden("inputs"), *want = golden(file);
    struct param p;
    struct params t = single(get(in, "param.%s", name, 0), e, &p);
    struct adafactor *a = adafactor_new(&t, rule);
    int step;

    for (step = 0; step < 3; step++) {
        const struct tensor *g = get(in, "grad.%s.%d", name, step);
        float *all = malloc(g->n * sizeof(*all));

        assert_int_equal(tensor_copy_f32(g, all, g->n, &err), 0);
        memcpy(p.g, all + (size_t)e * p.n, p.n * sizeof(float));
        free(all);
        adafactor_update(a, &t, (uint64_t)step, lr);
        near(get(want, "%s.after%d", name, step), e, p.w, p.n, name);
    }
    check_slots(want, name, e, &p, &a->slot[0]);
    adafactor_free(a);
    free(p.w);
    free(p.g);
    tensors_close(in);
    tensors_close(want);
}

static void test_reference(void **state)
{
    static const char *const names[] = { "matrix", "vector", "small_matrix", "zero_vector" };
    int i;

    (void)state;
    kernel_init();
    for (i = 0; i < 4; i++) {
        check("mesh_rsqrt_min16", names[i], 0, &(struct adafactor_rule){ .min_dim = 16 }, 0.01);
        check("mesh_rsqrt_min128", names[i], 0, &(struct adafactor_rule){ .min_dim = 128 }, 0.01);
        check("mesh_noscale_const1e-3_min16", names[i], 0,
              &(struct adafactor_rule){ .min_dim = 16, .no_scale = 1 }, 1e-3);
    }
}

static void test_experts(void **state)
{
    int e;

    (void)state;
    kernel_init();
    for (e = 0; e < 4; e++)
        check("per_expert_rsqrt_min16", "experts", e, &(struct adafactor_rule){ .min_dim = 16 },
              0.01);
}

static void test_factoring(void **state)
{
    struct adafactor_rule rule = { .min_dim = 128 };
    struct param big = { .n_dim = 2, .dim = { 128, 300 }, .n = 38400 };
    struct param thin = { .n_dim = 2, .dim = { 127, 300 }, .n = 38100 };
    struct param vector = { .n_dim = 1, .dim = { 500 }, .n = 500 };

    (void)state;
    kernel_init();
    assert_int_equal(adafactor_slots(&rule, &big), 428);
    assert_int_equal(adafactor_slots(&rule, &thin), 38100);
    assert_int_equal(adafactor_slots(&rule, &vector), 500);
}

static void run_threads(int n_thread, int min_dim, float *w, size_t n)
{
    struct param p = { .n_dim = 2, .dim = { 67, 45 }, .n = n };
    struct params t = { .p = &p, .n = 1, .n_shared = 1 };
    struct adafactor *a = adafactor_new(&t, &(struct adafactor_rule){ .min_dim = min_dim });
    size_t i;
    int step;

    omp_set_num_threads(n_thread);
    p.w = w;
    p.g = malloc(n * sizeof(float));
    for (i = 0; i < n; i++)
        w[i] = (float)rng_normal(1, i, 0, 0);
    for (step = 0; step < 3; step++) {
        for (i = 0; i < n; i++)
            p.g[i] = (float)rng_normal(2, i, (uint64_t)step, 0);
        adafactor_update(a, &t, (uint64_t)step, 0.01);
    }
    adafactor_free(a);
    free(p.g);
}

static void test_threads(void **state)
{
    enum { N = 67 * 45 };
    static float one[N], many[N];
    int min_dim;

    (void)state;
    kernel_init();
    for (min_dim = 1; min_dim <= 128; min_dim += 127) {
        run_threads(1, min_dim, one, N);
        run_threads(5, min_dim, many, N);
        assert_memory_equal(one, many, sizeof(one));
    }
}

TESTS("train/adafactor", cmocka_unit_test(test_reference), cmocka_unit_test(test_experts),
      cmocka_unit_test(test_factoring), cmocka_unit_test(test_threads))
