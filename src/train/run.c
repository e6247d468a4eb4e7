/* run.c - see run.h.
 *
 * Ranks agree after each thing that may fail on one of them: all go on, or all return.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "comm/comm.h"
#include "model/params.h"
#include "nn/gemm16.h"
#include "train/best.h"
#include "train/evaluate.h"
#include "train/folder.h"
#include "train/guard.h"
#include "train/metrics.h"
#include "train/profile.h"
#include "train/run.h"
#include "train/state.h"
#include "train/teacher.h"
#include "train/weights.h"

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
    char unit[64];     // of the progress line, with the loss
    uint64_t saved;    // step of the last checkpoint
    int has_saved;
};

static int agree(struct running *r, int rc)
{
    int64_t bad = rc < 0;

    comm_max_i64(r->comm, &bad, 1);
    return rc < 0 || bad ? -1 : 0;
}

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

    return agree(r, weights_load(r->t->params, &r->t->config, a->weights, a->by_role, err));
}

/* Of the ranks that know why it failed, the first keeps its message. */
static void one_speaks(struct comm *comm, struct err *err)
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
            one_speaks(r->comm, err);
            if (err->msg[0])
                warn("%s: passed over", err->msg);
            rc = 0;
        } else if (rc == 0) {
            r->has_saved = rc = 1;
            r->saved = r->t->step;
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
    rc = agree(r, path ? 0 : -1);
    if (rc == 0)
        rc = state_load(r->t, &r->facts, path, err) < 0 ? -1 : 0;
    free(path);
    return rc;
}

static int due(uint64_t step, int64_t every, uint64_t last)
{
    return step == last || (every && step % (uint64_t)every == 0);
}

static int eval_due(const struct running *r)
{
    return r->eval && due(r->t->step, r->ask->eval_every, (uint64_t)r->ask->n_step);
}

static void close_tables(struct running *r)
{
    metrics_close(r->steps);
    metrics_close(r->evals);
    best_close(&r->best);
    r->steps = r->evals = NULL;
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
    *missed = r->ask->best && step > 0 && eval_due(r) && (!r->best.n || r->best.last != step);
    if (!r->eval)
        return 0;
    r->evals = metrics_open(out, "eval.tsv", metrics_eval_header, step + !*missed, err);
    return r->evals ? 0 : -1;
}

static int judge(struct running *r, struct err *err);
static int evaluate_now(struct running *r, struct err *err);
static int save(struct running *r, struct err *err);

/* The tables, what they say of the run so far, and what is to be before the next step. */
static int take_up(struct running *r, struct err *err)
{
    const struct guard_rule *guard = &r->ask->guard;
    int64_t missed = 0;

    if (agree(r, r->root ? open_tables(r, &missed, err) : 0) < 0)
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
        if (!r->has_saved && save(r, err) < 0)    // there is something to go back to
            return -1;
    }
    if (missed && (evaluate_now(r, err) < 0 || judge(r, err) < 0))
        return -1;
    r->over = r->ask->patience && r->best.n_since >= r->ask->patience;
    return 0;
}

static int prepare_folder(struct running *r, struct err *err)
{
    int rc = 0;

    if (r->root) {
        rc = folder_make(r->ask->out, err);
        if (rc == 0)
            rc = folder_clear_parts(r->ask->out, err);
    }
    return agree(r, rc);
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
    if (agree(r, r->teacher ? 0 : -1) < 0)
        return -1;
    r->facts.teacher = teacher_name(r->teacher);
    r->t->teacher = r->teacher;
    return 0;
}

static int start(struct running *r, const struct config *c, const struct train_rule *rule,
                 struct err *err)
{
    int n_input, n_target;

    warn_if_slow(r, rule);
    if (agree(r, open_data(r, c, err)) < 0 || prepare_folder(r, err) < 0)
        return -1;
    n_input = most(mix_inputs(r->mix), r->eval ? eval_inputs(r->eval) : 0);
    n_target = most(mix_targets(r->mix), r->eval ? eval_targets(r->eval) : 0);
    r->t = trainer_new(c, rule, r->comm, n_input, n_target, r->ask->micro_rows, err);
    if (agree(r, r->t ? check_rows(r, err) : -1) < 0)
        return -1;
    if (call_teacher(r, err) < 0 || begin(r, err) < 0)
        return -1;
    return take_up(r, err);
}

static int save(struct running *r, struct err *err)
{
    if (state_save(r->t, &r->facts, r->ask->out, err) < 0)
        return -1;
    r->has_saved = 1;
    r->saved = r->t->step;
    return 0;
}

static int prune(struct running *r, struct err *err)
{
    uint64_t spare = r->best.has_best ? r->best.step : UINT64_MAX;

    if (!r->ask->keep)
        return 0;
    return agree(r, r->root ? folder_prune(r->ask->out, (size_t)r->ask->keep, spare, err) : 0);
}

static int evaluate_now(struct running *r, struct err *err)
{
    const struct train_rule *rule = &r->t->rule;
    struct eval_rule how = { .group_rows = (int)rule->group_rows, .capacity_factor = 2.0 };
    struct evaluation e;
    int rc;

    how.micro_rows = r->t->micro[0].n_row;
    how.min_capacity = (int)rule->min_capacity;
    how.cap = rule->cap;
    rc = evaluate(r->eval, r->t->model, &r->t->config, r->comm, &how, &e, err);
    if (rc == 0)
        rc = agree(r, r->root ? metrics_add_eval(r->evals, r->t->step, &e, err) : 0);
    r->n_target = e.sums[e.n_lang].targets;
    r->nlp = r->n_target > 0 ? -e.sums[e.n_lang].ce / r->n_target : NAN;
    evaluation_release(&e);
    return rc;
}

/* Score the checkpoint that was just written, by which the best is known. */
static int judge(struct running *r, struct err *err)
{
    const struct run_look *look = &r->ask->look;
    struct best *b = r->root ? &r->best : NULL;
    char *path = folder_step(r->ask->out, r->t->step, 0);
    double score = r->nlp;
    int rc = look->score ? look->score(look->to, r->t->step, path, b, &score, err) : 0;

    free(path);
    if (rc == 0)
        rc = agree(r, b ? best_add(b, r->t->step, look->score ? look->metric : "nlp",
                                   look->score ? (uint64_t)look->n_set : (uint64_t)r->n_target,
                                   score, err)
                        : 0);
    comm_broadcast(r->comm, &r->best, sizeof(r->best), 0);
    if (!r->root)
        r->best.table = NULL;
    r->over = r->ask->patience && r->best.n_since >= r->ask->patience;
    if (b && !r->ask->quiet)
        fprintf(stderr, "%s: step %" PRIu64 ": %s %.4f%s\n", die_name, r->t->step,
                look->score ? look->metric : "nlp", score, r->best.n_since ? "" : ", the best");
    return rc;
}

static void tell(struct running *r, const struct step_report *s)
{
    if (!r->root)
        return;
    snprintf(r->unit, sizeof(r->unit), "steps, loss %.4f", s->loss);
    progress_show(&r->progress, r->t->step, 0);
    if (r->ask->log_every && r->t->step % (uint64_t)r->ask->log_every == 0)
        fprintf(stderr, "%s: step %" PRIu64 ": loss %.5f, %.0f tokens/s\n", die_name,
                r->t->step - 1, s->loss, s->seconds > 0 ? s->tokens / s->seconds : 0);
}

/* The last whole checkpoint that is not of the steps that went wrong. */
static int find_sound(struct running *r, uint64_t *to, struct err *err)
{
    uint64_t *step;
    long n = folder_list(r->ask->out, &step, err), i;

    for (i = 0; i < n && step[i] > r->guard.high_from; i++)
        ;
    if (n >= 0 && i >= n)
        n = err_set(err, "%s: no checkpoint to go back to", r->ask->out);
    else if (n > 0)
        *to = step[i];
    free(step);
    return n < 0 ? -1 : folder_forget(r->ask->out, *to, err);
}

static int reload(struct running *r, uint64_t to, struct err *err)
{
    char *path = folder_step(r->ask->out, to, 0);
    int rc = state_load(r->t, &r->facts, path, err);

    free(path);
    return rc < 0 ? -1 : 0;
}

/* The step was not to be: back to a checkpoint, and on without its rows or with a lower rate. */
static int roll_back(struct running *r, uint64_t step, double loss, struct err *err)
{
    const struct guard_rule *rule = r->guard.rule;
    uint64_t to = 0;
    int rc = 0;

    if (r->guard.n_rollback >= (uint64_t)rule->max_rollbacks)
        return err_set(err,
                       "step %" PRIu64 ": loss %g after %g: %" PRIu64 " rollbacks were of no use",
                       step, loss, guard_median(&r->guard), r->guard.n_rollback);
    if (r->root) {
        close_tables(r);
        rc = find_sound(r, &to, err);
        if (rc == 0)
            rc = guard_record(&r->guard, r->ask->out, to, step, loss, err);
    }
    if (agree(r, rc) < 0)
        return -1;
    comm_broadcast(r->comm, &to, sizeof(to), 0);
    if (r->root)
        warn("step %" PRIu64 ": loss %g after %g: back to step %" PRIu64 ", %s", step, loss,
             guard_median(&r->guard), to,
             rule->lower ? "on with half the rate" : "on past the rows of the steps between");
    err->msg[0] = 0;
    r->saved = to;
    return reload(r, to, err) < 0 ? -1 : take_up(r, err);
}

/* Evaluate and save where it is time. */
static int after_step(struct running *r, int stop, struct err *err)
{
    int look = eval_due(r), best = look && r->ask->best, rc = 0;

    if (look)
        rc = evaluate_now(r, err);
    if (rc == 0 &&
        (stop || best || due(r->t->step, r->ask->save_every, (uint64_t)r->ask->n_step))) {
        rc = save(r, err);
        if (rc == 0 && best)
            rc = judge(r, err);
        if (rc == 0)
            rc = prune(r, err);
    }
    return rc;
}

/* Fill, step, report. 1: stopped. */
static int one_step(struct running *r, struct err *err)
{
    uint64_t step = r->t->step;
    double begun = clock_seconds();
    struct step_report s = { 0 };
    int rc, guarded = r->ask->guard.max_rollbacks > 0;

    profile_start(&r->profile);
    rc = agree(r, trainer_fill(r->t, r->mix, err));
    if (rc < 0)
        return -1;
    rc = trainer_step(r->t, *r->ask->stop, &s, err);
    if (rc < 0 && !(guarded && s.broken))
        return -1;
    if (guarded && guard_judge(&r->guard, step, s.broken ? NAN : s.loss))
        return roll_back(r, step, s.loss, err);
    s.seconds = clock_seconds() - begun;
    profile_step(&r->profile, &s);
    tell(r, &s);
    rc = agree(r, r->root ? metrics_add_step(r->steps, step, &s, err) : 0);
    if (rc == 0)
        rc = after_step(r, s.stop, err);
    return rc < 0 ? -1 : s.stop && r->t->step < (uint64_t)r->ask->n_step;
}

static void finish(struct running *r)
{
    progress_end(&r->progress);
    if (r->root && r->ask->profile)
        profile_print(&r->profile, stderr);
    close_tables(r);
    trainer_free(r->t);
    teacher_free(r->teacher);
    eval_close(r->eval);
    mix_close(r->mix);
}

int run_train(const struct config *c, const struct train_rule *rule, const struct run_ask *ask,
              struct comm *comm, struct err *err)
{
    struct running r = { .ask = ask, .comm = comm, .root = comm_rank(comm) == 0 };
    int rc;

    err->msg[0] = 0;
    progress_init(&r.progress, r.unit, (uint64_t)ask->n_step, ask->quiet || !r.root);
    rc = start(&r, c, rule, err);
    while (rc == 0 && r.t->step < (uint64_t)ask->n_step && !r.over)
        rc = one_step(&r, err);
    if (rc == 0 && r.root && ask->best && !ask->quiet)
        best_tell(&r.best, r.over);
    finish(&r);
    if (rc < 0)
        one_speaks(comm, err);
    return rc;
}
