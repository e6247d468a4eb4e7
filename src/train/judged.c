/* judged.c - how a run is judged, and which checkpoints are kept: see running.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/err.h"
#include "checkpoint/folder.h"
#include "comm/comm.h"
#include "train/evaluate.h"
#include "train/metrics.h"
#include "train/running.h"

int running_agree(struct running *r, int rc)
{
    int64_t bad = rc < 0;

    comm_max_i64(r->comm, &bad, 1);
    return rc < 0 || bad ? -1 : 0;
}

int running_due(uint64_t step, int64_t every, uint64_t last)
{
    return step == last || (every && step % (uint64_t)every == 0);
}

int running_eval_due(const struct running *r)
{
    return r->eval && running_due(r->t->step, r->ask->eval_every, (uint64_t)r->ask->n_step);
}

void running_close_tables(struct running *r)
{
    metrics_close(r->steps);
    metrics_close(r->evals);
    best_close(&r->best);
    r->steps = r->evals = NULL;
}

/* The tables first: should the machine go down, no checkpoint is ahead of its rows. */
static int sync_tables(struct running *r, struct err *err)
{
    int rc = metrics_sync(r->steps, err);

    return rc < 0 ? rc : metrics_sync(r->evals, err);
}

int running_save(struct running *r, struct err *err)
{
    if (running_agree(r, sync_tables(r, err)) < 0)
        return -1;
    if (state_save(r->t, &r->facts, r->ask->out, err) < 0)
        return -1;
    r->has_saved = 1;
    return 0;
}

int running_prune(struct running *r, struct err *err)
{
    uint64_t spare = r->best.has_best ? r->best.step : UINT64_MAX;

    if (!r->ask->keep)
        return 0;
    return running_agree(r,
                         r->root ? folder_prune(r->ask->out, (size_t)r->ask->keep, spare, err) : 0);
}

int running_evaluate(struct running *r, struct err *err)
{
    const struct train_rule *rule = &r->t->rule;
    struct eval_rule how = { .group_rows = (int)rule->group_rows, .capacity_factor = 2.0 };
    struct evaluation e;
    int rc;

    how.micro_rows = r->t->micro[0].n_row;
    how.min_capacity = (int)rule->min_capacity;
    how.cap = rule->cap;
    how.router_bf16 = rule->precision == PRECISION_BF16_ALL;
    rc = evaluate(r->eval, r->t->model, &r->t->config, r->comm, &how, &e, err);
    if (rc == 0)
        rc = running_agree(r, r->root ? metrics_add_eval(r->evals, r->t->step, &e, err) : 0);
    r->n_target = e.sums[e.n_lang].targets;
    r->nlp = r->n_target > 0 ? -e.sums[e.n_lang].ce / r->n_target : NAN;
    evaluation_release(&e);
    return rc;
}

int running_judge(struct running *r, struct err *err)
{
    const struct run_look *look = &r->ask->look;
    struct best *b = r->root ? &r->best : NULL;
    char *path = folder_step(r->ask->out, r->t->step, 0);
    double score = r->nlp;
    int rc = look->score ? look->score(look->to, r->t->step, path, b, &score, err) : 0;

    free(path);
    if (rc == 0)
        rc = running_agree(
            r, b ? best_add(b, r->t->step, look->score ? look->metric : "nlp",
                            look->score ? (uint64_t)look->n_set : (uint64_t)r->n_target, score, err)
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
