/* run.h - a whole training run: steps, metrics, evaluations, checkpoints; stopped, resumed. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include <signal.h>
#include <stdint.h>

#include "train/guard.h"
#include "train/loop.h"

struct best;
struct comm;
struct config;
struct err;
struct teacher_ask;

/* How a checkpoint is judged, if not by its negative log perplexity. */
struct run_look {
    /* Its score, which decides, to all ranks; rows of its parts to b, which only rank 0 has.
     * Collective; -1 on all ranks. */
    int (*score)(void *to, uint64_t step, const char *checkpoint, struct best *b, double *score,
                 struct err *err);
    void *to;
    const char *metric;    // name of what decides
    int n_set;
};

struct run_ask {
    const char *train;           // a mixture plan or an example shard
    struct mix *mix;             // or rows that are open already: run_train() closes it
    const char *out;             // folder of the run
    const char *eval;            // shard or folder of shards, or NULL
    const char *const *evals;    // or n_eval of them
    int n_eval;
    int best;                // evaluations decide which checkpoint is linked as best, and kept
    int64_t patience;        // end after so many that are not better; 0: never
    struct run_look look;    // score NULL: negative log perplexity of all rows
    struct guard_rule guard;
    const char *resume;     // "auto", "never" or the checkpoint to go on from
    int moments;            // of the optimizer, too, from the checkpoint that is weights
    const char *weights;    // checkpoint or model to begin with; NULL: drawn
    int by_role;            // it is another network: take what plays the same role (inherit.h)
    const struct teacher_ask *teacher;    // or NULL
    int64_t n_step, micro_rows;
    int64_t save_every, keep;    // keep 0: all
    int64_t eval_every;          // 0: at the end only
    int64_t log_every;           // 0: no lines
    int profile;                 // print where the time went, at the end
    int quiet;
    const volatile sig_atomic_t *stop;    // set by a signal: save after this step and return
};

/* 0: all steps are done; 1: stopped, a checkpoint was written; -1: failed, and err says why
 * unless it is another rank's to say (then it is empty). Collective. */
int run_train(const struct config *c, const struct train_rule *rule, const struct run_ask *ask,
              struct comm *comm, struct err *err);

#endif
