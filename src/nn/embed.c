/* embed.c - see embed.h. */
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "kernel/kernel.h"
#include "nn/embed.h"

static int has(int32_t id, size_t first, size_t v)
{
    return (size_t)id >= first && (size_t)id - first < v;
}

void embed_slice_forward(float *x, const float *table, size_t first, size_t v, const int32_t *id,
                         size_t n, size_t m)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++)
        if (has(id[i], first, v))
            memcpy(x + i * m, table + ((size_t)id[i] - first) * m, m * sizeof(*x));
        else
            memset(x + i * m, 0, m * sizeof(*x));
}

/* Threads share out the ids, so that a row of the table gets its tokens in their order. */
void embed_slice_backward(float *dtable, size_t first, size_t v, const float *dx, const int32_t *id,
                          size_t n, size_t m)
{
#pragma omp parallel
    {
        uint32_t me = 0, all = 1;
        size_t i;

#ifdef _OPENMP
        me = (uint32_t)omp_get_thread_num();
        all = (uint32_t)omp_get_num_threads();
#endif
        for (i = 0; i < n; i++)
            if ((uint32_t)id[i] % all == me && has(id[i], first, v))
                kern.add(dtable + ((size_t)id[i] - first) * m, dx + i * m, m);
    }
}

void embed_forward(float *x, const float *table, const int32_t *id, size_t n, size_t m)
{
    embed_slice_forward(x, table, 0, SIZE_MAX, id, n, m);
}

void embed_backward(float *dtable, const float *dx, const int32_t *id, size_t n, size_t m)
{
    embed_slice_backward(dtable, 0, SIZE_MAX, dx, id, n, m);
}
