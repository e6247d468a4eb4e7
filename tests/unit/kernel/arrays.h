/* arrays.h - arrays that end at a page which must not be touched, and start anywhere. */
#ifndef TEST_KERNEL_ARRAYS_H
#define TEST_KERNEL_ARRAYS_H

#include "variants.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N_ARRAY = 5, ROOM = 4200 };

static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000, 4099 };

enum { N_SIZE = sizeof(sizes) / sizeof(sizes[0]) };

/* The last n floats of array i: behind them begins the forbidden page. */
static inline float *array_tail(int i, size_t n)
{
    static float *end[N_ARRAY];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (ROOM * sizeof(float) + page - 1) / page * page;

    if (!end[i]) {
        char *p =
            mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert_true(p != MAP_FAILED && mprotect(p + size, page, PROT_NONE) == 0);
        end[i] = (float *)(void *)(p + size);
    }
    return end[i] - n;
}

enum kind { PLAIN, WIDE, TINY, SPECIAL };

/* Array i of n floats: it ends at the forbidden page, or `off` floats before it. */
static inline float *fill(int i, size_t n, size_t off, enum kind kind)
{
    static const float special[] = { INFINITY, -INFINITY, NAN, 0, -0.0f, 1, -1, 1e38f, 1e-42f };
    float *x = array_tail(i, n + off);
    size_t j;

    for (j = 0; j < n; j++) {
        uint64_t bits = rng_u64(i + 1, n, j);

        x[j] = (float)(4 * rng_uniform(i + 11, n, j) - 2);
        if (kind == WIDE)
            x[j] *= 6;
        if (kind == TINY)
            x[j] *= bits & 1 ? 1e-22f : 1e-41f;
        if (kind == SPECIAL && bits % 3 == 0)
            x[j] = special[(bits >> 8) % 9];
    }
    return x;
}

static inline void check(const char *what, size_t n, size_t i, double got, double want,
                         double bound)
{
    if (got == want || (isnan(got) && isnan(want)))
        return;
    if (isfinite(want) && fabs(got - want) <= bound)
        return;
    fail_msg("%s: n %zu, [%zu]: %.9g, not %.9g +- %.3g", what, n, i, got, want, bound);
}

#endif
