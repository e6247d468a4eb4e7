/* switch-distill - train a small model on what a large one says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "checkpoint/folder.h"
#include "comm/comm.h"
#include "launch/options.h"
#include "model/threads.h"
#include "shape/config.h"
#include "shape/inherit.h"
#include "shape/preset.h"
#include "shape/slice.h"
#include "train/cache.h"
#include "train/run.h"
#include "train/teacher.h"

static const char *config_word, *weights, *cache_out;
static struct teacher_ask teacher = { .share = 0.25, .tau = 1 };
static int64_t top = 64, first_step;

static const struct opt opts[] = {
    { 'T', "teacher", "DIR", OPT_STR, &teacher.model, 0, 0,
      "the teacher: a checkpoint, a run's folder, or a model of others" },
    { 'c', "config", "FILE|PRESET", OPT_STR, &config_word, 0, 0,
      "the student's shape (default: the teacher's without experts)" },
    { 'w', "weights", "teacher|draw|DIR", OPT_STR, &weights, 0, 0,
      "the student's first weights (default: teacher, if there is one)" },
    { 'f', "soft-share", "F", OPT_NUM, &teacher.share, 0, 1,
      "weight of the teacher's part of the loss (default @)" },
    { 0, "tau", "X", OPT_NUM, &teacher.tau, 1e-3, 1e3, "temperature of that part (default @)" },
    { 0, "cache", "FILE", OPT_STR, &teacher.cache, 0, 0,
      "learn from what the teacher said, written before" },
    { 0, "write-cache", "FILE", OPT_STR, &cache_out, 0, 0,
      "write what the teacher says of the rows of all steps, and train nothing" },
    { 'k', "top", "K", OPT_INT, &top, 1, 1 << 24,
      "words of a target in that file, the likeliest (default @)" },
    { 0, "first-step", "N", OPT_INT, &first_step, 0, 1e12,
      "its first step, the others in another file (default @)" },
    { 0, "init", "paper|mtf|t5x", OPT_CHOICE, &training.init, 0, 0,
      "whose rules weights are drawn by (default @)" },
    { 0, "init-scale", "X", OPT_NUM, &training.rule.init_scale, 1e-9, 1e6,
      "scale of weights that are drawn (default @)" },
    { .to = training_data_opts },
};

static const struct tool tool = {
    "switch-distill", "--teacher DIR --train FILE {--out DIR | --write-cache FILE} [OPTION ...]",
    "Train a student on a teacher's word and on the data; under mpirun on many ranks.", opts
};

static void check_options(int more)
{
    struct err err;

    if (more)
        die_misuse("there are no operands");
    if (!training.ask.train || !training.ask.out == !cache_out)
        die_misuse("--train, and --out or --write-cache, are needed");
    if (!teacher.model && (!teacher.cache || cache_out))
        die_misuse("--teacher is needed%s", cache_out ? "" : ", or --cache");
    if (teacher.cache && cache_out)
        die_misuse("--cache or --write-cache");
    if (first_step && (!cache_out || first_step >= training.ask.n_step))
        die_misuse("--first-step is of --write-cache, and below --steps");
    if (!config_word && !teacher.model)
        die_misuse("without --teacher, --config is needed");
    if (!weights)
        weights = teacher.model ? "teacher" : "draw";
    if (strcmp(weights, "teacher") == 0 && !teacher.model)
        die_misuse("--weights teacher: there is no --teacher");
    if (training_check(&training, &err) < 0)
        die_misuse("%s", err.msg);
}

static void read_teacher(struct config *c)
{
    struct err err;
    char *path = folder_find(teacher.model, &err);

    if (!path || config_read(c, path, &err) < 0)
        die("%s", err.msg);
    free(path);
}

/* Experts of a teacher that stands by are divided over the ranks as far as they go, and those of
 * a student over as many. */
static void lay_ranks(struct comm *comm, const struct config *student, const struct config *of)
{
    const struct config *c = student ? student : of;
    struct err err;
    int n_slice;

    if (of && config_is_sparse(of) && (!config_is_sparse(c) || of->n_expert < c->n_expert))
        c = of;
    if (slice_lay(comm, c, training.mesh, &err) < 0)
        die_misuse("%s", err.msg);
    n_slice = comm_size(comm_axis(comm, AXIS_MODEL));
    if ((student && slice_check(student, n_slice, &err) < 0) ||
        (of && slice_check(of, n_slice, &err) < 0)) {
        if (comm_rank(comm) != 0)
            comm_barrier(comm);
        die_misuse("%s", err.msg);
    }
}

static int write_cache(struct comm *comm, struct err *err)
{
    const struct train_rule *rule = &training.rule;
    struct cache_ask ask = { .teacher = teacher, .train = training.ask.train, .out = cache_out };
    int64_t groups = rule->batch / rule->group_rows, size;
    struct config of;

    read_teacher(&of);
    lay_ranks(comm, NULL, &of);
    size = comm_size(comm_axis(comm, AXIS_DATA));
    ask.k = top;
    ask.first = first_step * rule->batch;
    ask.n_all = training.ask.n_step * rule->batch - ask.first;
    ask.micro_rows = training.ask.micro_rows;
    if (!ask.micro_rows)
        ask.micro_rows = (groups + size - 1) / size * rule->group_rows;
    ask.group_rows = rule->group_rows;
    ask.min_capacity = rule->min_capacity;
    ask.cap = rule->cap;
    ask.quiet = training.ask.quiet;
    ask.stop = training.ask.stop;
    return cache_write(&ask, comm, err);
}

static int train(struct comm *comm, struct err *err)
{
    struct run_ask *ask = &training.ask;
    struct config c, of;

    if (teacher.model)
        read_teacher(&of);
    if (!config_word)
        c = config_dense(&of);
    else if (config_find(&c, config_word, err) < 0)
        die("%s", err->msg);
    lay_ranks(comm, &c, teacher.cache ? NULL : &of);
    ask->teacher = &teacher;
    ask->by_role = strcmp(weights, "teacher") == 0;
    ask->weights = ask->by_role ? teacher.model : strcmp(weights, "draw") != 0 ? weights : NULL;
    return run_train(&c, &training.rule, ask, comm, err);
}

int main(int argc, char **argv)
{
    struct comm *comm;
    struct err err;
    int rc;

    threads_calm(argv);
    argv += opt_parse(&tool, argc, argv);
    check_options(*argv != NULL);
    comm = training_begin(&training);
    rc = cache_out ? write_cache(comm, &err) : train(comm, &err);
    return training_end(&training, comm, rc, &err);
}
