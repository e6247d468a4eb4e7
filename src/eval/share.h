/* share.h - of what a teacher gained on a baseline, the share that others keep. */
#ifndef EVAL_SHARE_H
#define EVAL_SHARE_H

struct buf;
struct err;
struct report;
struct report_model;

/* By name, after report_set_baseline(): of another model than the baseline. */
int share_set_teacher(struct report *r, const char *name, struct err *err);

/* (m - baseline) / (teacher - baseline) in negative log perplexity of a language (tag NULL: of all
 * together). NAN where that is not known of all three, or the teacher is no better. */
double share_kept(const struct report *r, const struct report_model *m, const char *tag);
/* Is m one whose share is asked? Of none where no teacher is set. */
int share_is_asked(const struct report *r, const struct report_model *m);

/* A table of shares, a row a language and one of all; nothing where none is asked. */
void share_html(struct buf *out, const struct report *r);

#endif
