/* Products of bf16 numbers, each way there is, against plain loops in double:
 * sizes that share no factor, rows apart, nothing at all, NaN underneath; the same again from the
 * same numbers. A product of two bf16 numbers is exact in float, so the bound is of sums alone. */
#include "check.h"

#include <float.h>

#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "nn/gemm16.h"

struct form {
    void (*run)(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                size_t ldb, float beta, float *c, size_t ldc);
    int ta, tb;    // A is [k, m], B is [n, k]
};

struct whole {    // where pieces are put together
    float *c;
    size_t ldc;
};

static void put_row(void *arg, size_t i, size_t j, float *x, size_t n)
{
    struct whole *w = arg;
    float *c = w->c + i * w->ldc + j;
    size_t l;

    for (l = 0; l < n; l++) {
        c[l] = isnan(c[l]) ? x[l] : NAN;    // not twice
        x[l] = 7;
    }
}

/* Where C is added to, there are no pieces. */
static void nt_rows(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                    size_t ldb, float beta, float *c, size_t ldc)
{
    float *room = xcalloc(m * n + 1, sizeof(*room));

    if (beta == 0)
        gemm16_nt_rows(m, n, k, a, lda, b, ldb, room,
                       &(struct gemm16_rows){ put_row, &(struct whole){ c, ldc } });
    else
        gemm16_nt(m, n, k, a, lda, b, ldb, beta, c, ldc);
    free(room);
}

static void nn_rows(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                    size_t ldb, float beta, float *c, size_t ldc)
{
    float *room = xcalloc(m * n + 1, sizeof(*room));

    if (beta == 0)
        gemm16_nn_rows(m, n, k, a, lda, b, ldb, room,
                       &(struct gemm16_rows){ put_row, &(struct whole){ c, ldc } });
    else
        gemm16_nn(m, n, k, a, lda, b, ldb, beta, c, ldc);
    free(room);
}

static const struct form forms[] = { { gemm16_nt, 0, 1 },
                                     { gemm16_nn, 0, 0 },
                                     { gemm16_tn, 1, 0 },
                                     { nt_rows, 0, 1 },
                                     { nn_rows, 0, 0 } };

enum { N_FORM = sizeof(forms) / sizeof(forms[0]) };

/* n numbers of bf16, and in *exact what they are */
static uint16_t *random_halves(size_t n, uint64_t key, double **exact)
{
    float *x = random_floats(n, key, 1);
    uint16_t *half = xcalloc(n + 1, sizeof(*half));

    kern.half(half, x, n);
    kern.whole(x, half, n);
    *exact = doubles(x, n);
    free(x);
    return half;
}

static void check_product(const struct form *f, size_t m, size_t n, size_t k, size_t apart,
                          float beta)
{
    size_t lda = (f->ta ? m : k) + apart, ldb = (f->tb ? k : n) + apart, ldc = n + apart, i, j, p;
    size_t n_a = (f->ta ? k : m) * lda, n_b = (f->tb ? n : k) * ldb, n_c = m * ldc;
    double *exact_a, *exact_b;
    uint16_t *a = random_halves(n_a, 1, &exact_a), *b = random_halves(n_b, 2, &exact_b);
    float *c = random_floats(n_c, 3, 1), *again = xcalloc(n_c + 1, sizeof(*again));
    double *was = doubles(c, n_c);

    for (i = 0; beta == 0 && i < m; i++)
        for (j = 0; j < n; j++)
            c[i * ldc + j] = NAN;
    memcpy(again, c, n_c * sizeof(*c));
    f->run(m, n, k, a, lda, b, ldb, beta, c, ldc);
    f->run(m, n, k, a, lda, b, ldb, beta, again, ldc);
    assert_memory_equal(again, c, n_c * sizeof(*c));
    for (i = 0; i < m; i++) {
        for (j = 0; j < n; j++) {
            double sum = beta * was[i * ldc + j], size = fabs(sum);

            for (p = 0; p < k; p++) {
                double x = exact_a[f->ta ? p * lda + i : i * lda + p] *
                           exact_b[f->tb ? j * ldb + p : p * ldb + j];

                sum += x;
                size += fabs(x);
            }
            if (!(fabs(c[i * ldc + j] - sum) <= (double)(k + 1) * FLT_EPSILON * size))
                fail_msg("%zu x %zu x %zu: [%zu, %zu]: %g, not %g", m, n, k, i, j,
                         (double)c[i * ldc + j], sum);
        }
        for (; j < ldc; j++)    // between the rows
            assert_true(c[i * ldc + j] == was[i * ldc + j]);
    }
    free(a), free(b), free(c), free(again), free(was), free(exact_a), free(exact_b);
}

static void check_products(void)
{
    static const size_t sizes[][3] = { { 1, 1, 1 },    { 1, 7, 5 },   { 13, 1, 3 },    { 3, 5, 1 },
                                       { 37, 29, 64 }, { 2, 3, 500 }, { 71, 67, 211 }, { 0, 4, 5 },
                                       { 4, 0, 5 },    { 4, 5, 0 },   { 0, 0, 0 } };
    size_t s, f;

    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (f = 0; f < N_FORM; f++) {
            const size_t *z = sizes[s];

            check_product(forms + f, z[0], z[1], z[2], 0, 0);
            check_product(forms + f, z[0], z[1], z[2], 0, 1);
            check_product(forms + f, z[0], z[1], z[2], 11, 0);
            check_product(forms + f, z[0], z[1], z[2], 11, 1);
        }
}

static void test_products(void **state)
{
    int threads;

    (void)state;
    kernel_init();
    for (threads = 1; threads <= 2; threads++) {
        gemm_threads(threads);
        gemm16_by(GEMM16_ONEDNN);
        check_products();
        gemm16_by(GEMM16_BEST);
        check_products();
    }
    gemm_threads(1);
}

static void test_plain(void **state)
{
    (void)state;
    kernel_init();
    gemm16_by(GEMM16_PLAIN);
    assert_false(gemm16_native());
    assert_non_null(strstr(gemm16_library(), "OpenBLAS"));
    check_products();
    gemm16_by(GEMM16_BEST);
    assert_true(!gemm16_native() || strstr(gemm16_library(), "oneDNN") ||
                strstr(gemm16_library(), "AMX"));
}

/* By blocks, with each of the kernels: sizes past a step, a stage, a thread's rows, a panel. */
static void test_blocks(void **state)
{
    static const size_t sizes[][3] = {
        { 37, 34, 530 }, { 33, 3, 1060 }, { 520, 5, 34 },
        { 33, 1040, 2 }, { 64, 32, 544 }, { 3, 530, 520 },
    };
    size_t s, f;
    int i;

    (void)state;
    gemm16_by(GEMM16_BLOCKS);
    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&kern, kernel_name(i)), 0);
        gemm_threads(1 + i % 2);
        check_products();
        for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (f = 0; f < N_FORM; f++)
                check_product(forms + f, sizes[s][0], sizes[s][1], sizes[s][2], s % 3, s % 2);
    }
    gemm16_by(GEMM16_BEST);
    gemm_threads(1);
    kernel_init();
}

/* Threads change nothing, nor does it where a row of C comes. */
static void test_threads(void **state)
{
    enum { M = 300, N = 70, K = 600 };
    double *exact_a, *exact_b;
    uint16_t *a = random_halves(M * K, 1, &exact_a), *b = random_halves(N * K, 2, &exact_b);
    float *c = xcalloc(M * N, sizeof(*c)), *again = xcalloc(M * N, sizeof(*c));
    int threads;

    (void)state;
    kernel_init();
    gemm16_by(GEMM16_BLOCKS);
    gemm16_nt(M, N, K, a, K, b, K, 0, c, N);
    for (threads = 2; threads <= 3; threads++) {
        gemm_threads(threads);
        gemm16_nt(M, N, K, a, K, b, K, 0, again, N);
        assert_memory_equal(again, c, M * N * sizeof(*c));
        gemm16_nt(M - 64, N, K, a + 64 * K, K, b, K, 0, again, N);
        assert_memory_equal(again, c + 64 * N, (M - 64) * N * sizeof(*c));
    }
    gemm16_by(GEMM16_BEST);
    gemm_threads(1);
    free(a), free(b), free(c), free(again), free(exact_a), free(exact_b);
}

static void test_counts(void **state)
{
    uint16_t a[6] = { 0x3f80 }, b[6] = { 0x3f80 };
    float c[4];
    double flops = gemm_flops(), seconds = gemm_seconds();

    (void)state;
    gemm16_nt(2, 2, 3, a, 3, b, 3, 0, c, 2);
    assert_true(c[0] == 1 && c[1] == 0 && c[2] == 0 && c[3] == 0);
    assert_true(gemm_flops() == flops + 24 && gemm_seconds() > seconds);
    gemm16_nt(2, 0, 3, a, 3, b, 3, 0, c, 2);
    gemm16_nt(2, 2, 0, a, 3, b, 3, 0, c, 2);
    assert_true(gemm_flops() == flops + 24);
}

TESTS("nn/gemm16", cmocka_unit_test(test_products), cmocka_unit_test(test_plain),
      cmocka_unit_test(test_blocks), cmocka_unit_test(test_threads), cmocka_unit_test(test_counts))
