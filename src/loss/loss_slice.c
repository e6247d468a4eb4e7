/* loss_slice.c - see loss_slice.h. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "loss/loss_slice.h"
#include "loss/sum.h"

/* The place of row i's target in this slice, or -1. */
static int64_t place(const struct loss_slice *s, size_t i)
{
    size_t target = (size_t)s->target[i];

    return target >= s->first && target - s->first < s->v ? (int64_t)(target - s->first) : -1;
}

void loss_slice_top(const struct loss_slice *s, const float *logits, float *top)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < s->n; i++)
        top[i] = s->target[i] > 0 ? kern.max(logits + i * s->v, s->v) : 0;
}

void loss_slice_sums(const struct loss_slice *s, float *logits, const float *top, double *sums)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < s->n; i++) {
        float *x = logits + i * s->v;

        sums[2 * i] = sums[2 * i + 1] = 0;
        if (s->target[i] <= 0)
            continue;
        if (place(s, i) >= 0)
            sums[2 * i + 1] = (double)x[place(s, i)];
        sums[2 * i] = sum_exp(x, top[i], s->v, s->scale != 0);
    }
}

void loss_slice_end(const struct loss_slice *s, float *logits, const float *top, const double *sums,
                    double *ce, double *log_z)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < s->n; i++) {
        float *x = logits + i * s->v;

        if (s->target[i] <= 0) {
            ce[i] = log_z[i] = 0;
            if (s->scale != 0)
                memset(x, 0, s->v * sizeof(*x));
            continue;
        }
        log_z[i] = (double)top[i] + log(sums[2 * i]);
        ce[i] = log_z[i] - sums[2 * i + 1];
        if (s->scale == 0)
            continue;
        kern.scale(x, (float)(s->scale * (1 + 2 * s->z * log_z[i]) / sums[2 * i]), s->v);
        if (place(s, i) >= 0)
            x[place(s, i)] -= (float)s->scale;
    }
}
