/* embed.c - see embed.h. */
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "kernel/kernel.h"
#include "nn/embed.h"

void embed_forward(float *x, const float *table, const int32_t *id, size_t n, size_t m)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < n; i++)
        memcpy(x + i * m, table + (size_t)id[i] * m, m * sizeof(*x));
}

/* Threads share out the ids, so that a row of the table gets its tokens in their order. */
void embed_backward(float *dtable, const float *dx, const int32_t *id, size_t n, size_t m)
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
            if ((uint32_t)id[i] % all == me)
                kern.add(dtable + (size_t)id[i] * m, dx + i * m, m);
    }
}
