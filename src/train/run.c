/* run.c - see run.h.
 *
 * Ranks agree after each thing that may fail on one of them: all go on, or all return.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/err.h"
#include "base/progress.h"
#include "checkpoint/folder.h"
#include "comm/comm.h"
#include "plan/plan.h"
#include "seq/batch.h"
#include "train/evaluate.h"
#include "train/metrics.h"
#include "train/profile.h"
#include "train/running.h"
#include "train/teacher.h"

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

/* A shard that ends must have rows for what is passed over, too. */
static int check_skip(const struct running *r, uint64_t to, uint64_t step, struct err *err)
{
    uint64_t have = mix_rows(r->mix), skip = r->guard.skip + step + 1 - to;
    uint64_t need = ((uint64_t)r->ask->n_step + skip) * (uint64_t)r->t->rule.batch;

    if (have && !r->guard.rule->lower && have < need)
        return err_set(err,
                       "step %" PRIu64 ": the loss diverged, but of %" PRIu64 " rows none can be "
                       "passed over: use mix-langs(1), or --rollback lower",
                       step, have);
    return 0;
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
        running_close_tables(r);
        rc = find_sound(r, &to, err);
        if (rc == 0)
            rc = check_skip(r, to, step, err);
        if (rc == 0)
            rc = guard_record(&r->guard, r->ask->out, to, step, loss, err);
    }
    if (running_agree(r, rc) < 0)
        return -1;
    comm_broadcast(r->comm, &to, sizeof(to), 0);
    if (r->root)
        warn("step %" PRIu64 ": loss %g after %g: back to step %" PRIu64 ", %s", step, loss,
             guard_median(&r->guard), to,
             rule->lower ? "on with half the rate" : "on past the rows of the steps between");
    err->msg[0] = 0;
    return reload(r, to, err) < 0 ? -1 : running_take_up(r, err);
}

/* Evaluate and save where it is time. */
static int after_step(struct running *r, int stop, struct err *err)
{
    int look = running_eval_due(r), best = look && r->ask->best, rc = 0;

    if (look)
        rc = running_evaluate(r, err);
    if (rc == 0 &&
        (stop || best || running_due(r->t->step, r->ask->save_every, (uint64_t)r->ask->n_step))) {
        rc = running_save(r, err);
        if (rc == 0 && best)
            rc = running_judge(r, err);
        if (rc == 0)
            rc = running_prune(r, err);
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
    rc = running_agree(r, trainer_fill(r->t, r->mix, err));
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
    rc = running_agree(r, r->root ? metrics_add_step(r->steps, step, &s, err) : 0);
    if (rc == 0)
        rc = after_step(r, s.stop, err);
    return rc < 0 ? -1 : s.stop && r->t->step < (uint64_t)r->ask->n_step;
}

static void print_profile(const struct running *r)
{
    const struct trainer *t = r->t;
    struct plan_ask ask = { .n_row = (int)t->rule.batch, .n_micro = t->micro[0].n_row };
    struct plan p;
    double work[SPENT_PARTS];

    ask.mesh = (struct mesh){ comm_size(t->data), comm_size(t->slices),
                              comm_size(comm_axis(t->comm, AXIS_EXPERT)) };
    ask.n_input = t->micro[0].n_input;
    ask.n_target = t->micro[0].n_target;
    ask.group_rows = (int)t->rule.group_rows;
    ask.min_capacity = (int)t->rule.min_capacity;
    ask.min_dim = (int)t->rule.optimizer_min_dim;
    ask.remat = t->rule.remat;
    ask.half = t->rule.precision != PRECISION_FP32;
    ask.capacity_factor = t->rule.capacity_factor;
    plan_make(&p, &t->config, &ask);
    plan_work(&t->config, &ask, &p, work);
    profile_print(&r->profile, work, stderr);
}

static void finish(struct running *r)
{
    progress_end(&r->progress);
    if (r->root && r->ask->profile && r->t)
        print_profile(r);
    running_close_tables(r);
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
    rc = running_start(&r, c, rule, err);
    while (rc == 0 && r.t->step < (uint64_t)ask->n_step && !r.over)
        rc = one_step(&r, err);
    if (rc == 0 && r.root && ask->best && !ask->quiet)
        best_tell(&r.best, r.over);
    finish(&r);
    if (rc < 0)
        running_one_speaks(comm, err);
    return rc;
}
