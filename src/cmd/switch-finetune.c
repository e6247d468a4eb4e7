/* switch-finetune - train a model further on tasks, and keep the checkpoint that does best. */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "checkpoint/folder.h"
#include "comm/comm.h"
#include "generate/tongue.h"
#include "launch/options.h"
#include "model/threads.h"
#include "score/measure.h"
#include "seq/batch.h"
#include "shape/config.h"
#include "shape/slice.h"
#include "train/run.h"
#include "train/state.h"
#include "tune/dev.h"
#include "tune/grader.h"
#include "tune/source.h"

enum { MIX_SEED = 0 };

#define NORMS "squad|trivia|mlqa|none"    // as in enum answer_norm

static struct opt_list train, eval;
static const char *metrics, *task_name, *labels, *norm, *command;
static struct source_plan from = { .n_extra = -1, .inputs = 512, .targets = 128 };
static int64_t cap, max_length, n_text = 16;
static double alpha = 1, seconds = 600;
static int lower, by_name;

static char *model;    // what there was of --weights
static struct sources learn, test;
static struct dev *dev;          // [test.n]
static struct tongue *tongue;    // NULL without --vocab
static struct grader_plan plan;

static const struct opt opts[] = {
    { 'w', "weights", "DIR", OPT_STR, &training.ask.weights, 0, 0,
      "the model to begin with: a checkpoint, or a folder of Hugging Face" },
    { 0, "moments", NULL, OPT_FLAG, &training.ask.moments, 0, 0,
      "go on with the optimizer's second moments of the checkpoint, too" },
    { 't', "train", "[NAME=]FILE[:WEIGHT]", OPT_LIST, &train, 0, 0,
      "what to learn: a shard, TSV or one plan; may be given again" },
    { 'e', "eval", "[NAME=]FILE", OPT_LIST, &eval, 0, 0,
      "what to answer: a shard or TSV; may be given again" },
    { 'm', "vocab", "FILE", OPT_STR, &from.vocab, 0, 0, "the SentencePiece model, for text" },
    { 'i', "inputs", "N", OPT_INT, &from.inputs, 2, 32768, "ids of an input of text (default @)" },
    { 0, "targets", "N", OPT_INT, &from.targets, 2, 32768, "ids of a target of text (default @)" },
    { 'l', "lang", "TAG", OPT_STR, &from.lang, 0, 0, "the language of text (default und)" },
    { 0, "extra-ids", "N", OPT_INT, &from.n_extra, 0, 10000,
      "sentinels after the pieces (default 100, 0 if the model has them)" },
    { 0, "cap", "N", OPT_INT, &cap, 1, 0x1p53, "count no more than N rows of a set" },
    { 0, "alpha", "A", OPT_NUM, &alpha, 0, 4, "mix sets in proportion to rows ^ A (default @)" },
    { 0, "metric", "NAME,...", OPT_STR, &metrics, 0, 0, "judge answers so, as eval-score(1)" },
    { 0, "task", "NAME", OPT_STR, &task_name, 0, 0,
      "the metrics, labels and normalizer of a task of eval-score(1)" },
    { 0, "by-name", NULL, OPT_FLAG, &by_name, 0, 0,
      "the same, of the task that each set is called after" },
    { 0, "labels", "A,B,...", OPT_STR, &labels, 0, 0, "the classes, as of eval-score(1)" },
    { 0, "normalizer", NORMS, OPT_CHOICE, &norm, 0, 0, "what is done to answers" },
    { 0, "metric-command", "COMMAND", OPT_STR, &command, 0, 0,
      "judge answers so: it reads a table and writes a number" },
    { 0, "metric-timeout", "SECONDS", OPT_NUM, &seconds, 0, 1e9,
      "end that command, and the run, after so long (default @; 0: never)" },
    { 0, "lower-is-better", NULL, OPT_FLAG, &lower, 0, 0, "of what the command writes" },
    { 0, "max-length", "N", OPT_INT, &max_length, 1, 32768,
      "ids of an answer (default: those of a target)" },
    { 0, "eval-rows", "N", OPT_INT, &n_text, 1, 4096, "answers at once (default @)" },
    { 0, "patience", "N", OPT_INT, &training.ask.patience, 0, 1e9,
      "end after N evaluations that are not better (default @: never)" },
    { .to = training_opts },
};

static const struct tool tool = {
    "switch-finetune", "--weights DIR --train [NAME=]FILE[:WEIGHT] ... --out DIR [OPTION ...]",
    "Train a model further on tasks, and keep the checkpoint that does best.", opts
};

/* What T5 and Switch are fine-tuned with, where no option says otherwise. */
static void set_defaults(void)
{
    training.schedule = "constant";
    training.rule.dropout = 0.1;
    training.rule.expert_dropout = 0.4;    // dense models have none
    training.ask.n_step = 16000;
    training.ask.eval_every = 200;
    training.ask.keep = 1;
    training.ask.guard.max_rollbacks = 3;
}

static int answers(void)
{
    return metrics || task_name || by_name || command;
}

static void check_options(int more)
{
    struct err err;

    if (more)
        die_misuse("there are no operands");
    if (!training.ask.weights || !train.n || !training.ask.out)
        die_misuse("--weights, --train and --out are needed");
    if (answers() && (!eval.n || !from.vocab))
        die_misuse("to judge answers --eval and --vocab are needed");
    if (command && (metrics || task_name || by_name))
        die_misuse("--metric-command does not go with --metric, --task and --by-name");
    if (task_name && by_name)
        die_misuse("--task and --by-name say the same thing twice");
    if (lower && !command)
        die_misuse("--lower-is-better belongs to --metric-command");
    if (training.ask.patience && !eval.n)
        die_misuse("--patience needs --eval");
    if (training_check(&training, &err) < 0)
        die_misuse("%s", err.msg);
}

static struct mix *open_mix(struct err *err)
{
    const struct sources *s = &learn;
    struct mix_part *part = xcalloc((size_t)s->n, sizeof(*part));
    struct mix *mix = NULL;
    int i, n_weight = 0, n_plan = 0;

    for (i = 0; i < s->n; i++) {
        part[i] = (struct mix_part){ s->one[i].name, s->one[i].shard, s->one[i].weight };
        n_weight += s->one[i].weight > 0;
        n_plan += s->one[i].kind == SOURCE_PLAN;
    }
    if (n_plan && s->n > 1)
        err_set(err, "a plan is a mixture itself: --train takes no other beside it");
    else if (n_weight && n_weight < s->n)
        err_set(err, "%d of %d sets to train on have weights: all must, or none", n_weight, s->n);
    else
        mix = n_plan ? mix_open(s->one[0].path, err)
                     : mix_open_parts(part, s->n, alpha, (uint64_t)cap, MIX_SEED, err);
    free(part);
    return mix;
}

static enum answer_norm norm_of(const struct measure_task *task)
{
    static const char *const name[] = { "squad", "trivia", "mlqa", "none" };
    int i = 0;

    if (!norm)
        return task ? task->norm : ANSWER_SQUAD;
    while (strcmp(norm, name[i]) != 0)
        i++;
    return (enum answer_norm)i;
}

/* How a set is scored: by what options say, or by the task that it is called after. */
static struct grader_by scored(const char *set)
{
    const char *name = by_name ? set : task_name;
    const struct measure_task *task = name ? measure_task(name) : NULL;
    const char *names = metrics ? metrics : task ? task->measures : "";
    struct grader_by by = { .norm = norm_of(task) };
    struct err err;

    if (name && !task)
        die_misuse("no task is called '%s' (see eval-score --list)", name);
    by.n_measure = measure_parse(names, by.measure, GRADER_MEASURES, &err);
    if (by.n_measure < 0)
        die_misuse("%s (see eval-score --list)", err.msg);
    by.labels = labels ? labels : task ? task->labels : NULL;
    return by;
}

static void plan_grading(void)
{
    struct grader_by *by = xcalloc((size_t)test.n, sizeof(*by));
    int i;

    for (i = 0; i < test.n && !command; i++)
        by[i] = scored(test.one[i].name);
    plan = (struct grader_plan){ .set = dev, .by = by, .n_set = test.n, .tongue = tongue };
    plan.command = command;
    plan.lower = lower;
    plan.seconds = seconds;
    plan.limit = (int)(max_length ? max_length : from.targets);
    plan.n_text = (int)n_text;
    plan.threads = training.threads;
}

static void read_config(struct config *c)
{
    struct err err;

    model = folder_find(training.ask.weights, &err);
    if (!model || config_read(c, model, &err) < 0 ||
        (training.ask.moments && state_step(model, &training.rule.decay_from, &err) < 0))
        die("%s", err.msg);
    training.ask.weights = model;
}

/* All that is learned from and tested with, read or named. */
static void open_sets(const struct config *c, const char *folder)
{
    struct err err;

    from.folder = folder;
    from.quiet = training.ask.quiet;
    from.prefix = "";
    if (sources_parse(&learn, &train, &from, &err) < 0)
        die("%s", err.msg);
    from.prefix = "eval-";
    if (sources_parse(&test, &eval, &from, &err) < 0)
        die("%s", err.msg);
    dev = xcalloc((size_t)test.n + 1, sizeof(*dev));
    if (!from.vocab)
        return;
    if (!(tongue = tongue_open(from.vocab, from.n_extra, &err)))
        die("%s", err.msg);
    if (tongue_size(tongue) > c->n_vocab)
        die("%s: %d pieces and sentinels, but the model's vocab_size is %d", from.vocab,
            (int)tongue_size(tongue), c->n_vocab);
    if (answers())
        plan_grading();
}

/* Rank 0 makes shards of text; all wait for them. */
static void make_shards(struct comm *comm)
{
    int i, root = comm_rank(comm) == 0;
    struct err err;

    from.quiet |= !root;
    if (root && folder_make(from.folder, &err) < 0)
        die("%s", err.msg);
    for (i = 0; i < test.n; i++)
        if (tongue && (dev_read(&dev[i], &test.one[i], &from, tongue, &err) < 0 ||
                       (root && test.one[i].kind == SOURCE_TEXT &&
                        dev_pack(&dev[i], &test.one[i], &from, &err) < 0)))
            die("%s", err.msg);
    if (root && sources_pack(&learn, &from, &err) < 0)
        die("%s", err.msg);
    comm_barrier(comm);
    if (from.vocab &&
        (sources_check(&learn, from.vocab, &err) < 0 || sources_check(&test, from.vocab, &err) < 0))
        die("%s", err.msg);
}

static int tune(const struct config *c, struct comm *comm, struct err *err)
{
    const char **shard = xcalloc((size_t)test.n + 1, sizeof(*shard));
    struct run_ask *ask = &training.ask;
    int i, rc;

    for (i = 0; i < test.n; i++)
        shard[i] = test.one[i].shard;
    ask->evals = shard;
    ask->n_eval = test.n;
    ask->best = test.n > 0;
    if (answers()) {
        ask->look.score = grader_score;
        ask->look.to = grader_new(&plan, comm);
        ask->look.metric = command     ? "command"
                           : metrics   ? metrics
                           : task_name ? task_name
                                       : "by-name";
        ask->look.n_set = test.n;
    }
    ask->mix = open_mix(err);
    if (!ask->mix)
        die("%s", err->msg);
    rc = run_train(c, &training.rule, ask, comm, err);
    grader_free(ask->look.to);
    free(shard);
    return rc;
}

static void release(void)
{
    int i;

    for (i = 0; i < test.n; i++)
        dev_release(&dev[i]);
    free((void *)plan.by);
    free(dev);
    free(model);
    tongue_close(tongue);
    sources_release(&learn);
    sources_release(&test);
}

int main(int argc, char **argv)
{
    struct config c;
    struct comm *comm;
    struct err err = { 0 };
    char *folder;
    int rc;

    threads_calm(argv);
    set_defaults();
    argv += opt_parse(&tool, argc, argv);
    check_options(*argv != NULL);
    comm = training_begin(&training);
    folder = xasprintf("%s/data", training.ask.out);
    read_config(&c);
    if (slice_lay(comm, &c, training.mesh, &err) < 0)
        die_misuse("%s", err.msg);
    open_sets(&c, folder);
    make_shards(comm);
    rc = tune(&c, comm, &err);
    release();
    free(folder);
    return training_end(&training, comm, rc, &err);
}
