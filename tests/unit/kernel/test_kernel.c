/* Every variant that runs here against the definition, with bounds from counting roundings: each
 * costs at most half of EPS times the result, and the definition itself one. Arrays end at a page
 * that must not be touched, and start anywhere. */
#define _DEFAULT_SOURCE    // MAP_ANONYMOUS
#include "../test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/rng.h"
#include "kernel/kernel.h"

#define EPS FLT_EPSILON
#define LEAST 0x1p-149    // the smallest number above 0: what underflow may cost a rounding

enum { N_ARRAY = 5, ROOM = 4200 };

static float *array_end[N_ARRAY];    // one past it begins the forbidden page
static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000, 4099 };

enum { N_SIZE = sizeof(sizes) / sizeof(sizes[0]) };

static void guard(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t n = (ROOM * sizeof(float) + page - 1) / page * page;
    int i;

    for (i = 0; i < N_ARRAY && !array_end[i]; i++) {
        char *p = mmap(NULL, n + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert_true(p != MAP_FAILED && mprotect(p + n, page, PROT_NONE) == 0);
        array_end[i] = (float *)(void *)(p + n);
    }
}

enum kind { PLAIN, WIDE, TINY, SPECIAL };

/* Array i of n floats: it ends at the forbidden page, or `off` floats before it. */
static float *fill(int i, size_t n, size_t off, enum kind kind)
{
    static const float special[] = { INFINITY, -INFINITY, NAN, 0, -0.0f, 1, -1, 1e38f, 1e-42f };
    float *x = array_end[i] - n - off;
    size_t j;

    for (j = 0; j < n; j++) {
        uint64_t bits = rng_u64(i + 1, n, j);

        x[j] = (float)(4 * rng_uniform(i + 11, n, j) - 2);
        if (kind == WIDE)
            x[j] *= 6;
        if (kind == TINY)
            x[j] *= bits & 1 ? 1e-22f : 1e-41f;
        if (kind == SPECIAL && bits % 3 == 0)
            x[j] = special[(bits >> 8) % 9];
    }
    return x;
}

static void check(const char *what, size_t n, size_t i, double got, double want, double bound)
{
    if (got == want || (isnan(got) && isnan(want)))
        return;
    if (isfinite(want) && fabs(got - want) <= bound)
        return;
    fail_msg("%s: n %zu, [%zu]: %.9g, not %.9g +- %.3g", what, n, i, got, want, bound);
}

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

static void each_variant(void (*f)(const struct kernels *ref, const struct kernels *k))
{
    struct kernels ref, k;
    int i;

    guard();
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&k, kernel_name(i)), 0);
        f(&ref, &k);
    }
    assert_true(i >= 1);
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

/* A float's neighbours in bf16, and which of them it becomes, by what the format says. */
static void check_half(uint16_t got, float x)
{
    uint32_t bits;
    float low, high;

    memcpy(&bits, &x, sizeof(bits));
    if (isnan(x)) {
        assert_true((got & 0x7f80) == 0x7f80 && (got & 0x7f) != 0);
        return;
    }
    bits &= 0xffff0000;
    memcpy(&low, &bits, sizeof(low));
    bits += 0x10000;
    memcpy(&high, &bits, sizeof(high));
    if (isinf(x) || fabs((double)x - low) < fabs((double)high - x))
        assert_int_equal(got, (uint16_t)((bits >> 16) - 1));
    else if (fabs((double)x - low) > fabs((double)high - x) && !isinf(high))
        assert_int_equal(got, (uint16_t)(bits >> 16));
    else if (!isinf(high))
        assert_true((got & 1) == 0 && (got == bits >> 16 || got + 1u == bits >> 16));
}

static void test_half_definition(void **state)
{
    struct kernels ref;
    uint64_t bits;
    uint32_t i, word;
    uint16_t h;
    float x, back;

    (void)state;
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    for (i = 0; i < 100000; i++) {
        bits = rng_u64(7, 7, i);
        word = (uint32_t)bits & (bits >> 32 & 1 ? 0xffffffff : 0xffff8000);    // half of them: ties
        memcpy(&x, &word, sizeof(x));
        ref.half(&h, &x, 1);
        check_half(h, x);
        ref.whole(&back, &h, 1);
        assert_true(isnan(x)
                        ? isnan(back)
                        : fabsf(back - x) <= fabsf(x) / 256 || isinf(back) || fabsf(x) < FLT_MIN);
    }
}

/* All there are, against (1 + frac 2^-10) 2^(exp - 15), or frac 2^-24 where exp is 0. */
static void all_f16(const struct kernels *ref, const struct kernels *k)
{
    static uint16_t all[1 << 16];
    static float got[1 << 16], want[1 << 16];
    uint32_t i, bad = 0;

    for (i = 0; i < 1 << 16; i++)
        all[i] = (uint16_t)i;
    ref->whole_f16(want, all, 1 << 16);
    k->whole_f16(got, all, 1 << 16);
    assert_memory_equal(got, want, sizeof(got));
    for (i = 0; i < 1 << 16; i++) {
        int exp = (int)(i >> 10 & 31), frac = (int)(i & 1023);
        double x = exp ? ldexp(1024 + frac, exp - 25) : ldexp(frac, -24);

        if (exp == 31)
            bad += frac ? !isnan(got[i]) : !isinf(got[i]);
        else
            bad += (double)fabsf(got[i]) != x;
        bad += !!signbit(got[i]) != (i >> 15 & 1);
    }
    assert_int_equal(bad, 0);
}

static void test_f16(void **state)
{
    (void)state;
    each_variant(all_f16);
}

enum { HALF, HALF_SELF, RELU_HALF, RELU_HALF_BACK, WHOLE, WHOLE_F16, N_HALF };

/* Some halves: of every sign, nothing, NaN. */
static void upper_halves(uint16_t *mask, const float *x, size_t n)
{
    uint32_t bits;
    size_t i;

    for (i = 0; i < n; i++) {
        memcpy(&bits, x + i, sizeof(bits));
        mask[i] = (uint16_t)(bits >> 16);
    }
}

static void run_half(const struct kernels *k, int what, float *x, const float *other, size_t n)
{
    static uint16_t mask[ROOM];
    uint16_t *to = (uint16_t *)(void *)x;

    upper_halves(mask, other, n);
    if (what == HALF)
        k->half(to, other, n);
    else if (what == HALF_SELF)
        k->half(to, x, n);
    else if (what == RELU_HALF)
        k->relu_half(to, other, n);
    else if (what == RELU_HALF_BACK)
        k->relu_half_back(to, 1.25f, x, mask, n);
    else if (what == WHOLE)
        k->whole(x, mask, n);
    else
        k->whole_f16(x, mask, n);
}

/* Byte for byte, at the forbidden page and before it. */
static void halves(const struct kernels *ref, const struct kernels *k)
{
    static float in[ROOM], want[ROOM];
    size_t s, off;
    int kind, what;

    for (s = 0; s < N_SIZE; s++)
        for (off = 0; off < 3; off++)
            for (kind = PLAIN; kind <= SPECIAL; kind++)
                for (what = 0; what < N_HALF; what++) {
                    size_t n = sizes[s];
                    float *x = fill(0, n, off, kind), *other = fill(1, n, off, kind);

                    memcpy(in, x, n * sizeof(*x));
                    run_half(ref, what, x, other, n);
                    memcpy(want, x, n * sizeof(*x));
                    memcpy(x, in, n * sizeof(*x));
                    run_half(k, what, x, other, n);
                    assert_memory_equal(x, want, n * sizeof(*x));
                }
}

static void test_halves(void **state)
{
    (void)state;
    each_variant(halves);
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
    float x[40], *at = array_end[0] - 40;
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

/* exp over the whole range where it is neither 0 nor infinite, and the sum of what came out. */
static void exp_range(const struct kernels *ref, const struct kernels *k)
{
    enum { N = 1000 };
    float *x = array_end[0] - N, in[N], at = -120, sum;
    double total, want;
    uint32_t bits;
    int i;

    (void)ref;
    while (at < 100) {
        for (i = 0; i < N; i++) {
            x[i] = in[i] = at;
            memcpy(&bits, &at, sizeof(bits));
            bits += at < 0 ? -5003 : 5003;
            if ((bits & 0x7fffffff) <
                0x30000000)    // near 0 every result is 1: jump to the other side
                bits = 0x30000000;
            memcpy(&at, &bits, sizeof(at));
        }
        sum = k->exp_shift(x, 0, N);
        for (i = 0, total = 0; i < N; i++) {
            want = exp(in[i]);
            total += x[i];
            if (want > FLT_MAX * (1 - EPS))
                assert_true(x[i] >= FLT_MAX * (1 - 2 * EPS));
            else
                check("exp", N, i, x[i], want,
                      want < FLT_MIN ? FLT_MIN : 2 * EPS * pow(2, ilogb(want)));
        }
        if (total < FLT_MAX)
            check("sum of exp", N, 0, sum, total, N * EPS * total);
    }
}

static void exp_shifted(const struct kernels *ref, const struct kernels *k)
{
    float *x, own[ROOM], shift = 1.37f, sum;
    size_t s, i;
    double total;

    (void)ref;
    for (s = 0; s < N_SIZE; s++) {
        x = fill(0, sizes[s], 0, PLAIN);
        memcpy(own, x, sizes[s] * sizeof(*x));
        sum = k->exp_shift(x, shift, sizes[s]);
        for (i = 0, total = 0; i < sizes[s]; i++) {
            check("exp", sizes[s], i, x[i], exp((double)(own[i] - shift)), 2 * EPS * x[i]);
            total += x[i];
        }
        check("sum of exp", sizes[s], 0, sum, total, sizes[s] * EPS * total);
    }
    x = array_end[0] - 5;
    memcpy(x, (float[]){ NAN, -INFINITY, 89, -104, 0 }, 5 * sizeof(*x));
    assert_true(isnan(k->exp_shift(x, 0, 5)));
    assert_true(isnan(x[0]) && x[1] == 0 && x[2] == INFINITY && x[3] == 0 && x[4] == 1);
}

static void test_exp(void **state)
{
    (void)state;
    each_variant(exp_range);
    each_variant(exp_shifted);
}

/* Random factors are the same to the bit, whichever variant makes them: keys, rows and places
 * with both halves in use, places that carry over 32 bits, bars at both ends. */
static void coins(const struct kernels *ref, const struct kernels *k)
{
    static const uint64_t at[] = { 0, 1, 0xfffffff0, 0xfffffffffffffff0, 0x123456789abcdef0 };
    static const uint32_t below[] = { 0, 1, 0x19999999, 0x80000000, 0xffffffff };
    float *x, want[ROOM];
    size_t s, i;

    for (s = 0; s < N_SIZE; s++)
        for (i = 0; i < 25; i++) {
            x = fill(0, sizes[s], 0, PLAIN);
            ref->coins(want, 1.25f, below[i % 5], at[i / 5] * 3 + 7, at[(i + 2) % 5], at[i / 5],
                       sizes[s]);
            k->coins(x, 1.25f, below[i % 5], at[i / 5] * 3 + 7, at[(i + 2) % 5], at[i / 5],
                     sizes[s]);
            assert_memory_equal(x, want, sizes[s] * sizeof(*x));
        }
}

static void jitters(const struct kernels *ref, const struct kernels *k)
{
    float *x, *to, want[ROOM];
    size_t s, off;

    for (s = 0; s < N_SIZE; s++)
        for (off = 0; off < 3; off++) {
            x = fill(0, sizes[s], off, PLAIN);
            to = fill(1, sizes[s], 2 * off, PLAIN);
            ref->jitter(want, x, 0.9f, 0.2f / 65536, 77, 0x123456789abcdef0 + s, sizes[s]);
            k->jitter(to, x, 0.9f, 0.2f / 65536, 77, 0x123456789abcdef0 + s, sizes[s]);
            assert_memory_equal(to, want, sizes[s] * sizeof(*x));
            k->jitter(x, x, 0.9f, 0.2f / 65536, 77, 0x123456789abcdef0 + s, sizes[s]);
            assert_memory_equal(x, want, sizes[s] * sizeof(*x));
        }
}

static void test_jitter(void **state)
{
    (void)state;
    each_variant(jitters);
}

static void test_coins(void **state)
{
    (void)state;
    each_variant(coins);
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
      cmocka_unit_test(test_half_definition), cmocka_unit_test(test_halves),
      cmocka_unit_test(test_f16), cmocka_unit_test(test_exp), cmocka_unit_test(test_coins),
      cmocka_unit_test(test_jitter), cmocka_unit_test(test_choice))
