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

static void attend(const struct model *m, const struct stack_net *st, int block, enum sublayer kind,
                   const struct place *at)
{
    const struct stack_net *from = kind == SELF ? st : &m->stack[ENCODER];
    const struct attend *w = &st->block[block].attend[kind];
    size_t width = (size_t)m->c.d_model, inner = (size_t)m->c.n_head * (size_t)m->c.d_kv;
    const struct place *source = kind == SELF ? at : from->last;
    struct rows in = { at->normed, at->half, width }, key = { source->normed, source->half, width };
    struct rows d = net_rows_there(m, residual(m, st, block, kind), width);
    float *d_source = kind == SELF ? m->dn : from->d_out;
    int how;

    net_product_back_to(m, m->d_mixed, w->o, d, net_rows_of(w->mixed, inner), st->n, inner, width);
    net_meet_back(m, st, block, kind);
    if (kind == SELF && st->block[block].mix) {
        net_mix_back(m, st, block, at->normed);
        norm(m, st, m->dn, at);
        return;
    }
    how = net_fresh(m);
    net_product_back(m->dn, how, w->q, net_rows_of(m->d_query, inner), in, st->n, width, inner);
    how |= LINEAR_ADD;
    net_product_back(d_source, how, w->k, net_rows_of(m->d_key, inner), key, from->n, width, inner);
    net_product_back(d_source, how, w->v, net_rows_of(m->d_value, inner), key, from->n, width,
                     inner);
    net_sum(m, m->dn, st->n);
    norm(m, st, m->dn, at);
}

static void feed(const struct model *m, const struct stack_net *st, int block,
                 const struct place *at)
{
    const struct block *w = &st->block[block];
    const float *dy = residual(m, st, block, FEED);
    struct ffn_grad g = w->d_ffn;

    if (w->moe) {
        struct moe_call call = net_moe_call(m, st, block, FEED);

        moe_layer_backward(w->moe, &call, at->normed, dy, m->dn);
    } else {
        struct dropout drop = net_dropout(m, st->kind, block, DROP_HIDDEN);
        struct ffn_drop rows = net_ffn_drop(m, st, &drop);

        g.fresh = m->run->fresh;
        if (at->half)
            ffn16_backward(&w->ffn16, &rows, &g, at->half, m->half, st->n, w->saved, m->hidden,
                           m->dn);
        else
            ffn_backward(&w->ffn, &rows, &g, at->normed, dy, st->n, w->saved, m->hidden, m->dn);
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
