/* linear.c - see linear.h. */
#include "nn/linear.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "nn/gemm16.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

void linear_forward(float *y, const float *x, const float *w, size_t n, size_t in, size_t out)
{
    gemm_nt(n, out, in, x, in, w, in, 0, y, out);
}

void linear_backward(float *dx, int how, float *dw, const float *dy, const float *x, const float *w,
                     size_t n, size_t in, size_t out)
{
    if (dx)
        gemm_nn(n, in, out, dy, out, w, in, how & LINEAR_ADD ? 1 : 0, dx, in);
    if (dw)
        gemm_tn(out, in, n, dy, out, x, in, how & LINEAR_FRESH ? 0 : 1, dw, in);
}

void linear16_forward(float *y, const uint16_t *x, const uint16_t *w, size_t n, size_t in,
                      size_t out)
{
    gemm16_nt(n, out, in, x, in, w, in, 0, y, out);
}

void linear16_backward(float *dx, int how, float *dw, const uint16_t *dy, size_t dy_ld,
                       const uint16_t *x, const uint16_t *w, size_t n, size_t in, size_t out)
{
    if (dx)
        gemm16_nn(n, in, out, dy, dy_ld, w, in, how & LINEAR_ADD ? 1 : 0, dx, in);
    if (dw)
        gemm16_tn(out, in, n, dy, dy_ld, x, in, how & LINEAR_FRESH ? 0 : 1, dw, in);
}

struct halves {
    uint16_t *to;
    size_t ld;
};

static void put_half(void *arg, size_t i, size_t j, float *x, size_t n)
{
    const struct halves *h = arg;

    kern.half(h->to + i * h->ld + j, x, n);
}

void linear16_forward_half(uint16_t *y, float *room, const uint16_t *x, const uint16_t *w, size_t n,
                           size_t in, size_t out)
{
    gemm16_nt_rows(n, out, in, x, in, w, in, room,
                   &(struct gemm16_rows){ put_half, &(struct halves){ y, out } });
}

void linear16_backward_half(uint16_t *dx, float *room, int how, float *dw, const uint16_t *dy,
                            size_t dy_ld, const uint16_t *x, const uint16_t *w, size_t n, size_t in,
                            size_t out)
{
    gemm16_nn_rows(n, in, out, dy, dy_ld, w, in, room,
                   &(struct gemm16_rows){ put_half, &(struct halves){ dx, in } });
    if (dw)
        gemm16_tn(out, in, n, dy, dy_ld, x, in, how & LINEAR_FRESH ? 0 : 1, dw, in);
}

void rows_half(uint16_t *to, const float *x, size_t n, size_t width)
{
    size_t i;

#pragma omp parallel for schedule(static) if (n * width > SMALL)
    for (i = 0; i < n; i++)
        kern.half(to + i * width, x + i * width, width);
}

void rows_whole(float *to, const uint16_t *x, size_t n, size_t width)
{
    size_t i;

#pragma omp parallel for schedule(static) if (n * width > SMALL)
    for (i = 0; i < n; i++)
        kern.whole(to + i * width, x + i * width, width);
}

uint16_t *rows_half_here(float *x, size_t n, size_t width)
{
    uint16_t *to = (uint16_t *)(void *)x;
    size_t i;

#pragma omp parallel for schedule(static) if (n * width > SMALL)
    for (i = 0; i < n; i++)
        kern.half(to + 2 * i * width, x + i * width, width);
    return to;
}
