/* split.h - products of floats by the tiles that multiply bf16 numbers: each float is the sum of
 * three of those, and six products of parts make one of floats, as exact as a float's own. See
 * gemm.h, which chooses. The order of every sum depends on the sizes alone.
 */
#ifndef NN_SPLIT_H
#define NN_SPLIT_H

#include <stddef.h>

#include "nn/block16.h"

struct product32 {
    enum form form;
    size_t m, n, k;
    const float *a, *b;
    size_t lda, ldb, ldc;
    float beta;    // 0 or 1
    float *c;
};

int split_is_fast(size_t m, size_t n, size_t k);    // here, at this size
void split_multiply(const struct product32 *p);

#endif
