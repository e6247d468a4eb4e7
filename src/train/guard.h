/* guard.h - does a run diverge, and what was done about it: rollbacks.tsv of a training folder.
 *
 * A step is high when its loss is over `spike` times the median of the last losses, and over it by
 * at least a nat. A run diverges when GUARD_HIGH steps in a row are high, or at once when a loss
 * is not finite. All that is remembered is read off the tables of the folder, so that a resumed
 * run decides as one that was not stopped.
 */
#ifndef TRAIN_GUARD_H
#define TRAIN_GUARD_H

#include <stdint.h>

struct comm;
struct err;

enum { GUARD_WINDOW = 64, GUARD_FEW = 8, GUARD_HIGH = 3 };    // GUARD_FEW: fewer have no median

struct guard_rule {
    double spike;
    int64_t max_rollbacks;    // 0: a loss that is not finite ends the run, nothing else is judged
    int lower;                // rows are not skipped, the rate is halved
};

struct guard {
    const struct guard_rule *rule;
    double loss[GUARD_WINDOW];    // those that were not high, in a ring
    uint64_t n;                   // so many went in
    int high;                     // steps in a row, up to now
    uint64_t high_from;           // the first of them
    uint64_t n_rollback, skip;    // up to now; steps whose rows were passed over
    double lr_scale;
};

/* Of a run in folder dir that is at step. Later rows of rollbacks.tsv are cut. Collective. */
int guard_begin(struct guard *g, const struct guard_rule *rule, const char *dir, uint64_t step,
                struct comm *comm, struct err *err);

/* Take the loss of a step: 1 when the run diverges. */
int guard_judge(struct guard *g, uint64_t step, double loss);
double guard_median(const struct guard *g);    // NAN when there are too few

/* Write that the run goes back from step to the checkpoint `to`: of rank 0. After this,
 * guard_begin() at `to`. */
int guard_record(const struct guard *g, const char *dir, uint64_t to, uint64_t step, double loss,
                 struct err *err);

#endif
