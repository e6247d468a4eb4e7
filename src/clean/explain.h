/* explain.h - rows for --explain: what was decided of pages and lines, by which rule, and why.
 *
 * A row is URL, line (1, 2, ... of the page as read; 0: the page), rule, verdict, evidence, parted
 * by tabs. What is decided of a page by itself waits in the spool as notes, without the URL.
 */
#ifndef CLEAN_EXPLAIN_H
#define CLEAN_EXPLAIN_H

#include <stdint.h>

#include "clean/judge.h"
#include "rules/rules.h"

extern const char explain_header[];

/* What the line rules of c do to the lines of p: notes, replaced. */
void explain_lines(struct buf *notes, const struct rule_choice *c, const struct rule_page *p);

/* Add that a rule, none of a line, drops a page, and why. notes may be empty. */
void explain_rule(struct buf *notes, int rule, struct bytes why);

/* Why a page that is not UTF-8 is dropped: notes, replaced. */
void explain_bytes(struct buf *notes, struct bytes text);

/* Append all rows of a page to b: its notes, its lines that are lost, its end. */
void explain_page(struct buf *b, const struct spool_page *s, const struct fate *f,
                  const struct verdict_page *v);

#endif
