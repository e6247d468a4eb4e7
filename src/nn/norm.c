/* norm.c - see norm.h. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "nn/norm.h"

enum { BLOCK = 128, COLUMNS = 64 };    // tokens and columns worked on at a time: they stay in cache

void norm_forward(float *y, float *r, const float *x, const float *w, const int32_t *segment,
                  size_t n, size_t m, float eps)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        r[i] = 1 / sqrtf(kern.sum_squares(x + i * m, m) / (float)m + eps);
        if (segment && segment[i] == 0)
            memset(y + i * m, 0, m * sizeof(*y));
        else
            kern.mul(y + i * m, r[i], x + i * m, w, m);
    }
}

/* dw gets its tokens in their order whoever does it: threads share out its columns. */
void norm_backward(float *dx, float *dw, const float *dy, const float *x, const float *w,
                   const float *r, const int32_t *segment, size_t n, size_t m)
{
#pragma omp parallel
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t end = n - at < BLOCK ? n : at + BLOCK, i, j;

#pragma omp for schedule(static)
        for (i = at; i < end; i++) {
            const float *xi = x + i * m, *dyi = dy + i * m;
            float s;

            if (segment && segment[i] == 0)
                continue;
            s = kern.dot3(w, dyi, xi, m) * r[i] * r[i] * r[i] / (float)m;
            kern.norm_back(dx + i * m, r[i], w, dyi, -s, xi, m);
        }
#pragma omp for schedule(static)
        for (j = 0; j < m; j += COLUMNS)
            for (i = at; i < end; i++)
                if (!segment || segment[i] != 0)
                    kern.mul_add(dw + j, r[i], dy + i * m + j, x + i * m + j,
                                 m - j < COLUMNS ? m - j : COLUMNS);
    }
}
