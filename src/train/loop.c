/* loop.c - see loop.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"
#include "optim/spread.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "train/loop.h"
#include "train/teacher.h"

const char *const precision_words[] = { "fp32", "bf16", "bf16-all", NULL };

struct run train_run(const struct train_rule *rule)
{
    struct run run = { .train = 1, .gradient = 1, .group_rows = (int)rule->group_rows };
    long n_group = rule->batch / rule->group_rows;

    run.capacity_factor = rule->capacity_factor;
    run.min_capacity = (int)rule->min_capacity;
    run.dropout = rule->dropout;
    run.expert_dropout = rule->expert_dropout;
    run.jitter = rule->jitter;
    run.input_dropout = rule->input_dropout;
    run.explore = (enum explore)rule->explore;
    run.cap = (enum route_cap)rule->cap;
    run.second_loss = rule->second_loss;
    run.router_bf16 = rule->precision == PRECISION_BF16_ALL;
    run.dropout_per_element = rule->dropout_per_element;
    run.z_loss = rule->z_loss;
    run.aux_loss = rule->aux_loss;
    run.router_z_loss = rule->router_z_loss;
    run.aux_mean = rule->aux_mean;
    run.seed = (uint64_t)rule->seed;
    run.n_group[ENCODER] = run.n_group[DECODER] = (double)n_group;
    return run;
}

/* Which rows are this rank's, in how many microbatches of how many rows. Every rank has as many
 * microbatches as the fullest. */
static int divide(struct trainer *t, int64_t *micro_rows, struct err *err)
{
    int64_t group = t->rule.group_rows, n_group = t->rule.batch / group, most;
    int first, mine;

    if (t->rule.batch % group != 0)
        return err_set(err, "%" PRId64 " rows a step are not whole groups of %" PRId64 " rows",
                       t->rule.batch, group);
    if (*micro_rows % group != 0)
        return err_set(err, "%" PRId64 " rows a microbatch are not whole groups of %" PRId64,
                       *micro_rows, group);
    mine = comm_slice((int)n_group, comm_size(t->data), comm_rank(t->data), &first);
    t->first_row = first * group;
    t->n_row = mine * group;
    most = t->n_row;
    comm_max_i64(t->comm, &most, 1);
    if (!*micro_rows || *micro_rows > most)
        *micro_rows = most;
    t->n_micro = (int)((most + *micro_rows - 1) / *micro_rows);
    return 0;
}

int precision_check(const struct config *c, int precision, struct err *err)
{
    if (precision != PRECISION_FP32 && config_is_sparse(c) && c->d_model % 2 != 0)
        return err_set(err, "bf16 rows of %d numbers: the model's width must be even", c->d_model);
    return 0;
}

int explore_check(const struct config *c, int explore, struct err *err)
{
    if (explore == EXPLORE_SAMPLE && c->router == ROUTE_NTLB)
        return err_set(err, "a router of ntlb tries its best experts in turn: it cannot draw them");
    return 0;
}

static int check_rule(const struct config *c, const struct train_rule *rule, struct err *err)
{
    if (explore_check(c, rule->explore, err) < 0)
        return -1;
    return precision_check(c, rule->precision, err);
}

struct trainer *trainer_new(const struct config *c, const struct train_rule *rule,
                            struct comm *comm, int n_input, int n_target, int64_t micro_rows,
                            struct err *err)
{
    struct trainer *t = xcalloc(1, sizeof(*t));
    struct adafactor_rule optimizer = { .min_dim = (int)rule->optimizer_min_dim,
                                        .offset = -rule->decay_from };
    struct params_part part = slice_part(c, comm);
    int i;

    t->config = *c;
    t->rule = *rule;
    t->lr_scale = 1;
    t->comm = comm;
    t->data = comm_axis(comm, AXIS_DATA);
    t->slices = comm_axis(comm, AXIS_MODEL);
    if (check_rule(c, rule, err) < 0 || divide(t, &micro_rows, err) < 0) {
        trainer_free(t);
        return NULL;
    }
    t->params = params_new_part(c, &part, 1);
    t->spread = spread_new(t->params, comm);
    t->squares = xcalloc(t->params->n, sizeof(*t->squares));
    params_init_as(t->params, c, (uint64_t)rule->seed, rule->init_scale,
                   (enum init_scheme)rule->init);
    if (rule->precision != PRECISION_FP32)
        params_add_half(t->params);
    t->optimizer = adafactor_new_of(t->params, &optimizer, t->spread->own);
    t->optimizer->slices = t->slices;
    t->model = model_new(c, t->params, comm, (int)micro_rows, n_input, n_target,
                         rule->remat ? KEEP_STREAM : KEEP_ALL);
    t->micro = xcalloc((size_t)t->n_micro, sizeof(*t->micro));
    for (i = 0; i < t->n_micro; i++)
        batch_init(&t->micro[i], (int)micro_rows, n_input, n_target);
    return t;
}

static int fill(struct trainer *t, struct mix *mix, struct err *err)
{
    uint64_t first = (t->step + t->skip) * (uint64_t)t->rule.batch + (uint64_t)t->first_row;
    int64_t i, rows = t->micro[0].n_row;

    for (i = 0; i < t->n_micro; i++)
        batch_clear(&t->micro[i]);
    if (t->teacher)
        teacher_clear(t->teacher);
    for (i = 0; i < t->n_row; i++) {
        struct batch *b = &t->micro[i / rows];
        uint64_t n = first + (uint64_t)i;
        int at = (int)(i % rows);

        if (mix_fill(mix, n, b, at, err) < 0)
            return -1;
        if (t->teacher && teacher_fill(t->teacher, (int)(i / rows), at, n, b, err) < 0)
            return -1;
    }
    return 0;
}

int trainer_fill(struct trainer *t, struct mix *mix, struct err *err)
{
    int was = spent_on(SPENT_INPUT), rc = fill(t, mix, err);

    spent_on(was);
    return rc;
}

static double real_inputs(const struct batch *b)
{
    size_t i, n = (size_t)b->n_row * (size_t)b->n_input, real = 0;

    for (i = 0; i < n; i++)
        real += b->input_segment[i] != 0;
    return (double)real;
}

/* Over all ranks: real targets, real tokens. */
static void count_tokens(struct trainer *t, double *targets, double *tokens)
{
    double n[2] = { 0, 0 };
    int i;

    for (i = 0; i < t->n_micro; i++) {
        double here = (double)batch_targets(&t->micro[i]);

        n[0] += here;
        n[1] += here + real_inputs(&t->micro[i]);
    }
    comm_sum_f64(t->data, n, 2);
    *targets = n[0];
    *tokens = n[1];
}

/* Gradients come to their owners; returns the norm over all. */
static double sum_gradients(struct trainer *t)
{
    struct params *p = t->params;
    double sum[2] = { 0, 0 };    // of whole tensors, of slices
    size_t i;
    int was;

    comm_place("step", -1, "sums of gradients");
    spread_sum(t->spread);
    was = spent_on(SPENT_OPTIMIZER);
    adafactor_look(t->optimizer, p, t->squares);
    spent_on(was);
    for (i = 0; i < p->n; i++)
        sum[slice_is_part(&p->p[i])] += t->squares[i];
    comm_sum_f64(t->slices, &sum[1], 1);
    comm_sum_f64(t->data, sum, 2);
    return sqrt(sum[0] + sum[1]);
}

/* Owners update, and send what they have. */
static void update(struct trainer *t, double lr)
{
    size_t i;

    comm_place("step", -1, "update");
    if (!spread_sends(t->spread))
        adafactor_update(t->optimizer, t->params, 0, t->params->n, t->step, lr);
    for (i = 0; i < t->spread->n_bucket && spread_sends(t->spread); i++) {
        const struct spread_bucket *b = &t->spread->bucket[i];

        adafactor_update(t->optimizer, t->params, b->first, b->end, t->step, lr);
        spread_send(t->spread, i);
    }
    spread_wait(t->spread);
    if (comm_size(t->data) > 1)    // what others updated
        params_halve(t->params);
}

/* Forward and backward of all rows. */
static void run_micro(struct trainer *t, struct run *run, struct losses *sums)
{
    int i;

    spread_begin(t->spread);
    run->ready_to = t->spread;
    for (i = 0; i < t->n_micro; i++) {
        if (t->teacher)
            teacher_look(t->teacher, i, &t->micro[i]);
        run->fresh = i == 0;
        model_forward(t->model, &t->micro[i], run, sums, NULL, NULL);
        run->ready = i == t->n_micro - 1 && !t->late_sums ? spread_ready : NULL;
        model_backward(t->model, &t->micro[i], run);
    }
}

int trainer_step(struct trainer *t, int stop, struct step_report *r, struct err *err)
{
    struct run run = train_run(&t->rule);
    double start = clock_seconds();
    double sums[N_LOSSES + 1] = { 0 };
    int was;

    *r = (struct step_report){ .lr = t->lr_scale * schedule_lr(&t->rule.schedule, t->step) };
    run.step = t->step;
    run.soft = t->teacher ? teacher_target(t->teacher) : NULL;
    count_tokens(t, &run.n_target, &r->tokens);
    run_micro(t, &run, &r->sums);
    if (comm_rank(t->slices) == 0)    // the others have the same rows
        memcpy(sums, &r->sums, sizeof(r->sums));
    sums[N_LOSSES] = stop;
    comm_sum_f64(t->comm, sums, N_LOSSES + 1);
    memcpy(&r->sums, sums, sizeof(r->sums));
    r->stop = sums[N_LOSSES] != 0;
    r->grad_norm = sum_gradients(t);
    r->loss = loss_total(&r->sums, &t->config, &run);
    loss_parts(&r->sums, &run, &r->hard, &r->soft);
    r->nlp = r->sums.n_target > 0 ? -r->sums.ce / r->sums.n_target : 0;
    r->broken = !isfinite(r->loss) || !isfinite(r->grad_norm);
    if (r->broken)
        return err_set(err, "step %" PRIu64 ": loss %g, gradient norm %g: not finite", t->step,
                       r->loss, r->grad_norm);
    was = spent_on(SPENT_OPTIMIZER);
    update(t, r->lr);
    spent_on(was);
    t->step++;
    r->seconds = clock_seconds() - start;
    return 0;
}

void trainer_free(struct trainer *t)
{
    int i;

    if (!t)
        return;
    for (i = 0; t->micro && i < t->n_micro; i++)
        batch_release(&t->micro[i]);
    free(t->micro);
    free(t->squares);
    model_free(t->model);
    adafactor_free(t->optimizer);
    spread_free(t->spread);
    params_free(t->params);
    free(t);
}
