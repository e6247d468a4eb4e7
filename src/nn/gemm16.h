/* gemm16.h - products of matrices in bf16, summed in float: by AMX's tiles (block16.h), or else by
 * oneDNN, of which this is the only door.
 *
 * A bf16 is the upper half of a float, kept in a uint16_t; kern.half() rounds to it. Forms,
 * sizes, ld and beta (0 or 1) are as in gemm.h, and so is counting. Where there are neither tiles
 * nor a oneDNN that makes bf16 products on this processor, they are done by gemm.h on the numbers
 * made whole: the same but for the rounding of sums, and slower than fp32.
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

/* What is done with C's rows while they are in the cache, instead of storing them: columns
 * [j, j + n) of row i, each once, by whatever thread. x may be changed. */
struct gemm16_rows {
    void (*row)(void *arg, size_t i, size_t j, float *x, size_t n);
    void *arg;
};
/* room [m, n]: for all of C, where it has to be whole first. */
void gemm16_nt_rows(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                    size_t ldb, float *room, const struct gemm16_rows *to);
void gemm16_nn_rows(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                    size_t ldb, float *room, const struct gemm16_rows *to);

/* Products may run side by side, each of one thread, from 1 until 0: where there are tiles, which
 * then do those of few rows too. Elsewhere it stays 0. Returns what it is. */
int gemm16_side_by_side(int on);

enum gemm16_way {
    GEMM16_BEST,
    GEMM16_BLOCKS,    // by the kernels, with or without tiles
    GEMM16_ONEDNN,    // if there is
    GEMM16_PLAIN      // by gemm.h
};
void gemm16_by(enum gemm16_way way);    // for tests
int gemm16_native(void);                // is there a way better than plain?
const char *gemm16_library(void);       // who does them, and with which kernel

#endif
