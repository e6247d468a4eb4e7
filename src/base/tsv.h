/* tsv.h - lines of tab-separated values, with a header line, as all our tables are: mixture
 * plans, metrics, scores, reports. Fields are views: nothing is quoted, nothing is copied. */
#ifndef BASE_TSV_H
#define BASE_TSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;

struct tsv {    // where a line stands, for messages
    const char *path;
    uint64_t line;    // counted from 1
};

/* Split line at its tabs, without its LF or CRLF: how many fields there are, which may be
 * more than max; the first max of them are in field. An empty line has one empty field. */
size_t tsv_split(struct bytes line, struct bytes *field, size_t max);

/* The number of the column that header (a split line) calls name; -1 and err: there is none. */
int tsv_column(const struct tsv *at, const struct bytes *header, size_t n, const char *name,
               struct err *err);

/* 0 when a split line of n fields has the n_want that the header has; -1. */
int tsv_check(const struct tsv *at, size_t n, size_t n_want, struct err *err);

/* A field as a number in [min, max]: 0; -1 when it is none. name is the column's, for err.
 * tsv_num takes no infinity and no NaN. */
int tsv_int(const struct tsv *at, const char *name, struct bytes field, int64_t min, int64_t max,
            int64_t *to, struct err *err);
int tsv_num(const struct tsv *at, const char *name, struct bytes field, double min, double max,
            double *to, struct err *err);

#endif
