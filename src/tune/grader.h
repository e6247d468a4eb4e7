/* grader.h - how good a checkpoint is: it answers sets of examples, and the answers are scored by
 * the metrics of eval-score(1) or by a command. */
#ifndef TUNE_GRADER_H
#define TUNE_GRADER_H

#include <stdint.h>

#include "score/measure.h"

struct best;
struct comm;
struct dev;
struct err;
struct grader;
struct tongue;

enum { GRADER_MEASURES = 64 };

struct grader_by {    // how a set is scored
    const struct measure *measure[GRADER_MEASURES];
    int n_measure;
    enum answer_norm norm;
    const char *labels;    // NULL: what references hold
};

struct grader_plan {
    const struct dev *set;         // [n_set]
    const struct grader_by *by;    // [n_set], or
    int n_set;
    const char *command;    // reads a table of answers, writes a number
    int lower;              // and a lower one is better
    double seconds;         // that it may take; 0: any
    struct tongue *tongue;
    int limit, n_text;    // ids of an answer at most; examples at once
    int64_t threads;      // as asked for
};

/* plan is kept, and what it points to. */
struct grader *grader_new(const struct grader_plan *plan, struct comm *comm);

/* As run_look.score wants it, `to` being the grader: writes the checkpoint's predictions-NAME.tsv,
 * rows to b, and the mean over sets of the mean over metrics to *score. Of several languages a
 * metric's score is the mean of theirs. */
int grader_score(void *to, uint64_t step, const char *checkpoint, struct best *b, double *score,
                 struct err *err);
void grader_free(struct grader *g);    // g may be NULL

#endif
