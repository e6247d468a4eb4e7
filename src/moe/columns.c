/* columns.c - see columns.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "moe/columns.h"
#include "moe/dispatch.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

size_t columns_of(const struct comm *slices, size_t width)
{
    size_t m = (size_t)comm_size(slices);

    return width % m == 0 ? width / m : width;
}

/* Between rows [n, m w] and what each slice moves of them [m, n, w]. */
static void turn(float *rows, float *parts, size_t n, size_t m, size_t w, int to_parts)
{
    size_t k;
    long i;

#pragma omp parallel for private(k) schedule(static) if (n * m * w > SMALL)
    for (i = 0; i < (long)n; i++)
        for (k = 0; k < m; k++) {
            float *row = rows + ((size_t)i * m + k) * w, *part = parts + (k * n + (size_t)i) * w;

            if (to_parts)
                memcpy(part, row, w * sizeof(*row));
            else
                memcpy(row, part, w * sizeof(*row));
        }
}

void columns_cut(struct comm *slices, const float *rows, size_t n, size_t w, float *part)
{
    size_t width = w * (size_t)comm_size(slices), own = w * (size_t)comm_rank(slices), i;

    for (i = 0; i < n; i++)
        memcpy(part + i * w, rows + i * width + own, w * sizeof(*part));
}

void columns_join(struct comm *slices, const float *part, size_t n, size_t w, float *rows,
                  struct moe_buffer *work)
{
    size_t m = (size_t)comm_size(slices);
    float *all = moe_buffer_need(work, n * m * w);

    comm_share_f32(slices, part, n * w, all);
    turn(rows, all, n, m, w, 0);
}

void columns_sum(struct comm *slices, float *rows, size_t n, size_t w, float *sum,
                 struct moe_buffer *work)
{
    size_t m = (size_t)comm_size(slices), k;
    float *parts = moe_buffer_need(work, 2 * n * m * w), *got = parts + n * m * w;
    size_t *n_of = xcalloc(m, sizeof(*n_of));

    turn(rows, parts, n, m, w, 1);
    for (k = 0; k < m; k++)
        n_of[k] = n;
    comm_exchange_f32(slices, parts, n_of, got, n_of, w);
    free(n_of);
    if (n)
        memcpy(sum, got, n * w * sizeof(*sum));
    for (k = 1; k < m; k++)
        kern.add(sum, got + k * n * w, n * w);
}
