/* spread.c - see spread.h. */
#include <math.h>
#include <stdlib.h>

#include "eval/report.h"
#include "eval/spread.h"

const double spread_from[SPREAD_BINS + 1] = { 0, 1, 2, 3, 4, 5, 6, 8, 10, INFINITY };

void spread_of(struct spread *s, const struct report *r, const struct report_model *m)
{
    size_t i, k, n;
    const char **tag = report_tags(r, &n);
    double sum = 0;

    *s = (struct spread){ .most = 1 };
    for (i = 0; i < n; i++) {
        double x = report_speed_up(r, m, tag[i]);

        if (isnan(x))
            continue;
        for (k = 0; k + 1 < SPREAD_BINS && x >= spread_from[k + 1]; k++)
            ;
        s->most = ++s->bin[k] > s->most ? s->bin[k] : s->most;
        sum += isinf(x) ? spread_from[SPREAD_BINS - 1] : x;
        s->fourfold += x >= 4;
        s->known++;
    }
    s->mean = s->known ? sum / (double)s->known : 0;
    free(tag);
}
