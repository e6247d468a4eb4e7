/* optim/adafactor: three steps against reference runs; threads do not change a bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "kernel/kernel.h"
#include "optim/adafactor.h"
#include "shape/params.h"
#include "tensors/tensors.h"

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
    double squares;
    int step;

    for (step = 0; step < 3; step++) {
        const struct tensor *g = get(in, "grad.%s.%d", name, step);
        float *all = malloc(g->n * sizeof(*all));

        assert_int_equal(tensor_copy_f32(g, all, g->n, &err), 0);
        memcpy(p.g, all + (size_t)e * p.n, p.n * sizeof(float));
        free(all);
        adafactor_look(a, &t, &squares);
        adafactor_update(a, &t, 0, 1, (uint64_t)step, lr);
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

/* Tensors enough for each thread to have some, one of them a vector, and one for all threads. */
enum { MANY = 9, BIG_ROWS = 2100, BIG_COLS = 2001, SIZE = 67 * 45, BIG = BIG_ROWS * BIG_COLS };

static void run_threads(int n_thread, int min_dim, float *w)
{
    struct param p[MANY + 1];
    struct params t = { .p = p, .n = MANY + 1, .n_shared = 1 };
    float *g = malloc((MANY * SIZE + BIG) * sizeof(*g));
    double squares[MANY + 1];
    struct adafactor *a;
    size_t i, n = MANY * SIZE + BIG;
    int step;

    omp_set_num_threads(n_thread);
    for (i = 0; i <= MANY; i++)
        p[i] = (struct param){
            .n_dim = 2, .dim = { 67, 45 }, .n = SIZE, .w = w + i * SIZE, .g = g + i * SIZE
        };
    p[3].n_dim = 1;
    p[3].dim[0] = SIZE;
    p[MANY].dim[0] = BIG_ROWS;
    p[MANY].dim[1] = BIG_COLS;
    p[MANY].n = BIG;
    a = adafactor_new(&t, &(struct adafactor_rule){ .min_dim = min_dim });
    for (i = 0; i < n; i++)
        w[i] = (float)rng_uniform(1, i, 0) - 0.5f;
    for (step = 0; step < 2; step++) {
        for (i = 0; i < n; i++)
            g[i] = (float)rng_uniform(2, i, (uint64_t)step) - 0.5f;
        adafactor_look(a, &t, squares);
        adafactor_update(a, &t, 0, t.n, (uint64_t)step, 0.01);
    }
    adafactor_free(a);
    free(g);
}

static void test_threads(void **state)
{
    size_t size = (MANY * SIZE + BIG) * sizeof(float);
    float *one = malloc(size), *many = malloc(size);
    int min_dim;

    (void)state;
    kernel_init();
    for (min_dim = 1; min_dim <= 128; min_dim += 127) {
        run_threads(1, min_dim, one);
        run_threads(5, min_dim, many);
        assert_memory_equal(one, many, size);
    }
    free(one);
    free(many);
}

/* What is looked at is what kern.sum_squares() says, nothing and what is not a number too. */
static void test_squares(void **state)
{
    enum { ROWS = 40, COLS = 30, N = ROWS * COLS };
    float w[N] = { 0 }, g[N] = { 0 };
    struct param p = { .n_dim = 2, .dim = { ROWS, COLS }, .n = N, .w = w, .g = g };
    struct params t = { .p = &p, .n = 1, .n_shared = 1 };
    int min_dim, i;

    (void)state;
    kernel_init();
    for (min_dim = 1; min_dim <= 128; min_dim += 127) {
        struct adafactor *a = adafactor_new(&t, &(struct adafactor_rule){ .min_dim = min_dim });
        double squares = -1;

        memset(g, 0, sizeof(g));
        adafactor_look(a, &t, &squares);
        assert_true(squares >= 0 && squares < 1e-40);
        for (i = 0; i < N; i++)
            g[i] = (float)rng_normal(2, (uint64_t)i, 0, 0);
        adafactor_look(a, &t, &squares);
        assert_true(fabs(squares / (double)kern.sum_squares(g, N) - 1) < 1e-6);
        g[77] = NAN;
        adafactor_look(a, &t, &squares);
        assert_true(isnan(squares));
        for (i = 0; i < N; i++)
            assert_true(w[i] == 0);
        adafactor_free(a);
    }
}

/* What is remembered of parameters makes no difference, and is forgotten when they change. */
static void test_forget(void **state)
{
    enum { ROWS = 40, COLS = 32, N = ROWS * COLS };
    static float w[2][N], g[N];
    struct param p[2] = { { .n_dim = 2, .dim = { ROWS, COLS }, .n = N, .w = w[0], .g = g },
                          { .n_dim = 2, .dim = { ROWS, COLS }, .n = N, .w = w[1], .g = g } };
    struct params t[2] = { { .p = &p[0], .n = 1 }, { .p = &p[1], .n = 1 } };
    struct adafactor *a[2];
    double squares;
    int step, i, k;

    (void)state;
    kernel_init();
    for (k = 0; k < 2; k++)
        a[k] = adafactor_new(&t[k], &(struct adafactor_rule){ .min_dim = 1 });
    for (i = 0; i < N; i++) {
        g[i] = (float)rng_normal(3, (uint64_t)i, 0, 0);
        w[0][i] = w[1][i] = (float)rng_normal(4, (uint64_t)i, 0, 0);
    }
    for (step = 0; step < 4; step++) {
        adafactor_forget(a[1], &t[1]);
        for (k = 0; k < 2; k++) {
            adafactor_look(a[k], &t[k], &squares);
            adafactor_update(a[k], &t[k], 0, 1, (uint64_t)step, 0.01);
        }
        assert_memory_equal(w[0], w[1], sizeof(w[0]));
        if (step == 1) {
            for (i = 0; i < N; i++)
                w[0][i] = w[1][i] *= 3;
            adafactor_forget(a[0], &t[0]);
        }
    }
    adafactor_free(a[0]);
    adafactor_free(a[1]);
}

TESTS("optim/adafactor", cmocka_unit_test(test_reference), cmocka_unit_test(test_experts),
      cmocka_unit_test(test_factoring), cmocka_unit_test(test_threads),
      cmocka_unit_test(test_squares), cmocka_unit_test(test_forget))
