/* The three products against plain loops in double: sizes that share no factor, rows apart,
 * nothing at all, NaN underneath; what is counted; any number of threads. */
#include "check.h"

#include <float.h>

#include "nn/gemm.h"

struct form {
    void (*run)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                size_t ldb, float beta, float *c, size_t ldc);
    int ta, tb;    // A is [k, m], B is [n, k]
};

static const struct form forms[] = { { gemm_nt, 0, 1 }, { gemm_nn, 0, 0 }, { gemm_tn, 1, 0 } };

static void check_product(const struct form *f, size_t m, size_t n, size_t k, size_t apart,
                          float beta)
{
    size_t lda = (f->ta ? m : k) + apart, ldb = (f->tb ? k : n) + apart, ldc = n + apart, i, j, p;
    size_t n_a = (f->ta ? k : m) * lda, n_b = (f->tb ? n : k) * ldb, n_c = m * ldc;
    float *a = random_floats(n_a, 1, 1), *b = random_floats(n_b, 2, 1),
          *c = random_floats(n_c, 3, 1);
    double *was = doubles(c, n_c);

    for (i = 0; beta == 0 && i < m; i++)
        for (j = 0; j < n; j++)
            c[i * ldc + j] = NAN;
    f->run(m, n, k, a, lda, b, ldb, beta, c, ldc);
    for (i = 0; i < m; i++) {
        for (j = 0; j < n; j++) {
            double sum = beta * was[i * ldc + j], size = fabs(sum);

            for (p = 0; p < k; p++) {
                double x = (double)a[f->ta ? p * lda + i : i * lda + p] *
                           b[f->tb ? j * ldb + p : p * ldb + j];

                sum += x;
                size += fabs(x);
            }
            if (!(fabs(c[i * ldc + j] - sum) <= (double)(k + 1) * FLT_EPSILON * size))
                fail_msg("%zu x %zu x %zu: [%zu, %zu]", m, n, k, i, j);
        }
        for (; j < ldc; j++)    // between the rows
            assert_true(c[i * ldc + j] == was[i * ldc + j]);
    }
    free(a), free(b), free(c), free(was);
}

static void test_products(void **state)
{
    static const size_t sizes[][3] = { { 1, 1, 1 },    { 1, 7, 5 },   { 13, 1, 3 },     { 3, 5, 1 },
                                       { 37, 29, 64 }, { 2, 3, 500 }, { 101, 67, 211 }, { 0, 4, 5 },
                                       { 4, 0, 5 },    { 4, 5, 0 },   { 0, 0, 0 } };
    size_t s, f;

    (void)state;
    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (f = 0; f < 3; f++) {
            const size_t *z = sizes[s];

            check_product(forms + f, z[0], z[1], z[2], 0, 0);
            check_product(forms + f, z[0], z[1], z[2], 0, 1);
            check_product(forms + f, z[0], z[1], z[2], 11, 0);
            check_product(forms + f, z[0], z[1], z[2], 11, 1);
        }
}

static void test_counts(void **state)
{
    float a[6] = { 1 }, b[6] = { 1 }, c[4];
    double flops = gemm_flops(), seconds = gemm_seconds();

    (void)state;
    gemm_nt(2, 2, 3, a, 3, b, 3, 0, c, 2);
    assert_true(gemm_flops() == flops + 24 && gemm_seconds() > seconds);
    gemm_nt(2, 0, 3, a, 3, b, 3, 0, c, 2);
    gemm_nt(2, 2, 0, a, 3, b, 3, 0, c, 2);
    assert_true(gemm_flops() == flops + 24);
    assert_non_null(strstr(gemm_library(), "OpenBLAS"));
}

/* How a sum over k is ordered, the library decides by number of threads and processor. */
static void test_threads(void **state)
{
    enum { M = 517, N = 301, K = 143 };
    float *a = random_floats(M * K, 1, 1), *b = random_floats(N * K, 2, 1);
    float *one = xcalloc(M * N, sizeof(float)), *two = xcalloc(M * N, sizeof(float));
    int threads, i;

    (void)state;
    gemm_threads(1);
    gemm_nt(M, N, K, a, K, b, K, 0, one, N);
    for (threads = 2; threads <= 5; threads++) {
        gemm_threads(threads);
        gemm_nt(M, N, K, a, K, b, K, 0, two, N);
        for (i = 0; i < M * N; i++)    // sums of K products of numbers below 1
            assert_float_equal(one[i], two[i], 2e-5);
    }
    gemm_threads(1);
    free(a), free(b), free(one), free(two);
}

TESTS("nn/gemm", cmocka_unit_test(test_products), cmocka_unit_test(test_counts),
      cmocka_unit_test(test_threads))
