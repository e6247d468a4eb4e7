/* linear.c - see linear.h. */
#include "nn/linear.h"
#include "nn/gemm.h"

void linear_forward(float *y, const float *x, const float *w, size_t n, size_t in, size_t out)
{
    gemm_nt(n, out, in, x, in, w, in, 0, y, out);
}

void linear_backward(float *dx, int add, float *dw, const float *dy, const float *x, const float *w,
                     size_t n, size_t in, size_t out)
{
    if (dx)
        gemm_nn(n, in, out, dy, out, w, in, add ? 1 : 0, dx, in);
    if (dw)
        gemm_tn(out, in, n, dy, out, x, in, 1, dw, in);
}
