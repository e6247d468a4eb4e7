/* gate.h - conditions on a report that a caller wants to fail by: "sw.nlp<prev". */
#ifndef EVAL_GATE_H
#define EVAL_GATE_H

struct err;
struct gate;
struct report;

/* The gate is LANG.FIGURE, one of < <= > >=, and a number or "prev", the baseline's figure. LANG
 * may be "all". A figure SET/METRIC is a score of answers. NULL: text, which is kept, is none. */
struct gate *gate_parse(const char *text, struct err *err);

/* It is asked of every model but the baseline. 0: no model meets the condition; 1: one does, and
 * err says which, with both numbers; -1 and err: a figure that is not known. */
int gate_check(const struct report *r, const struct gate *g, struct err *err);
void gate_free(struct gate *g);    // g may be NULL

/* The figures there are, parted by spaces. */
extern const char gate_figures[];

#endif
