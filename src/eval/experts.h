/* experts.h - which experts each language's tokens chose, as switch-eval writes it, and a
 * picture of it. */
#ifndef EVAL_EXPERTS_H
#define EVAL_EXPERTS_H

struct buf;
struct err;
struct experts;

/* A TSV with the columns lang, stack, block, expert and share. model: whose experts they are, or
 * NULL. NULL on failure. */
struct experts *experts_read(const char *model, const char *path, struct err *err);

/* A heat map for each sparse block, a row a language, a column an expert, as HTML and SVG that
 * take their colours from the page. */
void experts_html(struct buf *out, const struct experts *e);
/* Rows of figures.h: experts, model, language, block, expert, share. */
void experts_tsv(struct buf *out, const struct experts *e);
void experts_free(struct experts *e);    // e may be NULL

#endif
