/* form.h - a text with blanks: "cola sentence: {sentence}" filled from a record.
 *
 * A blank is {FIELD} or {FIELD|FILTER|...}; a field is looked for in the innermost part of the
 * record first. "a.b.0" is the first item of b of a; "a/b" is a, or b where there is no a; "." is
 * the innermost part itself. {{ is a brace. Filters are those of filter.h.
 */
#ifndef PAIRS_FORM_H
#define PAIRS_FORM_H

#include <jansson.h>
#include <stddef.h>

#include "base/mem.h"

struct err;
struct form;

enum { PART_MAX = 8 };

struct record {                      // of any format: objects within objects
    const json_t *part[PART_MAX];    // the innermost last
    int n_part;
    size_t nth;    // item that ".0" stands for
};

/* text is kept. NULL: a blank that does not close, a filter that is none. */
struct form *form_new(const char *text, struct err *err);

/* Fill b, which is emptied first. 0, or -1: a field is not there (or null), a filter failed. */
int form_fill(const struct form *f, const struct record *r, struct buf *b);

/* Whether names[n] has every field that the form needs; whole: and says all of "." */
int form_known(const struct form *f, const struct bytes *names, size_t n, int whole);

/* A field by its name, as in a blank; NULL. */
const json_t *record_field(const struct record *r, const char *name);
/* Append a string, number or truth value; -1 for any other. */
int record_text(const json_t *value, struct buf *b);

void form_free(struct form *f);    // f may be NULL

#endif
