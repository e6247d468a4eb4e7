/* best.h - scores of a run's evaluations, scores.tsv of its folder, and the link DIR/best to the
 * checkpoint that has the highest. */
#ifndef TRAIN_BEST_H
#define TRAIN_BEST_H

#include <stdint.h>

struct err;
struct metrics;

struct best {
    const char *dir;
    struct metrics *table;
    int n;            // evaluations
    int n_since;      // of them, those after the best one; all of them when there is none
    int has_best;     // a score that is a number
    uint64_t step;    // the best
    double score;
    uint64_t last;    // step of the last evaluation, if n > 0
};

/* scores.tsv in dir, for a run that is at step: later rows are cut. -1 on failure. */
int best_open(struct best *b, const char *dir, uint64_t step, struct err *err);
void best_close(struct best *b);

/* A row of the table; the score that decides is of the set "mean". */
int best_row(struct best *b, uint64_t step, const char *set, const char *metric, const char *lang,
             uint64_t n, double score, struct err *err);

/* The checkpoint of step has this score, which decides. The link follows. */
int best_add(struct best *b, uint64_t step, const char *metric, uint64_t n_set, double score,
             struct err *err);
/* Say on standard error which is the best; over: there were no better ones for too long. */
void best_tell(const struct best *b, int over);

#endif
