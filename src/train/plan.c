/* plan.c - see plan.h. */
#include <math.h>

#include "model/config.h"
#include "model/params.h"
#include "train/adafactor.h"
#include "train/plan.h"

#define FLOAT 4.0    // bytes
/* Logits made at once: at most so many floats, but at least so many rows. */
#define LOGITS_FLOATS 33554432.0
#define LOGITS_ROWS 64.0

static double inner(const struct config *c)
{
    return (double)c->n_head * c->d_kv;
}

/* Weights of a feed-forward net or of one expert. */
static double ffn_weights(const struct config *c)
{
    return (c->gated ? 3.0 : 2.0) * c->d_model * c->d_ff;
}

double plan_flops(const struct config *c, int n_input, int n_target)
{
    double s = n_input, t = n_target, m = c->d_model, i = inner(c);
    double encoder = 2 * s * (4 * m * i + ffn_weights(c)) + 2 * s * s * i;
    double decoder = 2 * t * (8 * m * i + ffn_weights(c)) + 2 * (t * t + t * s) * i;

    return c->n_block[ENCODER] * encoder + c->n_block[DECODER] * decoder + 2 * t * m * c->n_vocab;
}

static int n_sparse(const struct config *c, int stack)
{
    int i, n = 0;

    for (i = 0; i < c->n_block[stack]; i++)
        n += c->sparse[stack][i];
    return n;
}

/* C = max(Cmin, min(Sg, floor(Sg cf / E))) */
static int capacity(const struct config *c, const struct plan_ask *ask, int length)
{
    double group = (double)ask->group_rows * length;
    double even = c->n_expert ? floor(group * ask->capacity_factor / c->n_expert) : 0;

    return (int)fmax(ask->min_capacity, fmin(group, even));
}

/* Floats that a sparse block keeps when no token is dropped: the tokens' rows as they came, their
 * results, hidden activations; the router's logits, probabilities and choices. */
static double sparse_floats(const struct config *c, double n)
{
    return n * (2.0 * c->d_model + (c->gated ? 3.0 : 1.0) * c->d_ff) + n * (2.0 * c->n_expert + 5);
}

/* Floats that one stack keeps of a forward pass, as model/model.c lays them out. */
static double stack_floats(const struct config *c, const struct plan_ask *ask, int stack)
{
    double length = stack == ENCODER ? ask->n_input : ask->n_target, source = ask->n_input;
    double n = ask->n_micro * length, m = c->d_model, i = inner(c), h = c->n_head;
    double n_place = c->n_block[stack] * (stack == ENCODER ? 2.0 : 3.0) + 1;
    double attention = 4 * n * i + 2 * n * h, span = 2 * length - 1;
    double cross = 2 * n * i + 2 * ask->n_micro * source * i + 2 * n * h;
    double sparse = n_sparse(c, stack), dense = c->n_block[stack] - sparse;

    return n_place * n * (2 * m + 1) + 2 * n * m + (1 + ask->n_micro) * h * span +
           c->n_block[stack] * (attention + (stack == DECODER ? cross : 0)) +
           dense * n * (c->gated ? 3.0 : 1.0) * c->d_ff + sparse * sparse_floats(c, n);
}

/* Floats of work that layers use one after another: logits, a chunk of rows at a time; gradients
 * of a layer's parts; rows of tokens on their way. */
static double work_floats(const struct config *c, const struct plan_ask *ask)
{
    double n = (double)ask->n_micro * fmax(ask->n_input, ask->n_target), m = c->d_model;
    double most = fmax(floor(LOGITS_FLOATS / c->n_vocab), LOGITS_ROWS);
    double targets = (double)ask->n_micro * ask->n_target;
    double chunk = ceil(targets / ceil(targets / most)), hidden = c->gated ? 2.0 : 1.0;
    double sum = chunk * (c->n_vocab + m) + n * (2 * m + 4 * inner(c) + hidden * c->d_ff);

    if (config_is_sparse(c))
        sum += n * (4 * m + hidden * c->d_ff + c->n_expert + 1);
    return sum;
}

static double slot_floats(const struct config *c, const struct plan_ask *ask, int n_expert)
{
    struct adafactor_rule rule = { .min_dim = ask->min_dim };
    struct params *t = params_table(c, 0, n_expert ? 1 : 0);
    double shared = 0, expert = 0;
    size_t i;

    for (i = 0; i < t->n; i++)
        *(i < t->n_shared ? &shared : &expert) += (double)adafactor_slots(&rule, &t->p[i]);
    params_free(t);
    return shared + n_expert * expert;
}

static void plan_traffic(struct plan *p, const struct config *c, const struct plan_ask *ask)
{
    double away = (double)(ask->n_rank - 1) / ask->n_rank;    // share of the tokens that travel
    double rows = ceil((double)ask->n_row / ask->n_rank);
    int stack;

    for (stack = 0; stack < 2; stack++) {
        double length = stack == ENCODER ? ask->n_input : ask->n_target;
        /* there and back, forward and backward */
        double width = 4.0 * n_sparse(c, stack) * c->d_model * FLOAT * away;

        p->capacity[stack] = c->n_expert ? capacity(c, ask, (int)length) : 0;
        p->exchange += rows * length * width;
        p->exchange_buffer +=
            ceil(rows / ask->group_rows) * c->n_expert * (double)p->capacity[stack] * width;
    }
    p->sum = ask->n_rank > 1 ? (double)p->shared * FLOAT : 0;
}

void plan_make(struct plan *p, const struct config *c, const struct plan_ask *ask)
{
    double held;

    *p = (struct plan){ .parameters = params_count(c), .shared = params_count_shared(c) };
    p->n_sparse = n_sparse(c, ENCODER) + n_sparse(c, DECODER);
    p->expert = p->n_sparse ? params_count_expert(c) / (uint64_t)p->n_sparse : 0;
    p->experts_per_rank = (c->n_expert + ask->n_rank - 1) / ask->n_rank;
    p->flops_sequence = plan_flops(c, ask->n_input, ask->n_target);
    p->flops_step = 3 * p->flops_sequence * ask->n_row;
    held = (double)p->shared + (double)params_count_expert(c) * p->experts_per_rank;
    p->weights = p->gradients = held * FLOAT;
    p->slots = slot_floats(c, ask, p->experts_per_rank) * FLOAT;
    p->activations = FLOAT * (stack_floats(c, ask, ENCODER) + stack_floats(c, ask, DECODER) +
                              work_floats(c, ask));
    plan_traffic(p, c, ask);
}
