/* tsv.c - see tsv.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/tsv.h"

enum { NUMBER_MAX = 64 };    // characters; no number that we write has more

size_t tsv_split(struct bytes line, struct bytes *field, size_t max)
{
    const unsigned char *p = line.p, *tab;
    size_t left = line.n, n = 0, len;

    if (left && p[left - 1] == '\n')
        left--;
    if (left && p[left - 1] == '\r')
        left--;
    do {
        tab = left ? memchr(p, '\t', left) : NULL;
        len = tab ? (size_t)(tab - p) : left;
        if (n < max)
            field[n] = (struct bytes){ p, len };
        n++;
        left -= len + (tab != NULL);
        p += tab ? len + 1 : 0;
    } while (tab);
    return n;
}

int tsv_column(const struct tsv *at, const struct bytes *header, size_t n, const char *name,
               struct err *err)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (header[i].n == strlen(name) && !memcmp(header[i].p, name, header[i].n))
            return (int)i;
    return err_set(err, "%s: line %" PRIu64 ": no column called '%s'", at->path, at->line, name);
}

int tsv_check(const struct tsv *at, size_t n, size_t n_want, struct err *err)
{
    if (n == n_want)
        return 0;
    return err_set(err, "%s: line %" PRIu64 ": %zu fields, where its header has %zu", at->path,
                   at->line, n, n_want);
}

/* The field as a C string in text; -1 when it cannot be a number. */
static int number_text(struct bytes field, char text[NUMBER_MAX])
{
    if (field.n == 0 || field.n >= NUMBER_MAX || !strchr("+-.0123456789", field.p[0]))
        return -1;
    memcpy(text, field.p, field.n);
    text[field.n] = 0;
    return strlen(text) == field.n ? 0 : -1;
}

static int bad_field(const struct tsv *at, const char *name, struct bytes field, const char *what,
                     double min, double max, struct err *err)
{
    int n = field.n < 40 ? (int)field.n : 40;

    return err_set(err, "%s: line %" PRIu64 ": %s: '%.*s' is not a %s from %.15g to %.15g",
                   at->path, at->line, name, n, n ? (const char *)field.p : "", what, min, max);
}

int tsv_int(const struct tsv *at, const char *name, struct bytes field, int64_t min, int64_t max,
            int64_t *to, struct err *err)
{
    char text[NUMBER_MAX], *end = text;
    long long x = 0;

    errno = 0;
    if (number_text(field, text) == 0)
        x = strtoll(text, &end, 10);
    if (end == text || *end || errno || x < min || x > max)
        return bad_field(at, name, field, "whole number", (double)min, (double)max, err);
    *to = x;
    return 0;
}

int tsv_num(const struct tsv *at, const char *name, struct bytes field, double min, double max,
            double *to, struct err *err)
{
    char text[NUMBER_MAX], *end = text;
    double x = 0;

    if (number_text(field, text) == 0)
        x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x < min || x > max)
        return bad_field(at, name, field, "number", min, max, err);
    *to = x;
    return 0;
}
