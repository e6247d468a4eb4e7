/* options.c - see options.h. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "comm/mesh.h"
#include "launch/options.h"
#include "model/threads.h"
#include "shape/config.h"
#include "shape/params.h"

/* Here, and not in loop.c, which loads all that trains. */

struct training training = {
    .rule = { .batch = 128,
              .group_rows = 1,
              .capacity_factor = 1.25,
              .aux_loss = 0.01,
              .z_loss = 1e-4,
              .min_capacity = 4,
              .jitter = 0.01,
              .input_dropout = 0.1,
              .schedule = { .warmup = 10000 },
              .optimizer_min_dim = 128,
              .init_scale = 0.1,
              .seed = 1 },
    .ask = { .resume = "auto",
             .n_step = 100000,
             .save_every = 1000,
             .keep = 3,
             .guard = { .spike = 3 } },
    .schedule = "rsqrt",
    .rollback = "skip",
    .cap = "floor",
    .init = "paper",
    .precision = "fp32",
    .remat = "none",
    .lr = NAN,
};

#define RULE training.rule
#define ASK training.ask

struct opt training_opts[] = {
    { 'o', "out", "DIR", OPT_STR, &ASK.out, 0, 0, "folder of checkpoints and metrics" },
    { 'n', "steps", "N", OPT_INT, &ASK.n_step, 1, 1e12, "steps in all (default @)" },
    { 'b', "batch", "ROWS", OPT_INT, &RULE.batch, 1, 1e9, "rows of a step (default @)" },
    { 0, "microbatch", "ROWS", OPT_INT, &ASK.micro_rows, 1, 1e9,
      "rows a rank runs at a time (default: all its rows)" },
    { 0, "group-rows", "N", OPT_INT, &RULE.group_rows, 1, 1e6,
      "rows of a routing group (default @)" },
    { 0, "capacity-factor", "X", OPT_NUM, &RULE.capacity_factor, 0, 1e6,
      "an expert's share of a group, times even (default @)" },
    { 0, "min-capacity", "N", OPT_INT, &RULE.min_capacity, 1, 1e6,
      "least tokens an expert takes of a group (default @)" },
    { 0, "aux-loss", "X", OPT_NUM, &RULE.aux_loss, 0, 1e6,
      "weight of the balance loss of a layer (default @)" },
    { 0, "aux-mean", NULL, OPT_FLAG, &RULE.aux_mean, 0, 0,
      "mean of the balance losses over layers, not their sum" },
    { 0, "router-z-loss", "X", OPT_NUM, &RULE.router_z_loss, 0, 1e6,
      "weight of the router's z-loss (default @)" },
    { 0, "z-loss", "X", OPT_NUM, &RULE.z_loss, 0, 1e6, "weight of the logits' z-loss (default @)" },
    { 0, "dropout", "P", OPT_NUM, &RULE.dropout, 0, 0.999, "dropout rate (default @)" },
    { 0, "expert-dropout", "P", OPT_NUM, &RULE.expert_dropout, 0, 0.999,
      "dropout rate inside experts (default @)" },
    { 0, "dropout-per-element", NULL, OPT_FLAG, &RULE.dropout_per_element, 0, 0,
      "draw dropout for each element, not for each row" },
    { 0, "capacity-rule", "floor|round|none", OPT_CHOICE, &training.cap, 0, 0,
      "an expert's share in whole tokens: rounded down, at most a group; to the nearest; "
      "no token is dropped (default @)" },
    { 0, "second-loss", NULL, OPT_FLAG, &RULE.second_loss, 0, 0,
      "of top2: balance second choices too, by half the weight" },
    { 0, "explore", "jitter|argmax|sample|dropout", OPT_CHOICE, &training.explore, 0, 0,
      "how routers explore (default jitter; of top2: argmax)" },
    { 0, "precision", "fp32|bf16|bf16-all", OPT_CHOICE, &training.precision, 0, 0,
      "of products with weights; of routers, too (default @)" },
    { 0, "remat", "none|block", OPT_CHOICE, &training.remat, 0, 0,
      "what the backward pass makes again to save memory (default @)" },
    { 0, "jitter", "X", OPT_NUM, &RULE.jitter, 0, 1, "of the router's input (default @)" },
    { 0, "input-dropout", "P", OPT_NUM, &RULE.input_dropout, 0, 0.999,
      "dropout of the router's input to explore by (default @)" },
    { 0, "schedule", "rsqrt|constant", OPT_CHOICE, &training.schedule, 0, 0,
      "of the learning rate (default @)" },
    { 0, "lr", "X", OPT_NUM, &training.lr, 0, 1e6,
      "rsqrt: lr / sqrt(step) (default 1); constant: lr (default 1e-3)" },
    { 0, "warmup", "N", OPT_NUM, &RULE.schedule.warmup, 0, 1e12,
      "steps before rsqrt begins to fall (default @)" },
    { 0, "ramp-down", "X", OPT_NUM, &RULE.schedule.ramp_down, 0, 1,
      "share of the steps, the last, in which it falls to 0 (default @)" },
    { 0, "optimizer-min-dim", "N", OPT_INT, &RULE.optimizer_min_dim, 1, 1e9,
      "matrices this wide have factored slots (default @)" },
    { 0, "save-every", "N", OPT_INT, &ASK.save_every, 1, 1e12,
      "steps between checkpoints (default @)" },
    { 0, "keep", "K", OPT_INT, &ASK.keep, 0, 1e9,
      "newest checkpoints to keep (default @; 0: all)" },
    { 0, "eval-every", "N", OPT_INT, &ASK.eval_every, 0, 1e12,
      "steps between evaluations (default @; 0: only at the end)" },
    { 0, "max-rollbacks", "N", OPT_INT, &ASK.guard.max_rollbacks, 0, 1e6,
      "how often to go back to a checkpoint when the loss diverges (default @)" },
    { 0, "spike", "X", OPT_NUM, &ASK.guard.spike, 1, 1e9,
      "three losses over X times the median of the last 64 diverge (default @)" },
    { 0, "rollback", "skip|lower", OPT_CHOICE, &training.rollback, 0, 0,
      "then skip rows, or lower the rate (default @)" },
    { 's', "seed", "N", OPT_INT, &RULE.seed, 0, 1e15, "of all randomness (default @)" },
    { 0, "resume", "auto|never|DIR", OPT_STR, &ASK.resume, 0, 0,
      "go on from the newest checkpoint, from none, from DIR (default @)" },
    { 0, "log-every", "N", OPT_INT, &ASK.log_every, 0, 1e12,
      "a line on standard error every N steps (default 0: none)" },
    { 0, "mesh", "data=N,model=M,expert=E", OPT_STR, &training.mesh, 0, 0,
      "how ranks divide rows, slices of the model, experts (default: rows and experts)" },
    { 0, "timeout", "SECONDS", OPT_NUM, &training.timeout, 0, 1e9,
      "a rank that waits longer for others ends the run (default @: never)" },
    { 0, "profile", NULL, OPT_FLAG, &ASK.profile, 0, 0,
      "at the end, where the time of the steps went" },
    { 'q', "quiet", NULL, OPT_FLAG, &ASK.quiet, 0, 0, "no progress line" },
    { 'j', "threads", "N", OPT_INT, &training.threads, 1, THREADS_MAX,
      "threads of a rank (default: its share of the processors)" },
    { 0 },
};

struct opt training_data_opts[] = {
    { 't', "train", "FILE", OPT_STR, &ASK.train, 0, 0, "mixture plan or example shard" },
    { 0, "eval", "FILE|DIR", OPT_STR, &ASK.eval, 0, 0, "example shards to evaluate on" },
    { .to = training_opts },
};

int training_check(struct training *t, struct err *err)
{
    struct schedule *s = &t->rule.schedule;
    struct mesh mesh;

    if (t->rule.batch % t->rule.group_rows != 0)
        return err_set(err, "--batch is not a multiple of --group-rows");
    if (t->ask.micro_rows % t->rule.group_rows != 0)
        return err_set(err, "--microbatch is not a multiple of --group-rows");
    if (mesh_read(&mesh, t->mesh, err) < 0)
        return -1;
    if (t->explore)
        t->rule.explore = EXPLORE_JITTER + word_of(explore_words, t->explore);
    t->rule.cap = word_of(cap_words, t->cap);
    t->rule.init = word_of(init_words, t->init);
    t->rule.remat = strcmp(t->remat, "block") == 0;
    t->rule.precision = word_of(precision_words, t->precision);
    s->kind = strcmp(t->schedule, "constant") == 0 ? SCHEDULE_CONSTANT : SCHEDULE_RSQRT;
    s->lr = !isnan(t->lr) ? t->lr : s->kind == SCHEDULE_CONSTANT ? 1e-3 : 1.0;
    t->ask.guard.lower = strcmp(t->rollback, "lower") == 0;
    s->n_step = s->ramp_down > 0 ? t->ask.n_step : 0;    // else it may grow
    return 0;
}
