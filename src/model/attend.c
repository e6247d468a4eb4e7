/* attend.c - attention between the products with its weights, and both of its passes. */
#include "base/spent.h"
#include "comm/comm.h"
#include "model/net.h"
#include "moe/heads.h"
#include "nn/attention.h"
#include "nn/attention16.h"

void net_mix(const struct model *m, const struct stack_net *st, int block, const float *x)
{
    const struct attend *w = &st->block[block].attend[SELF];
    struct moe_call call = net_moe_call(m, st, block, SELF);

    moe_layer_forward(st->block[block].mix, &call, x, m->both);
    if (w->query.half)
        heads_split_half(m->both, st->n, &m->heads, net_query_scale(m), m->room, w->query.half,
                         w->key.half);
    else
        heads_split(m->both, st->n, &m->heads, net_query_scale(m), w->query.f, w->key.f);
}

void net_mix_back(const struct model *m, const struct stack_net *st, int block, const float *x)
{
    struct moe_call call = net_moe_call(m, st, block, SELF);

    if (m->d_query.half)
        heads_join_half(m->d_query.half, m->d_key.half, m->d_value.half, st->n, &m->heads,
                        net_query_scale(m), m->room, m->both);
    else
        heads_join(m->d_query.f, m->d_key.f, m->d_value.f, st->n, &m->heads, net_query_scale(m),
                   m->both);
    comm_sum_f32(m->slices, m->both, st->n * 2 * m->heads.inner);    // each has its own columns
    moe_layer_backward(st->block[block].mix, &call, x, m->both, m->dn);
}

/* Those of experts are keys, too. */
static struct either values(const struct stack_net *st, int block, enum sublayer kind)
{
    const struct attend *w = &st->block[block].attend[kind];

    return kind == SELF && st->block[block].mix ? w->key : w->value;
}

void net_meet(const struct model *m, const struct stack_net *st, int block, enum sublayer kind)
{
    const struct attend *w = &st->block[block].attend[kind];
    struct dropout drop = net_dropout(m, st->kind, block, DROP_PROBS + (int)kind);
    struct attention a = net_attention(m, st, kind, &drop);
    struct either value = values(st, block, kind);
    const float *bias = kind == SELF ? st->bias : NULL;
    int was = spent_on(SPENT_ATTENTION);

    if (w->query.half)
        attention16_forward(&a, w->query.half, w->key.half, value.half, bias, m->room, w->seen,
                            w->mixed.half);
    else
        attention_forward(&a, w->query.f, w->key.f, value.f, bias, w->seen, w->mixed.f);
    spent_on(was);
}

void net_meet_back(const struct model *m, const struct stack_net *st, int block, enum sublayer kind)
{
    const struct attend *w = &st->block[block].attend[kind];
    struct dropout drop = net_dropout(m, st->kind, block, DROP_PROBS + (int)kind);
    struct attention a = net_attention(m, st, kind, &drop);
    struct either value = values(st, block, kind);
    const float *bias = kind == SELF ? st->bias : NULL;
    float *d_bias = kind == SELF ? st->d_bias : NULL;
    int was = spent_on(SPENT_ATTENTION);

    if (w->query.half)
        attention16_backward(
            &a, w->query.half, w->key.half, value.half, bias, w->seen, w->mixed.half,
            m->d_mixed.half, m->room,
            &(struct attention16_grads){ m->d_query.half, m->d_key.half, m->d_value.half, d_bias });
    else
        attention_backward(
            &a, w->query.f, w->key.f, value.f, bias, w->seen, w->mixed.f, m->d_mixed.f,
            &(struct attention_grads){ m->d_query.f, m->d_key.f, m->d_value.f, d_bias });
    spent_on(was);
}
