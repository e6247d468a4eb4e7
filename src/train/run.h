/* run.h - a whole training run: steps, metrics, evaluations, checkpoints; stopped, resumed. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include <signal.h>
#include <stdint.h>

#include "train/loop.h"

struct comm;
struct config;
struct err;

struct run_ask {
    const char *train;      // a mixture plan or an example shard
    const char *out;        // folder of the run
    const char *eval;       // shard or folder of shards, or NULL
    const char *resume;     // "auto", "never" or the checkpoint to go on from
    const char *weights;    // checkpoint or model to begin with; NULL: drawn
    int64_t n_step, micro_rows;
    int64_t save_every, keep;    // keep 0: all
    int64_t eval_every;          // 0: at the end only
    int64_t log_every;           // 0: no lines
    int quiet;
    const volatile sig_atomic_t *stop;    // set by a signal: save after this step and return
};

/* 0: all steps are done; 1: stopped, a checkpoint was written; -1: failed, and err says why
 * unless it is another rank's to say (then it is empty). Collective. */
int run_train(const struct config *c, const struct train_rule *rule, const struct run_ask *ask,
              struct comm *comm, struct err *err);

#endif
