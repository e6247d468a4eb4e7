/* guard.c - see guard.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "train/guard.h"
#include "train/metrics.h"

static const char name[] = "rollbacks.tsv";
static const char header[] = "to\tstep\tloss\tmedian\tskip\tlr_scale";
enum { LOSS = 3, SKIP = 4, LR_SCALE = 5 };    // columns

/* What metrics.tsv would say: so a loss that was read and one that was seen are the same. */
static double as_written(double x)
{
    char text[32];

    snprintf(text, sizeof(text), "%.9g", x);
    return strtod(text, NULL);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double guard_median(const struct guard *g)
{
    double sorted[GUARD_WINDOW];
    size_t n = g->n < GUARD_WINDOW ? (size_t)g->n : GUARD_WINDOW;

    if (n < GUARD_FEW)
        return NAN;
    memcpy(sorted, g->loss, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_size);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

int guard_judge(struct guard *g, uint64_t step, double loss)
{
    double median = guard_median(g);

    if (!isfinite(loss)) {
        g->high_from = g->high ? g->high_from : step;
        return 1;
    }
    loss = as_written(loss);
    if (loss > g->rule->spike * median && loss > median + 1) {    // no median: never
        g->high_from = g->high++ ? g->high_from : step;
        return g->high >= GUARD_HIGH;
    }
    g->high = 0;
    g->loss[g->n++ % GUARD_WINDOW] = loss;
    return 0;
}

static double field(const char *line, int i)
{
    for (; i > 0 && line; i--) {
        line = strchr(line, '\t');
        line = line ? line + 1 : NULL;
    }
    return line ? strtod(line, NULL) : 0;
}

/* Call take for each row of dir/file, if there is one. */
static int read_rows(const char *dir, const char *file, struct guard *g, uint64_t step,
                     void (*take)(struct guard *g, const char *line, uint64_t step))
{
    char *path = xasprintf("%s/%s", dir, file), *line = NULL;
    FILE *f = fopen(path, "r");
    size_t size = 0, n = 0;
    ssize_t len;

    free(path);
    if (!f)
        return 0;
    while ((len = getline(&line, &size, f)) > 0 && line[len - 1] == '\n')
        if (n++ > 0)
            take(g, line, step);
    free(line);
    fclose(f);
    return 1;
}

static void take_step(struct guard *g, const char *line, uint64_t step)
{
    uint64_t at = strtoull(line, NULL, 10);

    if (at < step)
        guard_judge(g, at, field(line, LOSS));
}

static void take_rollback(struct guard *g, const char *line, uint64_t step)
{
    if (strtoull(line, NULL, 10) > step)
        return;
    g->n_rollback++;
    g->skip = (uint64_t)field(line, SKIP);
    g->lr_scale = field(line, LR_SCALE);
}

/* Cut the rows of what is not to be. */
static int cut(const char *dir, uint64_t step, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct metrics *m =
        access(path, F_OK) == 0 ? metrics_open(dir, name, header, step + 1, err) : NULL;
    int rc = m || access(path, F_OK) != 0 ? 0 : -1;

    metrics_close(m);
    free(path);
    return rc;
}

int guard_begin(struct guard *g, const struct guard_rule *rule, const char *dir, uint64_t step,
                struct comm *comm, struct err *err)
{
    int64_t bad = 0;

    *g = (struct guard){ .rule = rule, .lr_scale = 1 };
    if (comm_rank(comm) == 0) {
        bad = cut(dir, step, err) < 0;
        read_rows(dir, "metrics.tsv", g, step, take_step);
        read_rows(dir, name, g, step, take_rollback);
    }
    comm_max_i64(comm, &bad, 1);
    comm_broadcast(comm, g, sizeof(*g), 0);
    g->rule = rule;    // not rank 0's
    return bad ? -1 : 0;
}

int guard_record(const struct guard *g, const char *dir, uint64_t to, uint64_t step, double loss,
                 struct err *err)
{
    struct metrics *m = metrics_open(dir, name, header, to + 1, err);
    uint64_t skip = g->skip + (g->rule->lower ? 0 : step + 1 - to);
    int rc;

    if (!m)
        return -1;
    rc = metrics_add(m, err, "%" PRIu64 "\t%" PRIu64 "\t%.9g\t%.9g\t%" PRIu64 "\t%.9g", to, step,
                     loss, guard_median(g), skip, g->lr_scale * (g->rule->lower ? 0.5 : 1));
    metrics_close(m);
    return rc;
}
