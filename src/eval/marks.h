/* marks.h - scores of answers, as eval-score(1) writes them, of several models, sets and metrics.
 */
#ifndef EVAL_MARKS_H
#define EVAL_MARKS_H

#include <stddef.h>

struct buf;
struct err;

struct mark {
    char *set, *metric, *model, *lang;
    double n, score, low, high;    // low, high: NAN without an interval; score: when not defined
};

struct marks {    // { 0 } is empty
    struct mark *mark;
    size_t n;
};

/* Add a table with the columns metric, lang, n and score, and perhaps low and high. The set is the
 * file's name up to its first point. */
int marks_read(struct marks *m, const char *model, const char *path, struct err *err);

/* A table for each set and metric: a row a language, a column a model. */
void marks_html(struct buf *out, const struct marks *m);

/* The score of a model; figure is "SET/METRIC". NAN when it is not known. */
double marks_score(const struct marks *m, const char *model, const char *lang, const char *figure);

/* Rows of figures.h: score, model, language, "SET METRIC", number of examples, score. */
void marks_tsv(struct buf *out, const struct marks *m);
void marks_release(struct marks *m);

#endif
