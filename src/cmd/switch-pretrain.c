/* switch-pretrain - train a model from examples, on any number of ranks. */
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "model/config.h"
#include "model/preset.h"
#include "model/threads.h"
#include "train/folder.h"
#include "train/run.h"

static const char *config_word, *schedule = "rsqrt";
static double lr = NAN;
static int64_t threads;
static volatile sig_atomic_t stop;

static struct train_rule rule = { .batch = 128,
                                  .group_rows = 1,
                                  .capacity_factor = 1.25,
                                  .aux_loss = 0.01,
                                  .z_loss = 1e-4,
                                  .min_capacity = 4,
                                  .jitter = 0.01,
                                  .schedule = { .warmup = 10000 },
                                  .optimizer_min_dim = 128,
                                  .init_scale = 0.1,
                                  .seed = 1 };
static struct run_ask ask = {
    .resume = "auto", .n_step = 100000, .save_every = 1000, .keep = 3, .stop = &stop
};

static const struct opt opts[] = {
    { 'c', "config", "FILE|PRESET", OPT_STR, &config_word, 0, 0, "the model's shape" },
    { 't', "train", "FILE", OPT_STR, &ask.train, 0, 0, "mixture plan or example shard" },
    { 'o', "out", "DIR", OPT_STR, &ask.out, 0, 0, "folder of checkpoints and metrics" },
    { 'n', "steps", "N", OPT_INT, &ask.n_step, 1, 1e12, "steps in all (default 100000)" },
    { 'b', "batch", "ROWS", OPT_INT, &rule.batch, 1, 1e9, "rows of a step (default 128)" },
    { 0, "microbatch", "ROWS", OPT_INT, &ask.micro_rows, 1, 1e9,
      "rows a rank runs at a time (default: all its rows)" },
    { 0, "group-rows", "N", OPT_INT, &rule.group_rows, 1, 1e6,
      "rows of a routing group (default 1)" },
    { 0, "capacity-factor", "X", OPT_NUM, &rule.capacity_factor, 0, 1e6,
      "an expert's share of a group, times even (default 1.25)" },
    { 0, "min-capacity", "N", OPT_INT, &rule.min_capacity, 1, 1e6,
      "least tokens an expert takes of a group (default 4)" },
    { 0, "aux-loss", "X", OPT_NUM, &rule.aux_loss, 0, 1e6,
      "weight of the balance loss of a layer (default 0.01)" },
    { 0, "aux-mean", NULL, OPT_FLAG, &rule.aux_mean, 0, 0,
      "mean of the balance losses over layers, not their sum" },
    { 0, "router-z-loss", "X", OPT_NUM, &rule.router_z_loss, 0, 1e6,
      "weight of the router's z-loss (default 0)" },
    { 0, "z-loss", "X", OPT_NUM, &rule.z_loss, 0, 1e6,
      "weight of the logits' z-loss (default 1e-4)" },
    { 0, "dropout", "P", OPT_NUM, &rule.dropout, 0, 0.999, "dropout rate (default 0)" },
    { 0, "expert-dropout", "P", OPT_NUM, &rule.expert_dropout, 0, 0.999,
      "dropout rate inside experts (default 0)" },
    { 0, "dropout-per-element", NULL, OPT_FLAG, &rule.dropout_per_element, 0, 0,
      "draw dropout for each element, not for each row" },
    { 0, "jitter", "X", OPT_NUM, &rule.jitter, 0, 1, "of the router's input (default 0.01)" },
    { 0, "schedule", "rsqrt|constant", OPT_CHOICE, &schedule, 0, 0,
      "of the learning rate (default rsqrt)" },
    { 0, "lr", "X", OPT_NUM, &lr, 0, 1e6,
      "rsqrt: lr / sqrt(step) (default 1); constant: lr (default 1e-3)" },
    { 0, "warmup", "N", OPT_NUM, &rule.schedule.warmup, 0, 1e12,
      "steps before rsqrt begins to fall (default 10000)" },
    { 0, "ramp-down", "X", OPT_NUM, &rule.schedule.ramp_down, 0, 1,
      "share of the steps, the last, in which it falls to 0 (default 0)" },
    { 0, "optimizer-min-dim", "N", OPT_INT, &rule.optimizer_min_dim, 1, 1e9,
      "matrices this wide have factored slots (default 128)" },
    { 0, "init-scale", "X", OPT_NUM, &rule.init_scale, 1e-9, 1e6,
      "scale of the first weights (default 0.1)" },
    { 0, "weights", "DIR", OPT_STR, &ask.weights, 0, 0, "begin with the weights of a checkpoint" },
    { 0, "save-every", "N", OPT_INT, &ask.save_every, 1, 1e12,
      "steps between checkpoints (default 1000)" },
    { 0, "keep", "K", OPT_INT, &ask.keep, 0, 1e9,
      "newest checkpoints to keep (default 3; 0: all)" },
    { 0, "eval", "FILE|DIR", OPT_STR, &ask.eval, 0, 0, "example shards to evaluate on" },
    { 0, "eval-every", "N", OPT_INT, &ask.eval_every, 1, 1e12,
      "steps between evaluations (default: only at the end)" },
    { 's', "seed", "N", OPT_INT, &rule.seed, 0, 1e15, "of all randomness (default 1)" },
    { 0, "resume", "auto|never|DIR", OPT_STR, &ask.resume, 0, 0,
      "go on from the newest checkpoint, from none, from DIR (default auto)" },
    { 0, "log-every", "N", OPT_INT, &ask.log_every, 0, 1e12,
      "a line on standard error every N steps (default 0: none)" },
    { 'q', "quiet", NULL, OPT_FLAG, &ask.quiet, 0, 0, "no progress line" },
    { 'j', "threads", "N", OPT_INT, &threads, 1, THREADS_MAX,
      "threads of a rank (default: its share of the processors)" },
    { 0 },
};

static const struct tool tool = { "switch-pretrain",
                                  "--config FILE|PRESET --train FILE --out DIR [OPTION ...]",
                                  "Train a T5 or Switch Transformer; under mpirun on many ranks.",
                                  opts };

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static void catch_signals(void)
{
    static const int caught[] = { SIGTERM, SIGINT, SIGUSR1 };
    struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    size_t i;

    sigemptyset(&a.sa_mask);
    for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        sigaction(caught[i], &a, NULL);
}

static void check_options(int more)
{
    int constant = strcmp(schedule, "constant") == 0;

    if (more)
        die_misuse("there are no operands");
    if (!config_word || !ask.train || !ask.out)
        die_misuse("--config, --train and --out are needed");
    if (rule.batch % rule.group_rows != 0)
        die_misuse("--batch is not a multiple of --group-rows");
    if (ask.micro_rows % rule.group_rows != 0)
        die_misuse("--microbatch is not a multiple of --group-rows");
    rule.schedule.kind = constant ? SCHEDULE_CONSTANT : SCHEDULE_RSQRT;
    rule.schedule.lr = isnan(lr) ? (constant ? 1e-3 : 1.0) : lr;
    rule.schedule.n_step = rule.schedule.ramp_down > 0 ? ask.n_step : 0;    // else it may grow
}

static void tell_how_to_resume(const struct comm *comm)
{
    const char *again = strcmp(ask.resume, "auto") == 0 ? "" : " --resume auto";

    if (comm_rank(comm) != 0)
        return;
    if (comm_size(comm) > 1)
        fprintf(stderr, "%s: stopped; to go on: mpirun -n %d %s %s%s\n", die_name, comm_size(comm),
                die_name, opt_line(), again);
    else
        fprintf(stderr, "%s: stopped; to go on: %s %s%s\n", die_name, die_name, opt_line(), again);
}

int main(int argc, char **argv)
{
    struct config c;
    struct comm *comm;
    struct err err;
    int rc;

    threads_calm(argv);
    argv += opt_parse(&tool, argc, argv);
    check_options(*argv != NULL);
    comm = comm_init();
    catch_signals();
    threads_set(threads, comm);
    kernel_init();
    if (config_find(&c, config_word, &err) < 0)
        die("%s", err.msg);
    rc = run_train(&c, &rule, &ask, comm, &err);
    if (rc < 0 && err.msg[0])
        warn("%s", err.msg);
    if (rc > 0)
        tell_how_to_resume(comm);
    comm_barrier(comm);
    comm_end(comm);
    return rc < 0;
}
