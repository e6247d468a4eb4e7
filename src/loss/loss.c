/* loss.c - see loss.h. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "loss/loss.h"
#include "loss/sum.h"

static void one(float *x, int32_t target, size_t v, double z, double scale, double *ce,
                double *log_z)
{
    float top = kern.max(x, v);
    double at = x[target], sum = sum_exp(x, top, v, scale != 0);

    *log_z = top + log(sum);
    *ce = *log_z - at;
    if (scale == 0)
        return;
    kern.scale(x, (float)(scale * (1 + 2 * z * *log_z) / sum), v);
    x[target] -= (float)scale;
}

void loss_forward(float *logits, const int32_t *target, size_t n, size_t v, double z, double scale,
                  double *ce, double *log_z)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++) {
        assert(target[i] <= 0 || (size_t)target[i] < v);
        if (target[i] > 0) {
            one(logits + i * v, target[i], v, z, scale, ce + i, log_z + i);
            continue;
        }
        ce[i] = log_z[i] = 0;
        if (scale != 0)
            memset(logits + i * v, 0, v * sizeof(*logits));
    }
}
