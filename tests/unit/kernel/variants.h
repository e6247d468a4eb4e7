/* variants.h - every variant that runs here, and the numbers it is tried on. */
#ifndef TEST_KERNEL_VARIANTS_H
#define TEST_KERNEL_VARIANTS_H

#include "../test.h"

#include <float.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "kernel/kernel.h"

#define EPS FLT_EPSILON

static inline void each_variant(void (*f)(const struct kernels *ref, const struct kernels *k))
{
    struct kernels ref, k;
    int i;

    assert_int_equal(kernel_select(&ref, "ref"), 0);
    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&k, kernel_name(i)), 0);
        f(&ref, &k);
    }
    assert_true(i >= 1);
}

/* Blocks of exactly their size, so that a sanitizer sees what is touched beyond them. */
static inline float *randoms(size_t n, uint64_t key)    // in [-1, 1)
{
    float *x = xcalloc(n ? n : 1, sizeof(*x));
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = (float)(2 * rng_uniform(key, n, i) - 1);
    return x;
}

static inline void *copy(const void *x, size_t size)    // in bytes
{
    return memcpy(xcalloc(size ? size : 1, 1), x, size);
}

#endif
