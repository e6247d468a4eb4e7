/* rates.c - the part of plan.h that is about time. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "plan/plan.h"

/* "part<tab>seconds<tab>share<tab>rate" of a part; other lines are passed over. */
static void read_line(const char *line, double rate[SPENT_PARTS])
{
    char name[32];
    double x;
    int i;

    if (sscanf(line, "%31[a-z]\t%*f\t%*f\t%lf", name, &x) != 2 || !isfinite(x) || x < 0)
        return;
    for (i = 0; i < SPENT_PARTS; i++)
        if (strcmp(name, spent_name(i)) == 0)
            rate[i] = x;
}

int plan_read_rates(const char *path, double rate[SPENT_PARTS], struct err *err)
{
    static const int need[] = { SPENT_GEMM, SPENT_ATTENTION, SPENT_LOSS, SPENT_OPTIMIZER,
                                SPENT_OTHER };
    FILE *f = fopen(path, "r");
    char line[256];
    size_t i;
    int failed;

    if (!f)
        return err_set(err, "%s: %s", path, strerror(errno));
    memset(rate, 0, SPENT_PARTS * sizeof(*rate));
    while (fgets(line, sizeof(line), f))
        read_line(line, rate);
    failed = ferror(f);
    fclose(f);
    if (failed)
        return err_set(err, "%s: cannot be read", path);
    for (i = 0; i < sizeof(need) / sizeof(need[0]); i++)
        if (rate[need[i]] <= 0)
            return err_set(err, "%s: not a profile of switch-pretrain: no rate of %s", path,
                           spent_name(need[i]));
    return 0;
}

double plan_seconds(const double work[SPENT_PARTS], const double rate[SPENT_PARTS],
                    double seconds[SPENT_PARTS])
{
    double sum = 0;
    int i;

    for (i = 0; i < SPENT_PARTS; i++) {
        double per = rate[i];

        if (per <= 0)
            per = rate[SPENT_OTHER] * (i == SPENT_EXCHANGE || i == SPENT_WAIT ? 4 : 1);
        seconds[i] = work[i] / per;
        sum += seconds[i];
    }
    return sum;
}
