/* metrics.h - tables that grow a row at a time, in a training folder: switchyard-metrics(5). */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H

#include <stdint.h>

struct err;
struct evaluation;
struct metrics;
struct step_report;

/* Open dir/name for more rows; a new file gets the header line. Rows whose first field is at
 * least end_step are cut, and a last line that is not whole. NULL on failure. */
struct metrics *metrics_open(const char *dir, const char *name, const char *header,
                             uint64_t end_step, struct err *err);
/* A row, without its end of line; it is in the file when this returns. */
int metrics_add(struct metrics *m, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int metrics_sync(struct metrics *m, struct err *err);    // on the disk; m may be NULL
void metrics_close(struct metrics *m);                   // m may be NULL

extern const char metrics_step_header[], metrics_taught_header[], metrics_eval_header[];
/* With the columns of a step with a teacher, if m was opened so. */
int metrics_add_step(struct metrics *m, uint64_t step, const struct step_report *r,
                     struct err *err);
int metrics_add_eval(struct metrics *m, uint64_t step, const struct evaluation *e, struct err *err);

#endif
