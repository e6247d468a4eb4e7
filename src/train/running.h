/* running.h - what the parts of a run share: how it begins (begin.c), how it is judged and kept
 * (judged.c), how it goes on (run.c). Of this room alone; run.h is for others. */
#ifndef TRAIN_RUNNING_H
#define TRAIN_RUNNING_H

#include <stdint.h>

#include "base/progress.h"
#include "train/best.h"
#include "train/guard.h"
#include "train/profile.h"
#include "train/run.h"
#include "train/state.h"

struct comm;
struct config;
struct err;
struct eval_set;
struct metrics;
struct mix;
struct teacher;
struct trainer;

struct running {
    const struct run_ask *ask;
    struct comm *comm;
    int root;    // this is rank 0
    struct mix *mix;
    struct eval_set *eval;
    struct trainer *t;
    struct teacher *teacher;    // or NULL
    struct state_facts facts;
    struct metrics *steps, *evals;    // on rank 0
    struct best best;                 // on rank 0
    struct guard guard;
    double nlp, n_target;    // of the last evaluation
    int over;                // patience is at its end
    struct progress progress;
    struct profile profile;
    char unit[64];    // of the progress line, with the loss
    int has_saved;
};

/* -1 on all ranks when one has it. */
int running_agree(struct running *r, int rc);
/* Of the ranks that know why it failed, the first keeps its message. */
void running_one_speaks(struct comm *comm, struct err *err);

/* Everything opened, resumed or begun, up to the next step. Collective, as all below that can
 * fail. */
int running_start(struct running *r, const struct config *c, const struct train_rule *rule,
                  struct err *err);
/* The tables, what they say of the run so far, and what is to be before the next step: of a run
 * that is at a step, its checkpoint loaded. */
int running_take_up(struct running *r, struct err *err);
void running_close_tables(struct running *r);

int running_due(uint64_t step, int64_t every, uint64_t last);
int running_eval_due(const struct running *r);
int running_save(struct running *r, struct err *err);
int running_prune(struct running *r, struct err *err);    // but not the best
int running_evaluate(struct running *r, struct err *err);
/* Score the checkpoint that was just written, by which the best is known. */
int running_judge(struct running *r, struct err *err);

#endif
