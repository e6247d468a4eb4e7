/* plan.c - see plan.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "optim/adafactor.h"
#include "optim/spread.h"
#include "plan/plan.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"

#define FLOAT 4.0    // bytes
#define HALF 2.0
/* Logits made at once: see model/model.c. */
#define LOGITS_FLOATS 67108864.0
#define LOGITS_ROWS 1024.0
#define LOGITS_LEAST 64.0

static double inner(const struct config *c)
{
    return (double)c->n_head * c->d_kv;
}

/* Weights of a feed-forward net or of one expert. */
static double ffn_weights(const struct config *c)
{
    return (c->gated ? 3.0 : 2.0) * c->d_model * c->d_ff;
}

/* Of one expert of self-attention. */
static double mixed_weights(const struct config *c)
{
    double hidden = config_mixed_width(c);

    return (c->d_ff_mixed ? hidden * c->d_model : 0) + hidden * 2 * inner(c);
}

static int n_of(const struct config *c, const unsigned char *blocks, int stack)
{
    int i, n = 0;

    for (i = 0; i < c->n_block[stack]; i++)
        n += blocks[i];
    return n;
}

static int n_sparse(const struct config *c, int stack)
{
    return n_of(c, c->sparse[stack], stack);
}

static int n_mixed(const struct config *c, int stack)
{
    return n_of(c, c->mixed[stack], stack);
}

/* The most experts that run a token. */
static double served(const struct config *c)
{
    return c->router == ROUTE_TOP2 && c->second != SECOND_NONE ? 2 : 1;
}

double plan_flops(const struct config *c, int n_input, int n_target)
{
    double length[2] = { n_input, n_target }, m = c->d_model, i = inner(c);
    double context[2] = { n_input, n_target + n_input }, flops = 2.0 * n_target * m * c->n_vocab;
    int s;

    for (s = 0; s < 2; s++) {
        double sparse = n_sparse(c, s), mixed = n_mixed(c, s), blocks = c->n_block[s];
        double weights = blocks * (s == ENCODER ? 4 : 8) * m * i - mixed * 3 * m * i;

        weights += (blocks - sparse + sparse * served(c)) * ffn_weights(c) +
                   mixed * served(c) * mixed_weights(c);
        flops += 2 * length[s] * (weights + blocks * context[s] * i);
    }
    return flops;
}

/* C = max(Cmin, min(Sg, floor(Sg cf / E))) */
static int capacity(const struct config *c, const struct plan_ask *ask, int length)
{
    double group = (double)ask->group_rows * length;
    double even = c->n_expert ? floor(group * ask->capacity_factor / c->n_expert) : 0;

    return (int)fmax(ask->min_capacity, fmin(group, even));
}

/* Rows that experts run for a token, with room for all that capacity lets through. */
static double rows_of_token(const struct config *c, const struct plan_ask *ask, int length)
{
    double room = (double)capacity(c, ask, length) * c->n_expert / ask->group_rows / length;

    return fmax(1, fmin(served(c), room));
}

/* Arrays of the router: logits, probabilities; expert, slot, kept, gate, row and choice. */
static double route_floats(const struct config *c)
{
    double choices = c->router == ROUTE_TOP2 ? 2 : c->router == ROUTE_NTLB ? c->n_choice : 1;

    return 2.0 * c->n_expert + 6 * fmin(choices, c->n_expert);
}

/* Floats that a number takes which products read. */
static double size(const struct plan_ask *ask)
{
    return ask->half ? 0.5 : 1;
}

/* Hidden numbers that a feed-forward net keeps of a token. */
static double hidden_kept(const struct config *c)
{
    return (c->gated ? 3.0 : 1.0) * c->d_ff;
}

/* Floats that a sparse layer keeps of a token besides the router's: its rows as they came, hidden
 * activations of r rows; their results. Blocks that are made again share them. */
static double sparse_floats(const struct config *c, const struct plan_ask *ask, double r)
{
    return ((r + served(c)) * c->d_model + r * hidden_kept(c)) * size(ask);
}

/* What the experts of self-attention make of a token is of all slices' heads. */
static double both_floats(const struct config *c, const struct plan_ask *ask)
{
    return 2 * inner(c) * ask->mesh.n_model;
}

static double mixed_floats(const struct config *c, const struct plan_ask *ask, double r)
{
    return r * (c->d_model + c->d_ff_mixed) + served(c) * both_floats(c, ask);
}

/* Norms of a stack that are kept as floats: where products read bf16, routers' and the stack's own
 * output, and one in which the others are made. */
static double norms_whole(const struct config *c, const struct plan_ask *ask, int stack,
                          double norms)
{
    if (!ask->half || ask->remat)
        return norms;
    return n_sparse(c, stack) + n_mixed(c, stack) + 1 + !c->mixed[stack][0];
}

/* Floats that the attention of a block keeps: queries, keys, values, results; two numbers a query.
 */
static double attention_floats(const struct config *c, const struct plan_ask *ask, int stack)
{
    double n = (double)ask->n_micro * (stack == ENCODER ? ask->n_input : ask->n_target);
    double source = (double)ask->n_micro * ask->n_input, h = c->n_head;
    double i = size(ask) * inner(c), of_query = 2 * i + 2 * h;

    return n * (of_query + 2 * i) + (stack == DECODER ? n * of_query + source * 2 * i : 0);
}

/* Floats that one stack keeps of a forward pass, as model/model.c lays them out. */
static double stack_floats(const struct config *c, const struct plan_ask *ask, int stack)
{
    double length = stack == ENCODER ? ask->n_input : ask->n_target;
    double n = ask->n_micro * length, m = c->d_model, h = c->n_head;
    double n_sublayer = stack == ENCODER ? 2 : 3, n_block = c->n_block[stack];
    double stream = ask->remat ? n_block + n_sublayer : n_block * n_sublayer + 1;
    double norm = ask->remat ? n_sublayer + 1 : n_block * n_sublayer + 1, span = 2 * length - 1;
    double sparse = n_sparse(c, stack), mixed = n_mixed(c, stack), dense = n_block - sparse;
    double sum = (sparse + mixed) * n * route_floats(c);

    if (ask->remat) {    // of sparse layers: see shared_floats()
        n_block = fmin(n_block, 1);
        dense = fmin(dense, 1);
    } else {
        double r = c->n_expert ? rows_of_token(c, ask, (int)length) : 0;

        sum += sparse * n * sparse_floats(c, ask, r);
        sum += mixed * n * (mixed_floats(c, ask, r) - inner(c) * size(ask));    // keys are values
    }
    sum += n * (stream * m + norm + norms_whole(c, ask, stack, norm) * m);
    sum += ask->half ? n * norm * m * size(ask) : 0;
    return sum + 2 * n * m + (1 + ask->n_micro) * h * span +
           n_block * attention_floats(c, ask, stack) + dense * n * hidden_kept(c) * size(ask);
}

/* Floats that sparse layers keep in one place when blocks are made again. */
static double shared_floats(const struct config *c, const struct plan_ask *ask)
{
    double sparse = 0, mixed = 0;
    int stack;

    for (stack = 0; stack < 2; stack++) {
        int length = stack == ENCODER ? ask->n_input : ask->n_target;
        double n = (double)ask->n_micro * length;

        if (n_sparse(c, stack))
            sparse = fmax(sparse, n * sparse_floats(c, ask, rows_of_token(c, ask, length)));
        if (n_mixed(c, stack))
            mixed = fmax(mixed, n * mixed_floats(c, ask, rows_of_token(c, ask, length)));
    }
    return sparse + mixed;
}

/* Floats of a token on its way between ranks, besides where it leaves from and comes to: rows in
 * the order of arrival; with slices of the model a slice's part of them, there and back, and all
 * parts, of results twice. */
static double journey_floats(const struct config *c, const struct plan_ask *ask)
{
    double slices = ask->mesh.n_model, width = c->d_model * size(ask), sum = 0;

    if (ask->mesh.n_expert > 1 && c->n_expert > ask->mesh.n_expert)
        sum += width / slices;
    if (slices > 1)
        sum += 2 * width / slices + (ask->half ? 1 : 2) * width;
    return sum;
}

/* The most rows that one expert works on, of n tokens a rank with r rows each. */
static double rows_of_expert(const struct config *c, const struct plan_ask *ask, int length,
                             double r)
{
    double all = (double)ask->n_micro * length * r;
    double groups = floor((double)ask->n_micro / ask->group_rows) * ask->mesh.n_expert;

    if (c->n_expert <= ask->mesh.n_expert)
        return all;
    return fmin(all, groups * capacity(c, ask, length));
}

/* Floats of work of layers with experts. */
static double moe_floats(const struct config *c, const struct plan_ask *ask)
{
    int longest = ask->n_input > ask->n_target ? ask->n_input : ask->n_target;
    double n = (double)ask->n_micro * longest, m = c->d_model, wide = m, sum = 0;
    double r = rows_of_token(c, ask, longest), work = (c->gated ? 2.0 : 1.0) * c->d_ff;

    if (config_is_mixed(c)) {
        wide = fmax(m, both_floats(c, ask));
        work = n_sparse(c, ENCODER) + n_sparse(c, DECODER) ? work : 0;
        work = fmax(work, c->d_ff_mixed ? c->d_ff_mixed : m / ask->mesh.n_model);
        sum += n * both_floats(c, ask);
    }
    return sum + rows_of_expert(c, ask, longest, r) * work +
           n * (m + 2 * served(c) * wide + c->n_expert + served(c) + journey_floats(c, ask));
}

/* Floats of work that layers use one after another: logits, a chunk of rows at a time; gradients
 * of a layer's parts; inputs of products in bf16. */
static double work_floats(const struct config *c, const struct plan_ask *ask)
{
    int longest = ask->n_input > ask->n_target ? ask->n_input : ask->n_target;
    double n = (double)ask->n_micro * longest, m = c->d_model;
    double most = fmax(fmin(floor(LOGITS_FLOATS / c->n_vocab), LOGITS_ROWS), LOGITS_LEAST);
    double targets = (double)ask->n_micro * ask->n_target;
    double chunk = ceil(targets / ceil(targets / most)), hidden = c->gated ? 2.0 : 1.0;
    double sum =
        chunk * (c->n_vocab + m) + n * (2 * m + 4 * size(ask) * inner(c) + hidden * c->d_ff);

    if (ask->half)
        sum += n * (inner(c) + m * size(ask));
    if (ask->remat)
        sum += shared_floats(c, ask);
    return sum + (config_is_sparse(c) ? moe_floats(c, ask) : 0);
}

/* Bytes that OpenBLAS packs operands into: a step along what is summed over, times the width of the
 * result, in a buffer of 32 MiB; where the other operand fits into one panel, next to nothing. The
 * widest are gradients of the logits' table and of hidden layers, summed over rows. oneDNN, which
 * multiplies bf16, takes less. */
static double packed_bytes(const struct config *c, const struct plan_ask *ask)
{
    double buffer = 32 << 20, step = 384, panel = 448, rows = (double)ask->n_micro * ask->n_target;
    double logits = fmin(step, fmin(rows, LOGITS_ROWS)) * c->n_vocab;
    double hidden = fmin(step, (double)ask->n_micro * ask->n_input) * c->d_ff;

    if (ask->half || c->d_model <= panel)
        return 0;
    return fmin(buffer, FLOAT * fmax(logits, hidden));
}

/* Slots of the tensors of one axis that each of its ranks owns: [n_rank]. */
static double *slots_owned(const struct params *t, const int *owner, size_t first, size_t end,
                           const struct plan_ask *ask, int n_rank)
{
    struct adafactor_rule rule = { .min_dim = ask->min_dim };
    double *sum = xcalloc((size_t)n_rank, sizeof(*sum));
    size_t i;

    for (i = first; i < end; i++)
        sum[owner[i]] += (double)adafactor_slots(&rule, &t->p[i]);
    return sum;
}

/* Of the rank that has the most. */
static double slot_floats(const struct config *c, const struct plan_ask *ask, int n_expert)
{
    int n_data = ask->mesh.n_data, n_replica = n_data / ask->mesh.n_expert, d;
    /* without replicas experts are alike: one tells of all */
    struct params_part part = { 0, n_replica > 1 ? n_expert : n_expert > 0, 0, ask->mesh.n_model };
    struct params *t = params_table_part(c, &part);
    int *owner = xcalloc(t->n, sizeof(*owner));
    double *shared, *experts, most = 0;

    spread_owners(t, n_data, n_replica, owner);
    shared = slots_owned(t, owner, 0, t->n_shared, ask, n_data);
    experts = slots_owned(t, owner, t->n_shared, t->n, ask, n_replica);
    for (d = 0; d < n_data; d++)
        most = fmax(most,
                    shared[d] + experts[d / ask->mesh.n_expert] * (n_replica > 1 ? 1 : n_expert));
    free(shared);
    free(experts);
    free(owner);
    params_free(t);
    return most;
}

/* Floats that a rank has of shared tensors and of one expert number. */
static void held_floats(const struct config *c, int n_slice, double *shared, double *expert)
{
    struct params_part part = { 0, c->n_expert > 0, 0, n_slice };
    struct params *t = params_table_part(c, &part);
    size_t i;

    *shared = *expert = 0;
    for (i = 0; i < t->n; i++)
        *(i < t->n_shared ? shared : expert) += (double)t->p[i].n;
    params_free(t);
}

/* Numbers of a stack's tokens that are summed over slices, forward and backward: in a sum of all
 * slices for all of them, a rank sends its part twice to each other one. */
static double slice_floats(const struct config *c, const struct plan_ask *ask, int stack,
                           double rows)
{
    double length = stack == ENCODER ? ask->n_input : ask->n_target, m = c->d_model;
    double sparse = n_sparse(c, stack), dense = c->n_block[stack] - sparse;
    double attention = c->n_block[stack] * (stack == ENCODER ? 1.0 : 2.0);
    double sums = (ask->remat ? 3 : 2) * attention + 2 * dense + 1;    // 1: the embedding
    double r = c->n_expert ? rows_of_token(c, ask, (int)length) : 0;
    double mixed = n_mixed(c, stack), both = 2 * inner(c), again = ask->remat;

    if (stack == ENCODER)
        sums++;    // gradient of what the decoder reads
    else
        sums += 1 + 5 / m;    // gradient of the logits; largest, two sums of doubles
    /* rows of experts: shared out as they come, summed to one, shared out again; and back */
    sums = m * (2 * sums + (6 + 3 * again) * sparse * r);
    /* of self-attention the same with results of their own width, whose gradient is put together */
    sums += mixed * (2 * both - 2 * m + r * ((3 + again) * m + (3 + 2 * again) * both));
    return rows * length * sums;
}

static void plan_traffic(struct plan *p, const struct config *c, const struct plan_ask *ask)
{
    const struct mesh *mesh = &ask->mesh;
    double away = (mesh->n_expert - 1.0) / mesh->n_expert;    // share of the tokens that travel
    double rows = ceil((double)ask->n_row / mesh->n_data);
    int stack;

    for (stack = 0; stack < 2; stack++) {
        double length = stack == ENCODER ? ask->n_input : ask->n_target;
        /* there and back, forward, perhaps again, and backward */
        double width = 4.0 * n_sparse(c, stack) * c->d_model * size(ask) +
                       2.0 * n_mixed(c, stack) * (c->d_model + 2 * inner(c));

        width *= FLOAT * away / mesh->n_model * (ask->remat ? 1.5 : 1);
        p->capacity[stack] = c->n_expert ? capacity(c, ask, (int)length) : 0;
        if (c->n_expert)
            p->exchange += rows * length * rows_of_token(c, ask, (int)length) * width;
        p->exchange_buffer +=
            ceil(rows / ask->group_rows) * c->n_expert * (double)p->capacity[stack] * width;
        p->slices +=
            slice_floats(c, ask, stack, rows) * FLOAT * (mesh->n_model - 1) / mesh->n_model;
    }
}

void plan_make(struct plan *p, const struct config *c, const struct plan_ask *ask)
{
    struct config own = *c;
    double shared, expert;

    slice_config(&own, ask->mesh.n_model);
    *p = (struct plan){ .parameters = params_count(c), .shared = params_count_shared(c) };
    p->n_sparse = n_sparse(c, ENCODER) + n_sparse(c, DECODER);
    p->n_mixed = n_mixed(c, ENCODER) + n_mixed(c, DECODER);
    p->expert = (uint64_t)(p->n_sparse ? ffn_weights(c) : p->n_mixed ? mixed_weights(c) : 0);
    p->experts_per_rank = (c->n_expert + ask->mesh.n_expert - 1) / ask->mesh.n_expert;
    p->flops_sequence = plan_flops(c, ask->n_input, ask->n_target);
    p->flops_step = 3 * p->flops_sequence * ask->n_row;
    held_floats(c, ask->mesh.n_model, &shared, &expert);
    expert *= p->experts_per_rank;
    p->gradients = (shared + expert) * FLOAT;
    p->weights = (shared + expert) * (FLOAT + (ask->half ? HALF : 0));
    p->slots = slot_floats(c, ask, p->experts_per_rank) * FLOAT;
    p->activations = FLOAT * (stack_floats(&own, ask, ENCODER) + stack_floats(&own, ask, DECODER) +
                              work_floats(&own, ask));
    p->packed = packed_bytes(&own, ask);
    p->memory = p->weights + p->gradients + p->slots + p->activations + p->packed;
    plan_traffic(p, c, ask);
    if (ask->mesh.n_data > 1)
        p->sum = shared * FLOAT;
    if (ask->mesh.n_data > ask->mesh.n_expert)
        p->sum += expert * FLOAT;
}

void plan_work(const struct config *c, const struct plan_ask *ask, const struct plan *p,
               double work[SPENT_PARTS])
{
    double rows = ceil((double)ask->n_row / ask->mesh.n_data), slices = ask->mesh.n_model, m;
    double length[2] = { ask->n_input, ask->n_target };
    double context[2] = { ask->n_input, ask->n_target + ask->n_input };
    double again = ask->remat ? 4.0 / 3 : 1, held = p->gradients / FLOAT, shared;
    int s;

    m = c->d_model;
    memset(work, 0, SPENT_PARTS * sizeof(*work));
    work[SPENT_GEMM] = again * 3 * p->flops_sequence * rows / slices;
    work[SPENT_LOSS] = rows * length[DECODER] * c->n_vocab / slices;
    work[SPENT_OTHER] = held;    // gradients begin at 0
    for (s = 0; s < 2; s++) {
        double blocks = c->n_block[s], n = rows * length[s], layers = s == ENCODER ? 2 : 3;

        work[SPENT_ATTENTION] += again * blocks * n * context[s] * c->n_head / slices;
        /* norms, sums, dropout: a dozen times there and back; hidden units: four times */
        work[SPENT_OTHER] += again * n * blocks * (12 * layers * m + 4 * c->d_ff / slices);
        work[SPENT_ROUTER] += again * n * 4 * m * (n_sparse(c, s) + n_mixed(c, s));
    }
    held_floats(c, ask->mesh.n_model, &shared, &held);
    held *= p->experts_per_rank;
    work[SPENT_OPTIMIZER] =
        shared / ask->mesh.n_data + held * ask->mesh.n_expert / ask->mesh.n_data;
    work[SPENT_EXCHANGE] = p->exchange;
    work[SPENT_WAIT] = 2 * p->sum + p->slices;    // sums to owners, values from them
}
