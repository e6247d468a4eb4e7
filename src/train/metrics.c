/* metrics.c - see metrics.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/out.h"
#include "train/evaluate.h"
#include "train/loop.h"
#include "train/metrics.h"

#define STEP                                                                                       \
    "step\tseconds\ttokens\tloss\tnlp\taux\tz\tlr\tgrad_norm\tdropped\t"                           \
    "load\ttokens_per_s\tgemm\texchange\twait\tattention\tsoftmax\trouter\toptimizer\tinput\t"     \
    "gflops"

const char metrics_step_header[] = STEP;
const char metrics_taught_header[] = STEP "\thard\tsoft";
const char metrics_eval_header[] = "step\tlang\tnlp\ttargets";

struct metrics {
    char *path;
    FILE *f;
    int taught;    // it has the columns of a teacher
};

/* Copy the header and the rows before end_step to o. */
static int copy_rows(FILE *from, const char *path, const char *header, uint64_t end_step,
                     struct out *o, struct err *err)
{
    char *line = NULL;
    size_t size = 0, n = 0;
    ssize_t len;
    int rc = 0;

    while (rc == 0 && (len = getline(&line, &size, from)) > 0 && line[len - 1] == '\n') {
        line[len - 1] = 0;
        if (n++ == 0 && strcmp(line, header) != 0)
            rc = err_set(err, "%s: its columns are not ours", path);
        else if (n == 1 || strtoull(line, NULL, 10) < end_step)
            rc = out_printf(o, err, "%s\n", line);
    }
    free(line);
    return rc < 0 || n ? rc : out_printf(o, err, "%s\n", header);
}

/* The file anew: what stays of the old one. */
static int cut(const char *path, const char *header, uint64_t end_step, struct err *err)
{
    FILE *from = fopen(path, "r");
    struct out *o;
    int rc;

    if (!from && errno != ENOENT)
        return err_set(err, "%s: %s", path, strerror(errno));
    o = out_open(path, err);
    if (!o)
        rc = -1;
    else if (from)
        rc = copy_rows(from, path, header, end_step, o, err);
    else
        rc = out_printf(o, err, "%s\n", header);
    if (from)
        fclose(from);
    if (rc < 0)
        out_abandon(o);
    return rc < 0 ? -1 : out_close(o, err);
}

struct metrics *metrics_open(const char *dir, const char *name, const char *header,
                             uint64_t end_step, struct err *err)
{
    struct metrics *m = xcalloc(1, sizeof(*m));
    struct stat st;

    m->path = xasprintf("%s/%s", dir, name);
    m->taught = header == metrics_taught_header;
    if (stat(m->path, &st) == 0 && !S_ISREG(st.st_mode)) {    // it may have no end
        err_set(err, "%s: not a regular file", m->path);
        goto fail;
    }
    if (cut(m->path, header, end_step, err) < 0)
        goto fail;
    m->f = fopen(m->path, "a");
    if (!m->f) {
        err_set(err, "%s: %s", m->path, strerror(errno));
        goto fail;
    }
    return m;

fail:
    metrics_close(m);
    return NULL;
}

int metrics_add(struct metrics *m, struct err *err, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vfprintf(m->f, fmt, ap);
    va_end(ap);
    if (n < 0 || fputc('\n', m->f) == EOF || fflush(m->f))
        return err_set(err, "%s: write failed: %s", m->path, strerror(errno));
    return 0;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

int metrics_add_step(struct metrics *m, uint64_t step, const struct step_report *r, struct err *err)
{
    const struct losses *s = &r->sums;
    static const int part[] = { SPENT_GEMM, SPENT_EXCHANGE, SPENT_WAIT,      SPENT_ATTENTION,
                                SPENT_LOSS, SPENT_ROUTER,   SPENT_OPTIMIZER, SPENT_INPUT };
    char taught[64] = "", spent[256];
    size_t i, n = 0;

    for (i = 0; i < sizeof(part) / sizeof(part[0]); i++)
        n += (size_t)snprintf(spent + n, sizeof(spent) - n, "\t%.4f",
                              share(r->spent[part[i]], r->seconds));
    if (m->taught)
        snprintf(taught, sizeof(taught), "\t%.9g\t%.9g", r->hard, r->soft);
    return metrics_add(
        m, err,
        "%" PRIu64 "\t%.6f\t%.0f\t%.9g\t%.9g\t%.9g\t%.9g\t%.9g\t%.9g\t%.6g\t%.6g\t"
        "%.1f%s\t%.1f%s",
        step, r->seconds, r->tokens, r->loss, r->nlp, s->aux, share(s->log_z2, s->n_target), r->lr,
        r->grad_norm, share(s->dropped, s->routed), share(s->load_max, s->load_mean),
        share(r->tokens, r->seconds), spent, share(r->flops / 1e9, r->seconds), taught);
}

int metrics_add_eval(struct metrics *m, uint64_t step, const struct evaluation *e, struct err *err)
{
    int i, rc = 0;

    for (i = 0; i <= e->n_lang && rc == 0; i++)
        if (e->sums[i].targets > 0)
            rc = metrics_add(m, err, "%" PRIu64 "\t%s\t%.9g\t%.0f", step,
                             i < e->n_lang ? e->lang[i] : "all",
                             -e->sums[i].ce / e->sums[i].targets, e->sums[i].targets);
    return rc;
}

int metrics_sync(struct metrics *m, struct err *err)
{
    if (m && fsync(fileno(m->f)) < 0 && errno != EINVAL)    // EINVAL: a file system that cannot
        return err_set(err, "%s: %s", m->path, strerror(errno));
    return 0;
}

void metrics_close(struct metrics *m)
{
    if (!m)
        return;
    if (m->f)
        fclose(m->f);
    free(m->path);
    free(m);
}
