/* norm.c - see norm.h. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "nn/norm.h"

enum {
    BLOCK = 128,    // tokens and columns worked on at a time: they stay in cache
    COLUMNS = 64,
    CHUNK = 1024,    // numbers at a time on the stack
};

static float length_of(const float *x, size_t m, float eps)
{
    return 1 / sqrtf(kern.sum_squares(x, m) / (float)m + eps);
}

void norm_forward(float *y, float *r, const float *x, const float *w, const int32_t *segment,
                  size_t n, size_t m, float eps)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        r[i] = length_of(x + i * m, m, eps);
        if (segment && segment[i] == 0)
            memset(y + i * m, 0, m * sizeof(*y));
        else
            kern.mul(y + i * m, r[i], x + i * m, w, m);
    }
}

/* half = a x w, rounded */
static void mul_half(uint16_t *half, float a, const float *x, const float *w, size_t m)
{
    float part[CHUNK];
    size_t i, n;

    for (i = 0; i < m; i += n) {
        n = m - i < CHUNK ? m - i : CHUNK;
        kern.mul(part, a, x + i, w + i, n);
        kern.half(half + i, part, n);
    }
}

void norm_add_forward(float *y, uint16_t *half, float *r, float *x, const float *add,
                      const float *w, const int32_t *segment, size_t n, size_t m, float eps)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        size_t at = i * m;
        int pads = segment && segment[i] == 0;

        if (add)
            kern.add(x + at, add + at, m);
        r[i] = length_of(x + at, m, eps);
        if (y && pads)
            memset(y + at, 0, m * sizeof(*y));
        else if (y)
            kern.mul(y + at, r[i], x + at, w, m);
        if (half && y)
            kern.half(half + at, y + at, m);
        else if (half && pads)
            memset(half + at, 0, m * sizeof(*half));
        else if (half)
            mul_half(half + at, r[i], x + at, w, m);
    }
}

static void row_backward(float *dx, const float *dy, const float *x, const float *w, float r,
                         size_t m)
{
    float s = kern.dot3(w, dy, x, m) * r * r * r / (float)m;

    kern.norm_back(dx, r, w, dy, -s, x, m);
}

/* dw gets its tokens in their order whoever does it: threads share out its columns. */
void norm_backward(float *dx, uint16_t *half, float *dw, const float *dy, const float *x,
                   const float *w, const float *r, const int32_t *segment, size_t n, size_t m)
{
#pragma omp parallel
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t end = n - at < BLOCK ? n : at + BLOCK, i, j;

#pragma omp for schedule(static)
        for (i = at; i < end; i++) {
            if (!segment || segment[i] != 0)
                row_backward(dx + i * m, dy + i * m, x + i * m, w, r[i], m);
            if (half)
                kern.half(half + i * m, dx + i * m, m);
        }
#pragma omp for schedule(static)
        for (j = 0; j < m; j += COLUMNS)
            for (i = at; i < end; i++)
                if (!segment || segment[i] != 0)
                    kern.mul_add(dw + j, r[i], dy + i * m + j, x + i * m + j,
                                 m - j < COLUMNS ? m - j : COLUMNS);
    }
}
