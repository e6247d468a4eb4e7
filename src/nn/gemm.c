/* gemm.c - see gemm.h.
 *
 * BLAS counts in int. A product with more rows than that is done in pieces of rows; no other
 * size of ours comes near (a row is a width or a vocabulary), and one that does is a bug.
 */
#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/progress.h"
#include "base/spent.h"
#include "nn/gemm.h"

static double flops, seconds;    // sums over threads, for reports alone

void gemm_count(double work, double time)
{
    spent_move(SPENT_GEMM, time);
#ifdef _OPENMP
    if (omp_in_parallel())
        time /= omp_get_num_threads();    // they work side by side
#endif
#pragma omp atomic
    flops += work;
#pragma omp atomic
    seconds += time;
}

/* The product of nothing: C is only scaled. */
static void rescale(size_t m, size_t n, float beta, float *c, size_t ldc)
{
    size_t i, j;

    for (i = 0; i < m; i++)
        if (beta == 0)
            memset(c + i * ldc, 0, n * sizeof(*c));
        else
            for (j = 0; j < n; j++)
                c[i * ldc + j] *= beta;
}

static int to_int(size_t n)
{
    assert(n <= INT_MAX);
    return (int)n;
}

static void gemm(enum CBLAS_TRANSPOSE ta, enum CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k,
                 const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                 size_t ldc)
{
    const size_t most = INT_MAX / 2 + 1;    // rows at a time
    double start;
    size_t i, rows;

    if (m == 0 || n == 0)
        return;
    if (k == 0) {
        rescale(m, n, beta, c, ldc);
        return;
    }
    start = clock_seconds();
    for (i = 0; i < m; i += rows) {
        rows = m - i < most ? m - i : most;
        cblas_sgemm(CblasRowMajor, ta, tb, to_int(rows), to_int(n), to_int(k), 1,
                    ta == CblasTrans ? a + i : a + i * lda, to_int(lda), b, to_int(ldb), beta,
                    c + i * ldc, to_int(ldc));
    }
    gemm_count(2.0 * (double)m * (double)n * (double)k, clock_seconds() - start);
}

void gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc)
{
    gemm(CblasNoTrans, CblasTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

void gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc)
{
    gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

void gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc)
{
    gemm(CblasTrans, CblasNoTrans, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

void gemm_threads(int n)
{
#ifdef _OPENMP
    omp_set_num_threads(n);
#endif
    openblas_set_num_threads(n);
}

void gemm_alone(int on)
{
    static int n;

    if (on)
        n = openblas_get_num_threads();
    openblas_set_num_threads(on ? 1 : n);
}

const char *gemm_library(void)
{
    static char name[256];
    const char *config = openblas_get_config(), *core = openblas_get_corename();

    snprintf(name, sizeof(name), "%s%s%s", config, strstr(config, core) ? "" : " ",
             strstr(config, core) ? "" : core);
    return name;
}

double gemm_flops(void)
{
    return flops;
}

double gemm_seconds(void)
{
    return seconds;
}
