/* figures.h - all that a page draws and says besides its table by language, as one TSV. */
#ifndef EVAL_FIGURES_H
#define EVAL_FIGURES_H

struct buf;
struct experts;
struct report;

/* A row a point: figure, model, lang ("all": of all together; empty: not of languages), series, x,
 * y. e as of page_html(). What is not known has no row. */
void figures_tsv(struct buf *out, const struct report *r, struct experts *const *e);

#endif
