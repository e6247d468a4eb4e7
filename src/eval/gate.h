/* gate.h - conditions on a report that a caller wants to fail by: "sw.nlp<prev". */
#ifndef EVAL_GATE_H
#define EVAL_GATE_H

struct err;
struct report;

/* The gate is LANG.FIGURE, one of < <= > >=, and a number or "prev", the baseline's figure. LANG
 * may be "all". A figure SET/METRIC is a score of answers. It is asked of every model but the
 * baseline. 0: no model meets the condition; 1: one does, and err says which, with both numbers; -1
 * and err: no such gate, or a figure that is not known. */
int gate_check(const struct report *r, const char *gate, struct err *err);

/* The figures there are, parted by spaces. */
extern const char gate_figures[];

#endif
