/* block16.h - products of bf16 matrices by the kernels' half_product, a block at a time; see
 * gemm16.h. The order of every sum depends on the sizes alone. */
#ifndef NN_BLOCK16_H
#define NN_BLOCK16_H

#include <stddef.h>
#include <stdint.h>

struct gemm16_rows;

enum form { NT, NN, TN, N_FORM };

struct product16 {
    enum form form;
    size_t m, n, k;
    const uint16_t *a, *b;
    size_t lda, ldb, ldc;
    float beta;
    float *c;
    const struct gemm16_rows *to;    // where rows of C go when they are done, or NULL
};

int block16_can(const struct product16 *p);    // does it take operands that lie so?
void block16_multiply(const struct product16 *p);

#endif
