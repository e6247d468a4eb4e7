/* gemm.c - see gemm.h.
 *
 * On a processor with tiles of bf16 numbers, products of some size go by them: see split.h.
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
#include "nn/split.h"

static enum gemm_way way;
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

static void by_library(const struct product32 *p)
{
    const size_t most = INT_MAX / 2 + 1;    // rows at a time
    size_t i, rows;

    for (i = 0; i < p->m; i += rows) {
        rows = p->m - i < most ? p->m - i : most;
        cblas_sgemm(CblasRowMajor, p->form == TN ? CblasTrans : CblasNoTrans,
                    p->form == NT ? CblasTrans : CblasNoTrans, to_int(rows), to_int(p->n),
                    to_int(p->k), 1, p->form == TN ? p->a + i : p->a + i * p->lda, to_int(p->lda),
                    p->b, to_int(p->ldb), p->beta, p->c + i * p->ldc, to_int(p->ldc));
    }
}

static void gemm(const struct product32 *p)
{
    double start;

    if (p->m == 0 || p->n == 0)
        return;
    if (p->k == 0) {
        rescale(p->m, p->n, p->beta, p->c, p->ldc);
        return;
    }
    start = clock_seconds();
    if (way != GEMM_LIBRARY && split_is_fast(p->m, p->n, p->k))
        split_multiply(p);
    else
        by_library(p);
    gemm_count(2.0 * (double)p->m * (double)p->n * (double)p->k, clock_seconds() - start);
}

void gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc)
{
    gemm(&(struct product32){ NT, m, n, k, a, b, lda, ldb, ldc, beta, c });
}

void gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc)
{
    gemm(&(struct product32){ NN, m, n, k, a, b, lda, ldb, ldc, beta, c });
}

void gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc)
{
    gemm(&(struct product32){ TN, m, n, k, a, b, lda, ldb, ldc, beta, c });
}

void gemm_by(enum gemm_way by)
{
    way = by;
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
