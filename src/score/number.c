/* number.c - numbers as text: how well they go together; see measure.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "score/measure.h"
#include "score/trials.h"
#include "text/unicode.h"

enum { NUMBER_MAX = 64 };

static int number(struct bytes s, double *x)
{
    char text[NUMBER_MAX], *end;

    s = unicode_strip(s);
    if (!s.n || s.n >= NUMBER_MAX || memchr(s.p, 0, s.n) || memchr(s.p, 'x', s.n) ||
        memchr(s.p, 'X', s.n))
        return -1;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *x = strtod(text, &end);
    return *end || !isfinite(*x) ? -1 : 0;
}

static int row_number(struct measure_how *how, const struct trial *p, double *row, struct err *err)
{
    (void)how;
    if (number(p->ref[0], &row[0]) < 0)
        return err_set(err, "reference '%.*s' is no number",
                       (int)(p->ref[0].n < 80 ? p->ref[0].n : 80),
                       p->ref[0].n ? (const char *)p->ref[0].p : "");
    if (number(p->prediction, &row[1]) < 0)
        row[1] = -1;    // as T5 has it for STS-B
    return 0;
}

static double pearson(const double *xy, size_t n)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy_ = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        mx += xy[2 * i] / (double)n;
        my += xy[2 * i + 1] / (double)n;
    }
    for (i = 0; i < n; i++) {
        double x = xy[2 * i] - mx, y = xy[2 * i + 1] - my;

        xx += x * x;
        yy += y * y;
        xy_ += x * y;
    }
    return xx > 0 && yy > 0 ? 100 * xy_ / (sqrt(xx) * sqrt(yy)) : NAN;
}

/* A side that never changes, found without rounding. */
static int is_constant(const double *xy, size_t n, size_t side)
{
    size_t i;

    for (i = 1; i < n; i++)
        if (xy[2 * i + side] != xy[side])
            return 0;
    return 1;
}

struct ranked {
    double x;
    size_t i;
};

static int rank_order(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->x, y = ((const struct ranked *)b)->x;

    return (x > y) - (x < y);
}

/* Replace one side by its ranks, equal values by the mean of theirs. */
static void rank(double *xy, size_t n, size_t side)
{
    struct ranked *r = xcalloc(n, sizeof(*r));
    size_t i, j, k;

    for (i = 0; i < n; i++)
        r[i] = (struct ranked){ xy[2 * i + side], i };
    qsort(r, n, sizeof(*r), rank_order);
    for (i = 0; i < n; i = j) {
        for (j = i; j < n && r[j].x == r[i].x; j++)
            ;
        for (k = i; k < j; k++)
            xy[2 * r[k].i + side] = (double)(i + j + 1) / 2;
    }
    free(r);
}

static double correlate(const double *row, const size_t *pick, size_t n, int ranks)
{
    double *xy = xcalloc(n, 2 * sizeof(*xy)), r = NAN;
    size_t i, side;

    for (i = 0; i < n; i++)
        memcpy(xy + 2 * i, row + 2 * pick[i], 2 * sizeof(*xy));
    for (side = 0; ranks && side < 2; side++)
        rank(xy, n, side);
    if (!is_constant(xy, n, 0) && !is_constant(xy, n, 1))
        r = pearson(xy, n);
    free(xy);
    return r;
}

static double value_pearson(const struct measure_how *how, const double *row, const size_t *pick,
                            size_t n)
{
    (void)how;
    return correlate(row, pick, n, 0);
}

static double value_spearman(const struct measure_how *how, const double *row, const size_t *pick,
                             size_t n)
{
    (void)how;
    return correlate(row, pick, n, 1);
}

const struct measure measure_number[] = {
    { "pearson", "correlation of numbers", 2, MEASURE_EACH, row_number, value_pearson },
    { "spearman", "correlation of their ranks", 2, MEASURE_EACH, row_number, value_spearman },
    { 0 },
};
