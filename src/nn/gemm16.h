/* gemm16.h - products of matrices in bf16, summed in float; the only door to oneDNN.
 *
 * A bf16 is the upper half of a float, kept in a uint16_t; kern.half() rounds to it. Forms,
 * sizes, ld and beta (0 or 1) are as in gemm.h, and so is counting. Where the build has no
 * oneDNN or the processor nothing that it makes bf16 products of, they are done by gemm.h on
 * the numbers made whole: the same but for the rounding of sums, and slower than fp32.
 */
#ifndef NN_GEMM16_H
#define NN_GEMM16_H

#include <stddef.h>
#include <stdint.h>

/* C[m, n] = A[m, k] B[n, k]^T + beta C */
void gemm16_nt(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
               size_t ldb, float beta, float *c, size_t ldc);
/* C[m, n] = A[m, k] B[k, n] + beta C */
void gemm16_nn(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
               size_t ldb, float beta, float *c, size_t ldc);
/* C[m, n] = A[k, m]^T B[k, n] + beta C */
void gemm16_tn(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
               size_t ldb, float beta, float *c, size_t ldc);

int gemm16_native(void);             // does oneDNN do them?
void gemm16_plain(int on);           // 1: by gemm.h, for tests; 0: by oneDNN if it can
const char *gemm16_library(void);    // who does them, and with which kernel

#endif
