/* Products of floats that are split, with each of the kernels, against plain loops in double and
 * against BLAS: as exact as floats are. Sizes past a stage, a panel, an edge; rows apart; NaN
 * underneath; threads change nothing. */
#include "check.h"

#include <float.h>

#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "nn/split.h"

static double at(const float *x, int turned, size_t ld, size_t i, size_t j)
{
    return x[turned ? j * ld + i : i * ld + j];
}

/* The parts that are left out and those that are rounded cost no more than a float's own rounding
 * of each product and sum. */
static void check_product(enum form form, size_t m, size_t n, size_t k, size_t apart, float beta)
{
    size_t lda = (form == TN ? m : k) + apart, ldb = (form == NT ? k : n) + apart, ldc = n + apart;
    size_t n_c = m * ldc, i, j, l;
    float *a = random_floats((form == TN ? k : m) * lda, 1, 1);
    float *b = random_floats((form == NT ? n : k) * ldb, 2, 1), *c = random_floats(n_c, 3, 1);
    double *was = doubles(c, n_c);

    for (i = 0; beta == 0 && i < m; i++)
        for (j = 0; j < n; j++)
            c[i * ldc + j] = NAN;
    split_multiply(&(struct product32){ form, m, n, k, a, b, lda, ldb, ldc, beta, c });
    for (i = 0; i < m; i++) {
        for (j = 0; j < n; j++) {
            double sum = beta * was[i * ldc + j], size = fabs(sum);

            for (l = 0; l < k; l++) {
                double x = at(a, form == TN, lda, i, l) * at(b, form == NT, ldb, l, j);

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
    free(a), free(b), free(c), free(was);
}

static void test_products(void **state)
{
    static const size_t sizes[][3] = {
        { 1, 1, 1 },    { 3, 5, 1 },    { 37, 29, 65 },  { 2, 3, 513 },
        { 32, 32, 32 }, { 33, 64, 96 }, { 64, 515, 33 }, { 34, 33, 1030 },
    };
    size_t s;
    int i, form;

    (void)state;
    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&kern, kernel_name(i)), 0);
        gemm_threads(1 + i % 2);
        for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (form = 0; form < N_FORM; form++) {
                check_product((enum form)form, sizes[s][0], sizes[s][1], sizes[s][2], 0, 0);
                check_product((enum form)form, sizes[s][0], sizes[s][1], sizes[s][2], 7, 1);
            }
    }
    gemm_threads(1);
    kernel_init();
}

/* Root of the mean square of what c is off by, where there is nothing between its rows. */
static double off(const float *c, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    double sum = 0;
    size_t i, j, l;

    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            double want = 0;

            for (l = 0; l < k; l++)
                want += (double)a[i * k + l] * b[j * k + l];
            sum += (c[i * n + j] - want) * (c[i * n + j] - want);
        }
    return sqrt(sum / (double)m / (double)n);
}

/* What gemm.h does with it is no less exact than BLAS. */
static void test_exact(void **state)
{
    enum { M = 128, N = 96, K = 700 };
    float *a = random_floats(M * K, 1, 1), *b = random_floats(N * K, 2, 1);
    float *c = xcalloc(M * N, sizeof(*c)), *d = xcalloc(M * N, sizeof(*d));
    double ours, library;

    (void)state;
    kernel_init();
    gemm_nt(M, N, K, a, K, b, K, 0, c, N);
    gemm_by(GEMM_LIBRARY);
    gemm_nt(M, N, K, a, K, b, K, 0, d, N);
    gemm_by(GEMM_BEST);
    ours = off(c, a, b, M, N, K);
    library = off(d, a, b, M, N, K);
    if (!(ours <= 1.05 * library))
        fail_msg("off by %g, the library by %g", ours, library);
    assert_true(split_is_fast(M, N, K) == (memcmp(c, d, M * N * sizeof(*c)) != 0));
    free(a), free(b), free(c), free(d);
}

static void test_threads(void **state)
{
    enum { M = 300, N = 530, K = 600 };
    float *a = random_floats(M * K, 1, 1), *b = random_floats(N * K, 2, 1);
    float *c = xcalloc(M * N, sizeof(*c)), *again = xcalloc(M * N, sizeof(*c));
    int threads;

    (void)state;
    kernel_init();
    split_multiply(&(struct product32){ NT, M, N, K, a, b, K, K, N, 0, c });
    for (threads = 2; threads <= 3; threads++) {
        gemm_threads(threads);
        split_multiply(&(struct product32){ NT, M, N, K, a, b, K, K, N, 0, again });
        assert_memory_equal(c, again, M * N * sizeof(*c));
    }
    gemm_threads(1);
    free(a), free(b), free(c), free(again);
}

TESTS("nn/split", cmocka_unit_test(test_products), cmocka_unit_test(test_exact),
      cmocka_unit_test(test_threads))
