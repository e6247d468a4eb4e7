/* combine.c - see combine.h. */
#include <string.h>

#include "moe/combine.h"
#include "moe/dispatch.h"
#include "moe/router.h"
#include "moe/rows.h"

enum { SMALL = 1 << 14 };    // floats that are not worth a second thread

void combine(const struct route *r, const struct dispatch *d, size_t n_choice,
             const struct moe_rows *back, size_t n, float *y)
{
    size_t m = back->m, k;
    long i;

#pragma omp parallel for private(k) schedule(static) if (n * m > SMALL)
    for (i = 0; i < (long)n; i++) {
        size_t choice = (size_t)i * n_choice;
        float *to = y + (size_t)i * m;
        int some = 0;

        for (k = 0; k < n_choice; k++, choice++) {
            float gate = moe_gate(back, r->gate[choice]);

            if (!r->kept[choice])
                continue;
            if (some++)
                moe_row_add(back, (size_t)d->row[choice], gate, to);
            else
                moe_row_get(back, (size_t)d->row[choice], gate, to);
        }
        if (!some)
            memset(to, 0, m * sizeof(*to));
    }
}

void combine_back(const struct route *r, const struct dispatch *d, size_t n_choice,
                  const struct moe_rows *back, const float *dy, float *d_gate,
                  const struct moe_rows *d_row)
{
    size_t m = back->m;
    long k;

#pragma omp parallel for schedule(static) if (d->n_send * m > SMALL)
    for (k = 0; k < (long)d->n_send; k++) {
        size_t choice = (size_t)d->choice[k];
        const float *dz = dy + choice / n_choice * m;

        d_gate[choice] = moe_row_dot(back, (size_t)k, dz);
        moe_row_put(d_row, (size_t)k, moe_gate(back, r->gate[choice]), dz);
    }
}
