/* linear.h - y = x W^T, no bias. x [n, in], W [out, in], y [n, out]. */
#ifndef NN_LINEAR_H
#define NN_LINEAR_H

#include <stddef.h>
#include <stdint.h>

void linear_forward(float *y, const float *x, const float *w, size_t n, size_t in, size_t out);
/* dx = dy W, or dx NULL; dw += dy^T x, or dw NULL. how: what else. */
enum { LINEAR_ADD = 1, LINEAR_FRESH = 2 };    // dx += dy W; dw = dy^T x
void linear_backward(float *dx, int how, float *dw, const float *dy, const float *x, const float *w,
                     size_t n, size_t in, size_t out);

/* The same of matrices in bf16. dy_ld: distance of the rows of dy. */
void linear16_forward(float *y, const uint16_t *x, const uint16_t *w, size_t n, size_t in,
                      size_t out);
void linear16_backward(float *dx, int how, float *dw, const uint16_t *dy, size_t dy_ld,
                       const uint16_t *x, const uint16_t *w, size_t n, size_t in, size_t out);

/* The same with y or dx in bf16. room: floats, as many as that has. */
void linear16_forward_half(uint16_t *y, float *room, const uint16_t *x, const uint16_t *w, size_t n,
                           size_t in, size_t out);
void linear16_backward_half(uint16_t *dx, float *room, int how, float *dw, const uint16_t *dy,
                            size_t dy_ld, const uint16_t *x, const uint16_t *w, size_t n, size_t in,
                            size_t out);

/* Rows x [n, width] in bf16, one after another. */
void rows_half(uint16_t *to, const float *x, size_t n, size_t width);
void rows_whole(float *to, const uint16_t *x, size_t n, size_t width);
/* The same where they are: row i then begins where it did, so the rows are 2 width apart. */
uint16_t *rows_half_here(float *x, size_t n, size_t width);

#endif
