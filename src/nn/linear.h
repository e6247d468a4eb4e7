/* linear.h - y = x W^T, no bias. x [n, in], W [out, in], y [n, out]. */
#ifndef NN_LINEAR_H
#define NN_LINEAR_H

#include <stddef.h>

void linear_forward(float *y, const float *x, const float *w, size_t n, size_t in, size_t out);
/* dx = dy W (+ what dx holds, if add), or dx NULL; dw += dy^T x, or dw NULL. */
void linear_backward(float *dx, int add, float *dw, const float *dy, const float *x, const float *w,
                     size_t n, size_t in, size_t out);

#endif
