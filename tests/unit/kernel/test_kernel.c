/* Sums and what is done element by element: every variant that runs here against the definition,
 * with bounds from counting roundings: each costs at most half of EPS times the result, and the
 * definition itself one. */
#define _DEFAULT_SOURCE    // MAP_ANONYMOUS
#include "arrays.h"

#define LEAST 0x1p-149    // the smallest number above 0: what underflow may cost a rounding

static void check_sums(const struct kernels *ref, const struct kernels *k, size_t n, size_t off,
                       enum kind kind)
{
    float *x = fill(0, n, off, kind), *y = fill(1, n, 0, kind), *z = fill(2, n, off / 2, kind);
    double xy = 0, xyz = 0, xx = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        xy += fabs((double)x[i] * y[i]);
        xyz += fabs((double)x[i] * y[i] * z[i]) + LEAST * fabs(z[i]);
        xx += (double)x[i] * x[i];
    }
    check("max", n, 0, k->max(x, n), ref->max(x, n), 0);
    check("dot", n, 0, k->dot(x, y, n), ref->dot(x, y, n), n * (EPS * xy + LEAST));
    check("dot3", n, 0, k->dot3(x, y, z, n), ref->dot3(x, y, z, n), (n + 1) * (EPS * xyz + LEAST));
    check("sum_squares", n, 0, k->sum_squares(x, n), ref->sum_squares(x, n),
          n * (EPS * xx + LEAST));
}

/* One elementwise kernel: run it by ref and by k on the same arrays, then compare. */
struct trial {
    const char *name;
    void (*run)(const struct kernels *k, float *const v[], size_t n);
    int n_in, n_out;    // arrays read; of them written, from the first
    double (*bound)(const float in[], double want);
};

static void run_axpy(const struct kernels *k, float *const v[], size_t n)
{
    k->axpy(v[0], 1.7f, v[1], n);
}

static double bound_axpy(const float in[], double want)    // a fused step: one rounding
{
    return EPS * fabs(want) + LEAST + 0 * in[0];
}

static void run_scale(const struct kernels *k, float *const v[], size_t n)
{
    k->scale(v[0], -0.3f, n);
}

static void run_add(const struct kernels *k, float *const v[], size_t n)
{
    k->add(v[0], v[1], n);
}

static void run_relu(const struct kernels *k, float *const v[], size_t n)
{
    k->relu(v[0], v[1], n);
}

static void run_relu_self(const struct kernels *k, float *const v[], size_t n)
{
    k->relu(v[0], v[0], n);
}

static void run_relu_back(const struct kernels *k, float *const v[], size_t n)
{
    k->relu_back(v[0], 1.25f, v[1], n);
}

static double bound_exact(const float in[], double want)
{
    return 0 * (in[0] + want);
}

static void run_mul(const struct kernels *k, float *const v[], size_t n)
{
    k->mul(v[0], 0.7f, v[1], v[2], n);
}

static void run_mul_self(const struct kernels *k, float *const v[], size_t n)
{
    k->mul(v[0], 0.7f, v[0], v[2], n);
}

static double bound_mul(const float in[], double want)
{
    return 1.5 * EPS * fabs(want) + LEAST * (1 + fabs(in[2]));
}

static void run_mul_add(const struct kernels *k, float *const v[], size_t n)
{
    k->mul_add(v[0], 0.7f, v[1], v[2], n);
}

static double bound_mul_add(const float in[], double want)
{
    return 0.5 * EPS * fabs(0.7 * in[1] * in[2]) + EPS * fabs(want) + LEAST * (1 + fabs(in[2]));
}

static void run_norm_back(const struct kernels *k, float *const v[], size_t n)
{
    k->norm_back(v[0], 0.7f, v[1], v[2], -1.3f, v[3], n);
}

static double bound_norm_back(const float in[], double want)
{
    double part = fabs(0.7 * in[1] * in[2]), rest = fabs(in[0] - 1.3 * in[3]);

    return 0.5 * EPS * (part + rest) + EPS * fabs(want) + LEAST * (2 + fabs(in[2]));
}

/* Relative error of s = 1 / (1 + e), e = exp(w): w has 4 roundings, exp 2 ulp, and of e's error
 * s takes the part e / (1 + e); the sum and the quotient round once each. Below w = 80 the clamp
 * leaves at most exp(-80) of s. */
static double gelu_error(double x, double *e, double *s)
{
    double w = -2 * 0.79788456080286536 * (x + 0.044715 * x * x * x);

    *e = exp(fmin(w, 80));
    *s = 1 / (1 + *e);
    return *e * *s * (2 * EPS * fabs(w) + 2 * EPS) + EPS;
}

static void run_geglu(const struct kernels *k, float *const v[], size_t n)
{
    k->geglu(v[0], v[1], v[2], n);
}

static double bound_geglu(const float in[], double want)
{
    double e, s, error = gelu_error(in[1], &e, &s), size = fabs((double)in[1] * in[2]);

    return size * (s * (error + EPS) + exp(-80)) + EPS * fabs(want) + LEAST * (2 + fabs(in[2]));
}

static void run_geglu_back(const struct kernels *k, float *const v[], size_t n)
{
    k->geglu_back(v[0], v[1], v[2], v[3], n);
}

/* Both outputs: d v (s + x 2u' e s^2) and d x s. */
static double bound_geglu_back(const float in[], double want)
{
    double x = in[2], e, s, error = gelu_error(x, &e, &s);
    double bend = fabs(x * 2 * 0.79788456080286536 * (1 + 3 * 0.044715 * x * x)) * e * s * s;
    double slope =
        s * (error + EPS) + bend * (4 * error + 6 * EPS) + exp(-80) * (1 + fabs(x * x * x));

    return fabs((double)in[0]) *
               (fabs((double)in[3]) * slope + fabs(x) * (s * (error + EPS) + exp(-80))) +
           EPS * fabs(want) + LEAST * 8;
}

static const struct trial trials[] = {
    { "axpy", run_axpy, 2, 1, bound_axpy },
    { "scale", run_scale, 1, 1, bound_exact },
    { "add", run_add, 2, 1, bound_exact },
    { "mul", run_mul, 3, 1, bound_mul },
    { "mul in place", run_mul_self, 3, 1, NULL },
    { "mul_add", run_mul_add, 3, 1, bound_mul_add },
    { "norm_back", run_norm_back, 4, 1, bound_norm_back },
    { "relu", run_relu, 2, 1, bound_exact },
    { "relu in place", run_relu_self, 1, 1, bound_exact },
    { "relu_back", run_relu_back, 2, 1, bound_exact },
    { "geglu", run_geglu, 3, 1, bound_geglu },
    { "geglu_back", run_geglu_back, 4, 2, bound_geglu_back },
};

static void check_trial(const struct trial *t, const struct kernels *ref, const struct kernels *k,
                        size_t n, size_t off, enum kind kind)
{
    static float in[N_ARRAY][ROOM], want[2][ROOM];
    float *v[N_ARRAY], place[N_ARRAY];
    size_t i, a;

    for (a = 0; a < N_ARRAY; a++) {
        v[a] = fill((int)a, n, off * (a % 3), kind);
        memcpy(in[a], v[a], n * sizeof(float));
    }
    t->run(ref, v, n);
    for (a = 0; a < 2; a++) {
        memcpy(want[a], v[a], n * sizeof(float));
        memcpy(v[a], in[a], n * sizeof(float));
    }
    t->run(k, v, n);
    for (i = 0; i < n; i++) {
        for (a = 0; a < N_ARRAY; a++)
            place[a] = in[a][i];
        if (!t->bound)    // in place: mul with x = y
            place[1] = place[0];
        for (a = 0; a < (size_t)t->n_out; a++)
            check(t->name, n, i, v[a][i], want[a][i],
                  (t->bound ? t->bound : bound_mul)(place, want[a][i]));
        for (; a < N_ARRAY; a++)
            assert_memory_equal(&v[a][i], &in[a][i], sizeof(float));
    }
}

static void variant(const struct kernels *ref, const struct kernels *k)
{
    size_t s, t, off;
    int kind;

    for (s = 0; s < N_SIZE; s++)
        for (off = 0; off < 3; off++)
            for (kind = PLAIN; kind <= TINY; kind++) {
                check_sums(ref, k, sizes[s], off, kind);
                for (t = 0; t < sizeof(trials) / sizeof(trials[0]); t++)
                    check_trial(trials + t, ref, k, sizes[s], off, kind);
            }
}

static void test_variants(void **state)
{
    (void)state;
    each_variant(variant);
}

/* Infinities and NaN come out as the definition says, also where the work is done by halves. GELU
 * is left out: at -inf it has no number to agree on. */
static void special(const struct kernels *ref, const struct kernels *k)
{
    float x[40], *at = array_tail(0, 40);
    size_t s, t;

    for (s = 0; s < N_SIZE; s++)
        for (t = 0; trials[t].run != run_geglu; t++)
            check_trial(trials + t, ref, k, sizes[s], 0, SPECIAL);
    for (s = 0; s < 40; s++)
        at[s] = -INFINITY;
    assert_true(k->max(at, 40) == -INFINITY && k->max(at, 0) == -INFINITY);
    assert_true(k->exp_shift(at, 3, 40) == 0 && k->dot(at, at, 0) == 0);
    at[39] = INFINITY;
    memset(x, 0, sizeof(x));
    assert_true(k->max(at, 40) == INFINITY && k->sum_squares(at, 40) == INFINITY);
    assert_true(isnan(k->dot(at, x, 40)) && isnan(k->exp_shift(at, INFINITY, 40)));
}

static void test_special(void **state)
{
    (void)state;
    each_variant(special);
}

static void test_choice(void **state)
{
    struct kernels k, best;

    (void)state;
    assert_int_equal(kernel_select(&k, "mmx"), -1);
    assert_null(kernel_name(-1));
    assert_null(kernel_name(1000));
    assert_int_equal(kernel_select(&best, NULL), 0);
    assert_int_equal(kernel_select(&k, "ref"), 0);
    setenv("SWITCHYARD_KERNEL", "ref", 1);
    kernel_init();
    assert_memory_equal(&kern, &k, sizeof(k));
    setenv("SWITCHYARD_KERNEL", "", 1);
    kernel_init();
    assert_memory_equal(&kern, &best, sizeof(k));
    unsetenv("SWITCHYARD_KERNEL");
    kernel_init();
    assert_memory_equal(&kern, &best, sizeof(k));
}

TESTS("kernel/kernel", cmocka_unit_test(test_variants), cmocka_unit_test(test_special),
      cmocka_unit_test(test_choice))
