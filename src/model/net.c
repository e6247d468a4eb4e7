/* net.c - what forward and backward must agree on: the batch as each stack sees it, and the
 * keys of all randomness. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "comm/comm.h"
#include "model/net.h"
#include "nn/attention.h"
#include "seq/batch.h"
#include "shape/params.h"

/* A place in the network as a number, to key randomness by. */
static uint64_t place_number(enum stack s, int block, int what)
{
    return ((uint64_t)s * BLOCK_MAX + (uint64_t)block) * 16 + (uint64_t)what;
}

struct dropout net_dropout(const struct model *m, enum stack s, int block, int what)
{
    const struct run *run = m->run;

    return (struct dropout){
        .rate = run->train ? run->dropout : 0,
        .key = rng_u64(rng_key(run->seed, "dropout"), run->step, place_number(s, block, what)),
        .per_element = run->dropout_per_element,
    };
}

void net_drop(const struct model *m, const struct stack_net *st, int block, int what, float *x)
{
    struct dropout drop = net_dropout(m, st->kind, block, what);

    if (drop.rate > 0)
        dropout_apply(&drop, x, m->b->number, (size_t)m->b->n_row, st->length,
                      (size_t)m->c.d_model);
}

struct attention net_attention(const struct model *m, const struct stack_net *st,
                               enum sublayer kind, const struct dropout *drop)
{
    const struct stack_net *from = kind == SELF ? st : &m->stack[ENCODER];

    return (struct attention){
        .n_row = m->b->n_row,
        .n_query = (int)st->length,
        .n_key = (int)from->length,
        .n_head = m->c.n_head,
        .d_kv = m->c.d_kv,
        .causal = kind == SELF && st->kind == DECODER,
        .segment_q = st->query,
        .segment_k = from->key,
        .drop = drop->rate > 0 ? drop : NULL,
        .number = m->b->number,
        .head_first = (uint64_t)m->slice * (uint64_t)m->c.n_head,
    };
}

struct ffn_drop net_ffn_drop(const struct model *m, const struct stack_net *st,
                             const struct dropout *drop)
{
    return (struct ffn_drop){
        .drop = drop,
        .number = m->b->number,
        .length = st->length,
        .first = (uint64_t)m->slice * (uint64_t)m->c.d_ff,
    };
}

float net_query_scale(const struct model *m)
{
    return (float)(1 / sqrt((double)m->c.d_kv));
}

size_t net_vocab_first(const struct model *m)
{
    return (size_t)m->slice * (size_t)m->c.n_vocab;
}

void net_place(const struct stack_net *st, int block, const char *work)
{
    comm_place(st->kind == ENCODER ? "encoder" : "decoder", block, work);
}

void net_sum(const struct model *m, float *x, size_t n)
{
    comm_sum_f32(m->slices, x, n * (size_t)m->c.d_model);
}

const struct param *net_norm(const struct stack_net *st, const struct place *at)
{
    int k = (int)(at - st->place), layer = k % st->n_sublayer;

    if (at == st->last)
        return st->final_norm;
    return st->block[k / st->n_sublayer].norm[layer == st->n_sublayer - 1 ? (int)FEED : layer];
}

static enum explore explores(const struct model *m)
{
    if (!m->run->train)
        return EXPLORE_ARGMAX;
    if (m->run->explore != EXPLORE_USUAL)
        return m->run->explore;
    return m->c.router == ROUTE_TOP2 ? EXPLORE_ARGMAX : EXPLORE_JITTER;
}

static struct route_rule route_rule(const struct model *m, const struct stack_net *st, uint64_t at)
{
    const struct run *run = m->run;

    return (struct route_rule){
        .n_expert = m->c.n_expert,
        .group_tokens = (int)st->length * run->group_rows,
        .capacity_factor = run->capacity_factor,
        .min_capacity = run->min_capacity,
        .fixed_capacity = run->hf_compat ? m->c.expert_capacity : 0,
        .route_padding = run->hf_compat,
        .cap = run->cap,
        .kind = m->c.router,
        .n_choice = m->c.n_choice,
        .second = m->c.second,
        .threshold = m->c.threshold,
        .second_loss = run->second_loss,
        .sample = explores(m) == EXPLORE_SAMPLE,
        .bf16 = m->c.router_bf16 || run->router_bf16,
        .key = rng_u64(rng_key(run->seed, "route"), run->step, at),
    };
}

struct moe_call net_moe_call(const struct model *m, const struct stack_net *st, int block,
                             enum sublayer kind)
{
    const struct run *run = m->run;
    uint64_t at = place_number(st->kind, block, kind == FEED ? 0 : 1);
    double share = 1.0 / run->n_group[st->kind] / (run->aux_mean ? m->n_sparse : 1);
    enum explore explore = explores(m);

    return (struct moe_call){
        .rule = route_rule(m, st, at),
        .one_group_losses = run->hf_compat,
        .n = st->n,
        .length = st->length,
        .segment =
            m->b->n_row ? (st->kind == ENCODER ? m->b->input_segment : m->b->target_segment) : NULL,
        .number = m->b->number,
        .jitter = explore == EXPLORE_JITTER ? run->jitter : 0,
        .input_dropout = explore == EXPLORE_DROPOUT ? run->input_dropout : 0,
        .input_key = rng_u64(rng_key(run->seed, "jitter"), run->step, at),
        .drop = { .rate = run->train ? run->expert_dropout : 0,
                  .key = rng_u64(rng_key(run->seed, "expert dropout"), run->step, at),
                  .per_element = 1 },
        .gradient = run->gradient,
        .fresh = run->fresh,
        .aux_scale = run->aux_loss * share,
        .z_scale = run->router_z_loss * share,
    };
}

/* HF looks at the attention mask of encoder keys alone, and zeroes nothing. */
static void begin_compat(struct model *m)
{
    struct stack_net *e = &m->stack[ENCODER], *d = &m->stack[DECODER];
    size_t i;

    for (i = 0; i < e->n; i++)
        m->seen[i] = m->b->input_segment[i] != 0;
    for (i = 0; i < (e->n > d->n ? e->n : d->n); i++)
        m->ones[i] = 1;
    e->pad = d->pad = NULL;
    e->query = d->query = d->key = m->ones;
    e->key = m->seen;
}

/* Gradients that products do not overwrite. That of the logits' table is overwritten by logits.c.
 */
static void clear_gradients(const struct model *m)
{
    struct params *p = m->params;
    size_t i;

#pragma omp parallel for schedule(dynamic)
    for (i = 0; i < p->n_shared; i++) {
        enum param_role role = p->p[i].role;

        if (&p->p[i] != m->head && role != PARAM_MATRIX && role != PARAM_QUERY &&
            role != PARAM_ATTENTION)
            memset(p->p[i].g, 0, p->p[i].n * sizeof(float));
    }
}

void net_begin(struct model *m, const struct batch *b, const struct run *run)
{
    struct stack_net *e = &m->stack[ENCODER], *d = &m->stack[DECODER];

    m->b = b;
    m->run = run;
    e->length = (size_t)b->n_input;
    d->length = (size_t)b->n_target;
    e->n = (size_t)b->n_row * e->length;
    d->n = (size_t)b->n_row * d->length;
    assert(b->n_row <= m->n_row && e->length <= e->length_most && d->length <= d->length_most);
    assert(!run->gradient || m->keeps != KEEP_NOTHING);
    assert(!m->n_sparse || (run->group_rows > 0 && b->n_row % run->group_rows == 0));
    if (run->gradient && run->fresh)
        clear_gradients(m);
    e->id = b->input;
    d->id = b->decoder;
    if (run->hf_compat) {
        begin_compat(m);
        return;
    }
    e->pad = e->query = e->key = b->input_segment;
    d->pad = d->query = d->key = b->target_segment;
}
