/* trials.h - what a model said and what it should have said, example by example.
 *
 * Two forms: a TSV with a header line and the columns prediction, reference (as often as there
 * are references), and, if wanted, id, lang, group and label; or files of lines, one example a
 * line, references first and predictions last. Text must be valid UTF-8.
 */
#ifndef SCORE_TRIALS_H
#define SCORE_TRIALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct trials;

struct trials_how {
    const char *separator;    // parts references within a field; NULL: nothing does
    const char *lang;         // language of all that has no column for it; NULL: ""
    int escaped;              // \n, \t, \r and \\ in a field stand for what they do in C
    const char *prediction, *reference;    // what a table's columns are called; NULL: as above
};

struct trial {
    struct bytes id, lang, group, label;    // empty when there is no such column
    struct bytes prediction;
    const struct bytes *ref;
    size_t n_ref;     // at least 1
    uint64_t line;    // in the file, from 1
};

/* A TSV; path "-" is standard input. Nothing of how is kept but the strings. NULL on failure. */
struct trials *trials_open(const char *path, const struct trials_how *how, struct err *err);

/* n >= 2 files of lines: path[n - 1] holds the predictions. */
struct trials *trials_open_lines(const char *const *path, size_t n, const struct trials_how *how,
                                 struct err *err);

/* The next example: 1, valid until the next call; 0 at the end; -1 and err. */
int trials_next(struct trials *r, struct trial *p, struct err *err);
const char *trials_path(const struct trials *r);    // of the file of references
void trials_close(struct trials *r);                // r may be NULL

#endif
