/* gemm.h - matrix products; the only door to BLAS. All matrices are row-major float. On a processor
 * with AMX, larger products are made of bf16 products, as exactly as floats allow: see split.h. An
 * infinite operand may give NaN there.
 *
 * Weights are stored [out, in] as HF does, so a layer is gemm_nt forward, gemm_nn for the
 * gradient of its input and gemm_tn for that of its weight. beta 0 overwrites C (which may
 * hold anything, NaN too), 1 adds. Any size may be 0. ld is the distance of rows.
 */
#ifndef NN_GEMM_H
#define NN_GEMM_H

#include <stddef.h>

/* C[m, n] = A[m, k] B[n, k]^T + beta C */
void gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc);
/* C[m, n] = A[m, k] B[k, n] + beta C */
void gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc);
/* C[m, n] = A[k, m]^T B[k, n] + beta C */
void gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
             float beta, float *c, size_t ldc);

enum gemm_way {
    GEMM_BEST,
    GEMM_LIBRARY    // always by BLAS
};
void gemm_by(enum gemm_way way);
void gemm_threads(int n);                         // of the library, on this process
void gemm_alone(int on);                          // 1: each product is one thread's, until 0
const char *gemm_library(void);                   // its name, version and processor kernel
double gemm_flops(void);                          // multiply-adds done so far, times 2
double gemm_seconds(void);                        // spent in products so far
void gemm_count(double flops, double seconds);    // another library's product was done

#endif
