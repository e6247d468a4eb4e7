/* sum.h - the sum of a softmax, in the precision of double. */
#ifndef LOSS_SUM_H
#define LOSS_SUM_H

#include <stddef.h>

/* Sum of exp(x[i] - top), v of them. keep: the terms replace x. */
double sum_exp(float *x, float top, size_t v, int keep);

#endif
