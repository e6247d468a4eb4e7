/* forward.c - the network, from ids to losses, in the order of the paper. */
#include <string.h>

#include "base/spent.h"
#include "kernel/kernel.h"
#include "model/net.h"
#include "nn/attention.h"
#include "nn/embed.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "seq/batch.h"
#include "shape/params.h"

/* The norm of the stream at a place, to which what is still missing of it is added first. */
static void norm(const struct model *m, const struct stack_net *st, struct place *at,
                 const float *missing)
{
    norm_add_forward(at->floats ? at->normed : NULL, at->half, at->rms, at->x, missing,
                     net_norm(st, at)->w, st->pad, st->n, (size_t)m->c.d_model, (float)m->c.eps);
}

/* The next place of the stream holds a sublayer's output: drop some of it, add the stream. */
static void residual(const struct model *m, const struct stack_net *st, int block,
                     enum sublayer kind, struct place *at)
{
    net_drop(m, st, block, DROP_OUT + (int)kind, at[1].x);
    norm(m, st, at + 1, at->x);
}

/* x + Attention(norm(x)), and its norm; keys and values are of norm(x) too, or of the encoder's
 * output. */
static void attend(const struct model *m, const struct stack_net *st, int block, enum sublayer kind,
                   struct place *at)
{
    const struct stack_net *from = kind == SELF ? st : &m->stack[ENCODER];
    const struct attend *w = &st->block[block].attend[kind];
    size_t width = (size_t)m->c.d_model, inner = (size_t)m->c.n_head * (size_t)m->c.d_kv;
    const struct place *source = kind == SELF ? at : from->last;
    struct rows in = { at->normed, at->half, width }, key = { source->normed, source->half, width };

    if (kind == SELF && st->block[block].mix) {
        net_mix(m, st, block, at->normed);
    } else {
        net_product_to(m, w->query, in, w->q, st->n, width, inner);
        net_product_to(m, w->key, key, w->k, from->n, width, inner);
        net_product_to(m, w->value, key, w->v, from->n, width, inner);
    }
    net_meet(m, st, block, kind);
    net_product(at[1].x, net_rows_of(w->mixed, inner), w->o, st->n, inner, width);
    net_sum(m, at[1].x, st->n);
    residual(m, st, block, kind, at);
}

/* x + FFN(norm(x)), or x + Switch(norm(x)), and its norm. */
static void feed(const struct model *m, const struct stack_net *st, int block, struct place *at,
                 int again)
{
    struct block *w = &st->block[block];
    float *to = again ? NULL : at[1].x;

    if (w->moe) {
        struct moe_call call = net_moe_call(m, st, block, FEED);

        moe_layer_forward(w->moe, &call, at->normed, at[1].x);
    } else {
        struct dropout drop = net_dropout(m, st->kind, block, DROP_HIDDEN);
        struct ffn_drop rows = net_ffn_drop(m, st, &drop);

        if (at->half)
            ffn16_forward(&w->ffn16, &rows, at->half, st->n, w->saved, m->hidden, to);
        else
            ffn_forward(&w->ffn, &rows, at->normed, st->n, w->saved, to);
        if (!again)
            net_sum(m, at[1].x, st->n);
    }
    if (!again)
        residual(m, st, block, FEED, at);
}

void net_block(const struct model *m, struct stack_net *st, int i, int again)
{
    struct place *at = st->place + i * st->n_sublayer;

    net_place(st, i, "attention");
    if (again)
        norm(m, st, at, NULL);
    attend(m, st, i, SELF, at++);
    if (st->kind == DECODER)
        attend(m, st, i, CROSS, at++);
    net_place(st, i, st->block[i].moe ? "experts" : "feed-forward");
    feed(m, st, i, at, again);
}

static void run_stack(const struct model *m, struct stack_net *st)
{
    size_t width = (size_t)m->c.d_model;
    struct place *at = st->place;
    int i;

    relpos_forward(&st->relpos, st->table->w, m->c.n_head, (int)st->length, (int)st->length,
                   st->bias);
    embed_slice_forward(at->x, m->embedding->w, net_vocab_first(m), (size_t)m->c.n_vocab, st->id,
                        st->n, width);
    net_sum(m, at->x, st->n);
    net_drop(m, st, 0, DROP_EMBED, at->x);
    norm(m, st, at, NULL);
    for (i = 0; i < st->n_block; i++) {
        if (m->keep)
            memcpy(st->hidden[i], at[i * st->n_sublayer].x, st->n * width * sizeof(float));
        net_block(m, st, i, 0);
    }
    net_place(st, -1, "output");
    if (net_dropout(m, st->kind, 0, DROP_FINAL).rate > 0) {
        net_drop(m, st, 0, DROP_FINAL, st->last->normed);
        if (st->last->half)
            rows_half(st->last->half, st->last->normed, st->n, width);
    }
}

/* Of one sparse layer, which may be none. */
static void add_layer_sums(const struct model *m, const struct moe_layer *l, double n_group,
                           struct route_means *means, struct losses *sums)
{
    const struct route_sums *r;

    if (!l)
        return;
    r = moe_layer_sums(l);
    sums->aux += r->aux / n_group;
    sums->router_z += r->z / n_group;
    sums->routed += (double)r->routed;
    sums->dropped += (double)r->dropped;
    sums->load_max += (double)r->load_max;
    sums->load_mean += (double)r->routed / m->c.n_expert;
    means->aux = (float)(r->aux / n_group);
    means->router_z = (float)(r->z / n_group);
}

static void add_route_sums(const struct model *m, struct losses *sums)
{
    int s, i;

    for (s = 0; s < 2; s++)
        for (i = 0; i < m->c.n_block[s]; i++) {
            struct block *w = &m->stack[s].block[i];

            add_layer_sums(m, w->mix, m->run->n_group[s], &w->mix_means, sums);
            add_layer_sums(m, w->moe, m->run->n_group[s], &w->moe_means, sums);
        }
}

void model_forward_hidden(struct model *m, const struct batch *b, const struct run *run)
{
    net_begin(m, b, run);
    run_stack(m, &m->stack[ENCODER]);
    run_stack(m, &m->stack[DECODER]);
    m->ready = 0;
}

void model_forward(struct model *m, const struct batch *b, const struct run *run,
                   struct losses *sums, double *row_ce, double *row_target)
{
    model_forward_hidden(m, b, run);
    net_logits(m, sums, row_ce, row_target);
    add_route_sums(m, sums);
    m->ready = run->gradient;
}
