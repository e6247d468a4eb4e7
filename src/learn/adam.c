/* adam.c - see adam.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "learn/adam.h"

enum { FIX_MAX = 8192 };    // the correction of the bias is as good as 1 from here on

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

void adam_init(struct adam *a, size_t n_row, size_t width)
{
    int i;

    a->n_row = n_row;
    a->width = width;
    a->grad = xcalloc(n_row * width, sizeof(*a->grad));
    a->first = xcalloc(n_row * width, sizeof(*a->first));
    a->second = xcalloc(n_row * width, sizeof(*a->second));
    a->count = xcalloc(n_row, sizeof(*a->count));
    a->touched = xcalloc(n_row, 1);
    a->fix1 = xcalloc(FIX_MAX + 1, sizeof(*a->fix1));
    a->fix2 = xcalloc(FIX_MAX + 1, sizeof(*a->fix2));
    for (i = 1; i <= FIX_MAX; i++) {
        a->fix1[i] = (float)(1 / (1 - pow(beta1, i)));
        a->fix2[i] = (float)(1 / (1 - pow(beta2, i)));
    }
}

void adam_release(struct adam *a)
{
    free(a->grad);
    free(a->first);
    free(a->second);
    free(a->count);
    free(a->touched);
    free(a->fix1);
    free(a->fix2);
}

float *adam_grad(struct adam *a, size_t row)
{
    a->touched[row] = 1;
    return a->grad + row * a->width;
}

static void move_row(struct adam *a, float *w, float rate, size_t row)
{
    float *restrict g = a->grad + row * a->width, *restrict m = a->first + row * a->width;
    float *restrict v = a->second + row * a->width, *restrict to = w + row * a->width;
    uint32_t n = a->count[row] < FIX_MAX ? ++a->count[row] : FIX_MAX;
    float fix1 = rate * a->fix1[n], fix2 = a->fix2[n];
    size_t j;

#pragma omp simd
    for (j = 0; j < a->width; j++) {
        m[j] += (float)(1 - beta1) * (g[j] - m[j]);
        v[j] += (float)(1 - beta2) * (g[j] * g[j] - v[j]);
        to[j] -= fix1 * m[j] / (sqrtf(fix2 * v[j]) + (float)epsilon);
        g[j] = 0;
    }
    a->touched[row] = 0;
}

void adam_step(struct adam *a, float *w, double rate, size_t part, size_t n_part)
{
    size_t row;

    for (row = part; row < a->n_row; row += n_part)
        if (a->touched[row])
            move_row(a, w, (float)rate, row);
}
