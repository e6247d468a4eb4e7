/* best.c - see best.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/folder.h"
#include "train/best.h"
#include "train/metrics.h"

static const char name[] = "scores.tsv";
static const char header[] = "step\tset\tmetric\tlang\tn\tscore";
static const char decides[] = "mean";
enum { SCORE = 5 };

/* The score as the table has it, so that a resumed run compares what one that ran on did. */
static double as_written(double x)
{
    char text[32];

    snprintf(text, sizeof(text), "%.6f", x);
    return strtod(text, NULL);
}

static void take(struct best *b, uint64_t step, double score)
{
    b->n++;
    b->n_since++;
    b->last = step;
    if (isnan(score) || (b->has_best && !(score > b->score)))
        return;
    b->has_best = 1;
    b->n_since = 0;
    b->step = step;
    b->score = score;
}

static void take_line(struct best *b, char *line)
{
    char *field[SCORE + 1] = { line };
    int i;

    for (i = 1; i <= SCORE; i++) {
        field[i] = strchr(field[i - 1], '\t');
        if (!field[i])
            return;
        *field[i]++ = 0;
    }
    if (strcmp(field[1], decides) == 0)
        take(b, strtoull(field[0], NULL, 10), strtod(field[SCORE], NULL));
}

static int read_rows(struct best *b, struct err *err)
{
    char *path = xasprintf("%s/%s", b->dir, name), *line = NULL;
    FILE *f = fopen(path, "r");
    size_t size = 0;
    int rc = f ? 0 : err_set(err, "%s: %s", path, strerror(errno));

    while (f && getline(&line, &size, f) > 0)
        take_line(b, line);
    if (f)
        fclose(f);
    free(line);
    free(path);
    return rc;
}

/* dir/best: to the best checkpoint, or no link. */
static int link_best(const struct best *b, struct err *err)
{
    char *at = xasprintf("%s/best", b->dir), *part = xasprintf("%s/best.part", b->dir);
    char *to = folder_step(b->dir, b->step, 0);
    int rc = 0;

    unlink(part);
    if (!b->has_best) {
        if (unlink(at) < 0 && errno != ENOENT)
            rc = err_set(err, "%s: %s", at, strerror(errno));
    } else if (symlink(strrchr(to, '/') + 1, part) < 0 || rename(part, at) < 0) {
        rc = err_set(err, "%s: %s", at, strerror(errno));
    }
    free(at);
    free(part);
    free(to);
    return rc;
}

int best_open(struct best *b, const char *dir, uint64_t step, struct err *err)
{
    *b = (struct best){ .dir = dir };
    b->table = metrics_open(dir, name, header, step + 1, err);
    if (!b->table || read_rows(b, err) < 0 || link_best(b, err) < 0) {
        best_close(b);
        return -1;
    }
    return 0;
}

void best_close(struct best *b)
{
    metrics_close(b->table);
    b->table = NULL;
}

int best_row(struct best *b, uint64_t step, const char *set, const char *metric, const char *lang,
             uint64_t n, double score, struct err *err)
{
    return metrics_add(b->table, err, "%" PRIu64 "\t%s\t%s\t%s\t%" PRIu64 "\t%.6f", step, set,
                       metric, lang, n, score);
}

int best_add(struct best *b, uint64_t step, const char *metric, uint64_t n_set, double score,
             struct err *err)
{
    if (best_row(b, step, decides, metric, "all", n_set, score, err) < 0)
        return -1;
    take(b, step, as_written(score));
    return b->n_since ? 0 : link_best(b, err);
}

void best_tell(const struct best *b, int over)
{
    if (!b->n)
        return;
    if (over)
        fprintf(stderr, "%s: step %" PRIu64 ": no better for %d evaluations\n", die_name, b->last,
                b->n_since);
    if (b->has_best)
        fprintf(stderr, "%s: best: %s/best, step %" PRIu64 "\n", die_name, b->dir, b->step);
}
