/* check.h - what tests of layers share: reference vectors, random arrays, bounds of
 * tests/data/golden, and slopes of a double-precision reference by central differences. */
#ifndef NN_CHECK_H
#define NN_CHECK_H

#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tensors/tensors.h"

/* A copy of one array of tests/data/golden/FILE; free it. */
static inline void *golden(const char *file, const char *name, size_t n)
{
    char *path = xasprintf("%s/golden/%s", test_data, file);
    const struct tensor *t;
    struct tensors *all;
    struct err err = { "" };
    void *to = xcalloc(n, sizeof(float));
    int bad;

    all = tensors_open(path, &err);
    if (!all)
        fail_msg("%s", err.msg);
    t = tensors_find(all, name);
    if (!t)
        fail_msg("%s: no %s", path, name);
    bad = t->type == TENSOR_F32 ? tensor_copy_f32(t, to, n, &err) : tensor_copy_i32(t, to, n, &err);
    if (bad)
        fail_msg("%s: %s: %s", path, name, err.msg);
    tensors_close(all);
    free(path);
    return to;
}

static inline float *random_floats(size_t n, uint64_t key, double size)
{
    float *x = xcalloc(n, sizeof(*x));
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = (float)(size * (2 * rng_uniform(key, 7, i) - 1));
    return x;
}

static inline double *doubles(const float *x, size_t n)
{
    double *y = xcalloc(n, sizeof(*y));
    size_t i;

    for (i = 0; i < n; i++)
        y[i] = x[i];
    return y;
}

/* got against want, each within absolute + relative |want|. */
#define check_close(got, want, n, absolute, relative)                                              \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < (size_t)(n); i_++) {                                              \
            double d_ = fabs((double)(got)[i_] - (double)(want)[i_]);                              \
            if (!(d_ <= (absolute) + (relative)*fabs((double)(want)[i_])))                         \
                fail_msg(#got "[%zu] is %.9g, not %.9g", i_, (double)(got)[i_],                    \
                         (double)(want)[i_]);                                                      \
        }                                                                                          \
    } while (0)

/* The bounds for outputs, and for gradients (relative to the largest of the array). */
#define check_output(got, want, n) check_close(got, want, n, 5e-5, 1e-5)
#define check_gradient(got, want, n)                                                               \
    do {                                                                                           \
        double top_ = 0;                                                                           \
        for (size_t k_ = 0; k_ < (size_t)(n); k_++)                                                \
            top_ = fmax(top_, fabs((double)(want)[k_]));                                           \
        check_close(got, want, n, 2e-5 + 5e-5 * top_, 0);                                          \
    } while (0)

/* slope[i] = derivative of f with respect to x[i]. f is smooth there and of order 1, so the
 * error is about step^2 + 1e-16 / step. */
static inline double *slopes(double (*f)(void *ctx), void *ctx, double *x, size_t n)
{
    double *slope = xcalloc(n, sizeof(*slope)), step = 1e-5, at, up;
    size_t i;

    for (i = 0; i < n; i++) {
        at = x[i];
        x[i] = at + step;
        up = f(ctx);
        x[i] = at - step;
        slope[i] = (up - f(ctx)) / (2 * step);
        x[i] = at;
    }
    return slope;
}

#endif
