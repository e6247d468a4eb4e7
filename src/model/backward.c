/* backward.c - forward.c read from the end: every function gives the gradient of the one of
 * the same name there. d is the gradient of the stream at the place the pass has come to. */
#include <assert.h>
#include <string.h>

#include "base/spent.h"
#include "comm/comm.h"
#include "model/net.h"
#include "nn/attention.h"
#include "nn/embed.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "seq/batch.h"
#include "shape/params.h"

/* Leaves d in m->half, too. */
static void norm(const struct model *m, const struct stack_net *st, const float *dy,
                 const struct place *at)
{
    const struct param *scale = net_norm(st, at);

    norm_backward(st->d, m->half, scale->g, dy, at->x, scale->w, at->rms, st->pad, st->n,
                  (size_t)m->c.d_model);
}

/* The gradient of a sublayer's output: the stream's, where dropout let it through. In m->half,
 * too. */
static const float *residual(const struct model *m, const struct stack_net *st, int block,
                             enum sublayer kind)
{
    size_t width = (size_t)m->c.d_model;
    int what = DROP_OUT + (int)kind;

    if (net_dropout(m, st->kind, block, what).rate <= 0)
        return st->d;
    memcpy(m->dy, st->d, st->n * width * sizeof(float));
    net_drop(m, st, block, what, m->dy);
    net_rows(m, m->dy, st->n, width);
    return m->dy;
}

static void mix(const struct model *m, const struct stack_net *st, int block, const float *x)
{
    struct moe_call call = net_moe_call(m, st, block, SELF);

    heads_join(m->d_query, m->d_key, m->d_value, st->n, &m->heads, net_query_scale(m), m->both);
    comm_sum_f32(m->slices, m->both, st->n * 2 * m->heads.inner);    // each has its own columns
    moe_layer_backward(st->block[block].mix, &call, x, m->both, m->dn);
}

static void attend(const struct model *m, const struct stack_net *st, int block, enum sublayer kind,
                   const struct place *at)
{
    const struct stack_net *from = kind == SELF ? st : &m->stack[ENCODER];
    const struct attend *w = &st->block[block].attend[kind];
    struct dropout drop = net_dropout(m, st->kind, block, DROP_PROBS + (int)kind);
    struct attention a = net_attention(m, st, kind, &drop);
    size_t width = (size_t)m->c.d_model, inner = (size_t)m->c.n_head * (size_t)m->c.d_kv;
    const struct place *source = kind == SELF ? at : from->last;
    struct rows in = { at->normed, at->half, width }, key = { source->normed, source->half, width };
    struct rows d;
    float *d_source = kind == SELF ? m->dn : from->d_out;
    int mixes = kind == SELF && st->block[block].mix, was;

    d = net_rows_there(m, residual(m, st, block, kind), width);
    net_product_back(m->d_mixed, 0, w->o, d, (struct rows){ w->mixed, w->mixed_half, inner }, st->n,
                     inner, width);
    was = spent_on(SPENT_ATTENTION);
    if (w->mixed_half)
        rows_whole(w->mixed, w->mixed_half, st->n, inner);
    attention_backward(&a, w->query, w->key, mixes ? w->key : w->value,
                       kind == SELF ? st->bias : NULL, w->seen, w->mixed, m->d_mixed,
                       &(struct attention_grads){ m->d_query, m->d_key, m->d_value,
                                                  kind == SELF ? st->d_bias : NULL });
    spent_on(was);
    if (mixes) {
        mix(m, st, block, at->normed);
        norm(m, st, m->dn, at);
        return;
    }
    d = net_rows_here(m, m->d_query, st->n, inner);
    net_product_back(m->dn, 0, w->q, d, in, st->n, width, inner);
    d = net_rows_here(m, m->d_key, from->n, inner);
    net_product_back(d_source, 1, w->k, d, key, from->n, width, inner);
    d = net_rows_here(m, m->d_value, from->n, inner);
    net_product_back(d_source, 1, w->v, d, key, from->n, width, inner);
    net_sum(m, m->dn, st->n);
    norm(m, st, m->dn, at);
}

static void feed(const struct model *m, const struct stack_net *st, int block,
                 const struct place *at)
{
    const struct block *w = &st->block[block];
    const float *dy = residual(m, st, block, FEED);

    if (w->moe) {
        struct moe_call call = net_moe_call(m, st, block, FEED);

        moe_layer_backward(w->moe, &call, at->normed, dy, m->dn);
    } else {
        struct dropout drop = net_dropout(m, st->kind, block, DROP_HIDDEN);
        struct ffn_drop rows = net_ffn_drop(m, st, &drop);

        if (at->half)
            ffn16_backward(&w->ffn16, &rows, &w->d_ffn, at->half, m->half, st->n, w->saved,
                           m->hidden, m->dn);
        else
            ffn_backward(&w->ffn, &rows, &w->d_ffn, at->normed, dy, st->n, w->saved, m->hidden,
                         m->dn);
        net_sum(m, m->dn, st->n);
    }
    norm(m, st, m->dn, at);
}

/* Nothing more comes to the gradients of shared parameters from p on: params.h has them in order.
 */
static void done_from(const struct model *m, const struct param *p)
{
    if (m->run->ready)
        m->run->ready(m->run->ready_to, (size_t)(p->g - m->params->g));
}

/* What block i left, if another has run since. The decoder's last was the last of all. */
static void make_again(const struct model *m, struct stack_net *st, int i)
{
    if (m->keeps == KEEP_STREAM && (st->kind == ENCODER || i < st->n_block - 1))
        net_block(m, st, i, 1);
}

static void run_stack(const struct model *m, struct stack_net *st)
{
    size_t width = (size_t)m->c.d_model;
    const struct place *at = st->last;
    int i;

    memset(st->d, 0, st->n * width * sizeof(float));
    memset(st->d_bias, 0,
           (size_t)m->b->n_row * (size_t)m->c.n_head * attention_span(st->length, st->length) *
               sizeof(float));
    net_drop(m, st, 0, DROP_FINAL, st->d_out);
    norm(m, st, st->d_out, at);
    for (i = st->n_block - 1; i >= 0; i--) {
        make_again(m, st, i);
        net_place(st, i, st->block[i].moe ? "experts, backward" : "feed-forward, backward");
        feed(m, st, i, --at);
        net_place(st, i, "attention, backward");
        if (st->kind == DECODER)
            attend(m, st, i, CROSS, --at);
        attend(m, st, i, SELF, --at);
        if (i > 0)
            done_from(m, st->block[i].norm[SELF]);
    }
    net_drop(m, st, 0, DROP_EMBED, st->d);
    embed_slice_backward(m->embedding->g, net_vocab_first(m), (size_t)m->c.n_vocab, st->d, st->id,
                         st->n, width);
    relpos_backward(&st->relpos, st->d_bias, m->b->n_row, m->c.n_head, (int)st->length,
                    (int)st->length, st->table->g);
    done_from(m, st->kind == ENCODER ? m->embedding : st->block[0].norm[SELF]);
}

void model_backward(struct model *m, const struct batch *b, const struct run *run)
{
    struct stack_net *encoder = &m->stack[ENCODER];

    assert(m->ready && m->b == b);
    m->run = run;
    memset(encoder->d_out, 0, encoder->n * (size_t)m->c.d_model * sizeof(float));
    run_stack(m, &m->stack[DECODER]);
    net_sum(m, encoder->d_out, encoder->n);
    run_stack(m, encoder);
    m->ready = 0;
}
