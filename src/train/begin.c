/* begin.c - how a run begins: see running.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "checkpoint/folder.h"
#include "checkpoint/weights.h"
#include "comm/comm.h"
#include "nn/gemm16.h"
#include "seq/batch.h"
#include "shape/config.h"
#include "train/evaluate.h"
#include "train/metrics.h"
#include "train/running.h"
#include "train/teacher.h"

static int open_data(struct running *r, const struct config *c, struct err *err)
{
    const char *what = r->ask->mix ? "the mixture" : r->ask->train;
    int more = r->ask->n_eval > 0;

    r->mix = r->ask->mix ? r->ask->mix : mix_open(r->ask->train, err);
    if (!r->mix)
        return -1;
    if (mix_vocab(r->mix) > c->n_vocab)
        return err_set(err, "%s: ids up to %" PRId64 ", but the model's vocab_size is %d", what,
                       mix_vocab(r->mix) - 1, c->n_vocab);
    r->facts.mixture = mix_fingerprint(r->mix);
    r->facts.vocab_sha256 = mix_vocab_sha256(r->mix) ? mix_vocab_sha256(r->mix) : "";
    if (!r->ask->eval && !more)
        return 0;
    r->eval = eval_open(more ? r->ask->evals : &r->ask->eval, more ? r->ask->n_eval : 1, err);
    if (!r->eval)
        return -1;
    if (eval_vocab(r->eval) > c->n_vocab)
        return err_set(err, "%s: ids up to %lld, but the model's vocab_size is %d",
                       more ? r->ask->evals[0] : r->ask->eval, eval_vocab(r->eval) - 1, c->n_vocab);
    return 0;
}

/* A shard that ends must last. */
static int check_rows(const struct running *r, struct err *err)
{
    uint64_t have = mix_rows(r->mix), need = (uint64_t)r->ask->n_step * (uint64_t)r->t->rule.batch;

    if (have && have < need)
        return err_set(err, "%s: %" PRIu64 " rows, but %" PRIu64 " are needed: use mix-langs(1)",
                       r->ask->train, have, need);
    return 0;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int load_weights(struct running *r, struct err *err)
{
    const struct run_ask *a = r->ask;

    int rc = weights_load(r->t->params, &r->t->config, a->weights, a->by_role, err);

    if (rc == 0 && a->moments)
        rc = state_load_slots(r->t, a->weights, err);
    return running_agree(r, rc);
}

/* Of the ranks that know why it failed, the first keeps its message. */
void running_one_speaks(struct comm *comm, struct err *err)
{
    int64_t mine = err->msg[0] ? comm_size(comm) - comm_rank(comm) : 0, first = mine;

    comm_max_i64(comm, &first, 1);
    if (first != mine)
        err->msg[0] = 0;
}

/* The newest checkpoint that loads. 1: resumed, 0: there is none, -1. */
static int resume_newest(struct running *r, struct err *err)
{
    uint64_t *step;
    long i, n = folder_list(r->ask->out, &step, err);
    int rc = n < 0 ? -1 : 0;

    for (i = 0; i < n && rc == 0; i++) {
        char *path = folder_step(r->ask->out, step[i], 0);

        rc = state_load(r->t, &r->facts, path, err);
        if (rc == -1) {
            running_one_speaks(r->comm, err);
            if (err->msg[0])
                warn("%s: passed over", err->msg);
            rc = 0;
        } else if (rc == 0) {
            r->has_saved = rc = 1;
        }
        free(path);
    }
    free(step);
    if (n > 0 && rc == 0)
        return err_set(err, "%s: none of its checkpoints can be loaded", r->ask->out);
    return rc < 0 ? -1 : rc;
}

/* 0: from the beginning or resumed; -1. */
static int begin(struct running *r, struct err *err)
{
    const char *how = r->ask->resume;
    uint64_t *step;
    char *path;
    long n;
    int rc;

    if (strcmp(how, "auto") == 0) {
        rc = resume_newest(r, err);
        return rc != 0 || !r->ask->weights ? (rc < 0 ? -1 : 0) : load_weights(r, err);
    }
    n = folder_list(r->ask->out, &step, err);
    free(step);
    if (n != 0)
        return n < 0 ? -1
                     : err_set(err, "%s: has checkpoints: resume, or choose another folder",
                               r->ask->out);
    if (strcmp(how, "never") == 0)
        return r->ask->weights ? load_weights(r, err) : 0;
    path = folder_find(how, err);
    rc = running_agree(r, path ? 0 : -1);
    if (rc == 0)
        rc = state_load(r->t, &r->facts, path, err) < 0 ? -1 : 0;
    free(path);
    return rc;
}

/* Of rank 0. *missed: a checkpoint was written, but the run ended before its score was. */
static int open_tables(struct running *r, int64_t *missed, struct err *err)
{
    const char *out = r->ask->out;
    uint64_t step = r->t->step;

    r->steps = metrics_open(out, "metrics.tsv",
                            r->teacher ? metrics_taught_header : metrics_step_header, step, err);
    if (!r->steps || (r->ask->best && best_open(&r->best, out, step, err) < 0))
        return -1;
    *missed =
        r->ask->best && step > 0 && running_eval_due(r) && (!r->best.n || r->best.last != step);
    if (!r->eval)
        return 0;
    r->evals = metrics_open(out, "eval.tsv", metrics_eval_header, step + !*missed, err);
    return r->evals ? 0 : -1;
}

static int prepare_folder(struct running *r, struct err *err)
{
    int rc = 0;

    if (r->root) {
        rc = folder_make(r->ask->out, err);
        if (rc == 0)
            rc = folder_clear_parts(r->ask->out, err);
    }
    return running_agree(r, rc);
}

/* A run goes on with the same numbers where bf16 is slow, but no one should wonder why. */
static void warn_if_slow(const struct running *r, const struct train_rule *rule)
{
    if (r->root && rule->precision != PRECISION_FP32 && !gemm16_native())
        warn("no bf16 products in this build or processor: they are done in fp32 on rounded "
             "numbers, slower than --precision fp32");
}

static int call_teacher(struct running *r, struct err *err)
{
    uint64_t n_all = (uint64_t)r->ask->n_step * (uint64_t)r->t->rule.batch;

    if (!r->ask->teacher)
        return 0;
    r->teacher = teacher_for(r->t, r->ask->teacher, &r->facts, n_all, err);
    if (running_agree(r, r->teacher ? 0 : -1) < 0)
        return -1;
    r->facts.teacher = teacher_name(r->teacher);
    r->t->teacher = r->teacher;
    return 0;
}

/* The tables, what they say of the run so far, and what is to be before the next step. */
int running_take_up(struct running *r, struct err *err)
{
    const struct guard_rule *guard = &r->ask->guard;
    int64_t missed = 0;

    if (running_agree(r, r->root ? open_tables(r, &missed, err) : 0) < 0)
        return -1;
    comm_broadcast(r->comm, &missed, sizeof(missed), 0);
    comm_broadcast(r->comm, &r->best, sizeof(r->best), 0);
    if (!r->root)
        r->best.table = NULL;
    if (guard->max_rollbacks) {
        if (guard_begin(&r->guard, guard, r->ask->out, r->t->step, r->comm, err) < 0)
            return -1;
        r->t->skip = r->guard.skip;
        r->t->lr_scale = r->guard.lr_scale;
        if (!r->has_saved && running_save(r, err) < 0)    // there is something to go back to
            return -1;
    }
    if (missed && (running_evaluate(r, err) < 0 || running_judge(r, err) < 0))
        return -1;
    r->over = r->ask->patience && r->best.n_since >= r->ask->patience;
    return 0;
}

int running_start(struct running *r, const struct config *c, const struct train_rule *rule,
                  struct err *err)
{
    int n_input, n_target;

    warn_if_slow(r, rule);
    if (running_agree(r, open_data(r, c, err)) < 0 || prepare_folder(r, err) < 0)
        return -1;
    if (r->ask->profile)
        profile_open(&r->profile);
    n_input = most(mix_inputs(r->mix), r->eval ? eval_inputs(r->eval) : 0);
    n_target = most(mix_targets(r->mix), r->eval ? eval_targets(r->eval) : 0);
    r->t = trainer_new(c, rule, r->comm, n_input, n_target, r->ask->micro_rows, err);
    if (running_agree(r, r->t ? check_rows(r, err) : -1) < 0)
        return -1;
    if (call_teacher(r, err) < 0 || begin(r, err) < 0)
        return -1;
    return running_take_up(r, err);
}
