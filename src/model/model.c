/* model.c - see model.h: finds the parameters of each layer and lays out all memory.
 *
 * The layout is written once and walked twice: first with no memory, to count it, then to
 * hand it out. Only the rows that other ranks send (moe/layer.c) are taken later, at the first
 * step, for the most that may come.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "loss/soft.h"
#include "model/net.h"
#include "nn/attention.h"
#include "shape/params.h"
#include "shape/slice.h"

/* Logits made at once: rows at most and at least, and 256 MB. Each chunk reads and writes all of
 * the table's gradient: products of floats are at their best from 256 rows on, of bf16 from 1000.
 */
enum { CHUNK_ROWS = 1024, CHUNK_LEAST = 64, CHUNK_FLOATS = 1 << 26 };

static const char *const stack_name[] = { "encoder", "decoder" };

__attribute__((format(printf, 2, 3))) static const struct param *find(const struct params *p,
                                                                      const char *fmt, ...)
{
    const struct param *found;
    char name[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    found = params_find(p, name);
    if (!found)
        die("no parameter %s", name);
    return found;
}

static void bind_attend(const struct model *m, struct attend *a, const char *at, int layer,
                        const char *kind)
{
    a->q = find(m->params, "%s.layer.%d.%s.q.weight", at, layer, kind);
    a->k = find(m->params, "%s.layer.%d.%s.k.weight", at, layer, kind);
    a->v = find(m->params, "%s.layer.%d.%s.v.weight", at, layer, kind);
    a->o = find(m->params, "%s.layer.%d.%s.o.weight", at, layer, kind);
}

static void bind_ffn(const struct model *m, struct ffn *f, struct ffn16 *f16, struct ffn_grad *g,
                     const char *at)
{
    const struct param *wi = find(m->params, m->c.gated ? "%s.wi_0.weight" : "%s.wi.weight", at);
    const struct param *wi_1 = m->c.gated ? find(m->params, "%s.wi_1.weight", at) : NULL;
    const struct param *wo = find(m->params, "%s.wo.weight", at);

    *f = (struct ffn){ (size_t)m->c.d_model, (size_t)m->c.d_ff, wi->w, wi_1 ? wi_1->w : NULL,
                       wo->w };
    if (f16)
        *f16 = (struct ffn16){ f->d_model, f->d_ff, wi->half, wi_1 ? wi_1->half : NULL, wo->half };
    *g = (struct ffn_grad){ wi->g, wi_1 ? wi_1->g : NULL, wo->g, 0 };
}

/* shared: the number it shares memory by, if layers do. */
static struct moe_layer *bind_moe(struct model *m, const struct stack_net *st, const char *at,
                                  struct moe_net *net, int shared)
{
    struct route_rule rule = { .n_expert = m->c.n_expert, .kind = m->c.router };
    const struct param *router = find(m->params, "%s.router.classifier.weight", at);

    rule.n_choice = m->c.n_choice;
    net->n_expert = m->c.n_expert;
    net->d_model = (size_t)m->c.d_model;
    net->router = router->w;
    net->d_router = router->g;
    m->n_sparse++;
    return moe_layer_new(net, m->comm, m->moe_work, st->n_most, route_choices(&rule),
                         m->keeps == KEEP_ALL ? 0 : shared);
}

static void bind_sparse(struct model *m, const struct stack_net *st, struct block *b,
                        const char *at)
{
    struct moe_net net = { .d_ff = (size_t)m->c.d_ff, .d_out = (size_t)m->c.d_model };
    int i, n_own = m->params->n_expert;
    char where[160];

    b->expert = xcalloc((size_t)n_own, sizeof(*b->expert));
    b->d_expert = xcalloc((size_t)n_own, sizeof(*b->d_expert));
    b->expert16 = m->params->half ? xcalloc((size_t)n_own, sizeof(*b->expert16)) : NULL;
    for (i = 0; i < n_own; i++) {
        snprintf(where, sizeof(where), "%s.experts.expert_%d", at, m->params->first_expert + i);
        bind_ffn(m, &b->expert[i], b->expert16 ? &b->expert16[i] : NULL, &b->d_expert[i], where);
    }
    net.expert = b->expert;
    net.d_expert = b->d_expert;
    net.expert16 = b->expert16;
    b->moe = bind_moe(m, st, at, &net, 1);
}

/* Self-attention whose queries, keys and values experts make. */
static void bind_mixed(struct model *m, const struct stack_net *st, struct block *b, const char *at)
{
    size_t inner = m->heads.inner, n_slice = (size_t)comm_size(m->slices);
    size_t hidden = (size_t)(m->c.d_ff_mixed ? m->c.d_ff_mixed : m->c.d_model / (int)n_slice);
    struct moe_net net = { .d_ff = hidden, .d_out = 2 * inner };
    int i, n_own = m->params->n_expert;
    char where[160];

    b->heads = xcalloc((size_t)n_own, sizeof(*b->heads));
    b->d_heads = xcalloc((size_t)n_own, sizeof(*b->d_heads));
    for (i = 0; i < n_own; i++) {
        const struct param *wi = NULL, *q, *kv;

        snprintf(where, sizeof(where), "%s.experts.expert_%d", at, m->params->first_expert + i);
        if (m->c.d_ff_mixed)
            wi = find(m->params, "%s.wi.weight", where);
        q = find(m->params, "%s.q.weight", where);
        kv = find(m->params, "%s.kv.weight", where);
        b->heads[i] = (struct heads){ .d_model = (size_t)m->c.d_model,
                                      .d_ff = hidden,
                                      .inner = inner,
                                      .wi = wi ? wi->w : NULL,
                                      .q = q->w,
                                      .kv = kv->w,
                                      .first = (size_t)m->slice * hidden };
        b->d_heads[i] = (struct heads_grad){ wi ? wi->g : NULL, q->g, kv->g, 0 };
    }
    net.heads = b->heads;
    net.d_heads = b->d_heads;
    b->mix = bind_moe(m, st, at, &net, 2);
    b->attend[SELF].o = find(m->params, "%s.o.weight", at);
}

static void bind_block(struct model *m, struct stack_net *st, int i)
{
    struct block *b = &st->block[i];
    int last = st->n_sublayer - 1, switch_names = !strcmp(m->c.model_type, "switch_transformers");
    char at[64], where[128];

    snprintf(at, sizeof(at), "%s.block.%d", stack_name[st->kind], i);
    b->norm[SELF] = find(m->params, "%s.layer.0.layer_norm.weight", at);
    snprintf(where, sizeof(where), "%s.layer.0.SelfAttention", at);
    if (m->c.mixed[st->kind][i])
        bind_mixed(m, st, b, where);
    else
        bind_attend(m, &b->attend[SELF], at, 0, "SelfAttention");
    if (st->kind == DECODER) {
        b->norm[CROSS] = find(m->params, "%s.layer.1.layer_norm.weight", at);
        bind_attend(m, &b->attend[CROSS], at, 1, "EncDecAttention");
    }
    b->norm[FEED] = find(m->params, "%s.layer.%d.layer_norm.weight", at, last);
    snprintf(where, sizeof(where), "%s.layer.%d.mlp", at, last);
    if (m->c.sparse[st->kind][i]) {
        bind_sparse(m, st, b, where);
        return;
    }
    snprintf(where, sizeof(where), "%s.layer.%d.%s", at, last,
             switch_names ? "mlp" : "DenseReluDense");
    bind_ffn(m, &b->ffn, &b->ffn16, &b->d_ffn, where);
}

static void bind_stack(struct model *m, enum stack kind, int length)
{
    struct stack_net *st = &m->stack[kind];
    size_t n_sublayer;
    int i;

    st->kind = kind;
    st->n_block = m->c.n_block[kind];
    st->n_sublayer = kind == ENCODER ? 2 : 3;
    st->length_most = (size_t)length;
    st->n_most = (size_t)m->n_row * (size_t)length;
    st->block = xcalloc((size_t)st->n_block, sizeof(*st->block));
    n_sublayer = (size_t)st->n_block * (size_t)st->n_sublayer;
    st->place = xcalloc(n_sublayer + 1, sizeof(*st->place));
    st->last = st->place + n_sublayer;
    st->relpos = (struct relpos){ m->c.n_bucket, m->c.max_distance, kind == ENCODER };
    st->final_norm = find(m->params, "%s.final_layer_norm.weight", stack_name[kind]);
    st->table = find(m->params, "%s.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                     stack_name[kind]);
    for (i = 0; i < st->n_block; i++)
        bind_block(m, st, i);
}

/* n floats of the pool, 64-byte aligned. */
static float *take(struct pool *pool, size_t n)
{
    float *p = pool->p ? pool->p + pool->used : NULL;

    pool->used += (n + 15) / 16 * 16;
    return p;
}

/* n bf16 numbers, if there are bf16 products. */
static uint16_t *take_half(struct model *m, size_t n)
{
    return m->params->half ? (uint16_t *)(void *)take(&m->pool, (n + 1) / 2) : NULL;
}

static struct either take_either(struct model *m, size_t n)
{
    if (m->params->half)
        return (struct either){ .half = take_half(m, n) };
    return (struct either){ .f = take(&m->pool, n) };
}

static void lay_attend(struct model *m, struct attend *a, size_t n_query, size_t n_key)
{
    size_t inner = (size_t)m->c.n_head * (size_t)m->c.d_kv;

    a->query = take_either(m, n_query * inner);
    a->key = take_either(m, n_key * inner);
    /* keys are values where experts make them, but blocks may share arrays */
    a->value = a->v || m->keeps != KEEP_ALL ? take_either(m, n_key * inner) : a->key;
    a->mixed = take_either(m, n_query * inner);
    a->seen = take(&m->pool, n_query * 2 * (size_t)m->c.n_head);
}

/* What block i leaves for the backward pass. */
static void lay_block(struct model *m, struct stack_net *st, int i)
{
    const struct stack_net *e = &m->stack[ENCODER];
    struct block *b = &st->block[i];
    struct attend *first = st->block[0].attend;
    struct ffn shape = { (size_t)m->c.d_model, (size_t)m->c.d_ff, b->ffn.wi, b->ffn.wi_1, NULL };
    int k;

    if (i && m->keeps != KEEP_ALL) {
        for (k = SELF; k <= CROSS; k++) {
            b->attend[k].query = first[k].query;
            b->attend[k].key = first[k].key;
            b->attend[k].value = first[k].value;
            b->attend[k].seen = first[k].seen;
            b->attend[k].mixed = first[k].mixed;
        }
    } else {
        lay_attend(m, &b->attend[SELF], st->n_most, st->n_most);
        if (st->kind == DECODER)
            lay_attend(m, &b->attend[CROSS], st->n_most, e->n_most);
    }
    if (b->moe)
        return;
    for (k = 0; k < i && st->block[k].moe; k++)
        ;    // the first dense block
    if (m->keeps != KEEP_ALL && k < i)
        b->saved = st->block[k].saved;
    else
        b->saved = take(&m->pool, m->params->half ? ffn16_saved(&b->ffn16, st->n_most)
                                                  : ffn_saved(&shape, st->n_most));
}

/* The router of a sparse layer reads floats, and reads them again in the backward pass. */
static int is_sparse_place(const struct model *m, const struct stack_net *st, int k)
{
    int block = k / st->n_sublayer, layer = k % st->n_sublayer;

    return (layer == st->n_sublayer - 1 && m->c.sparse[st->kind][block]) ||
           (layer == SELF && m->c.mixed[st->kind][block]);
}

static void lay_place(struct model *m, struct stack_net *st, int k)
{
    size_t width = (size_t)m->c.d_model, n = st->n_most;
    int n_sublayer = st->n_sublayer, last = k == st->n_block * n_sublayer;
    int like = m->keeps == KEEP_ALL ? k : m->keeps == KEEP_STREAM ? k % n_sublayer : 0;
    int own = last || k == like, stream = own || (m->keeps == KEEP_STREAM && k % n_sublayer == 0);
    struct place *at = &st->place[k], *other = &st->place[like];

    if (m->keeps == KEEP_NOTHING)
        at->x = k < 2 ? take(&m->pool, n * width) : st->place[k - 2].x;
    else
        at->x = stream ? take(&m->pool, n * width) : other->x;
    at->rms = own ? take(&m->pool, n) : other->rms;
    at->floats = !m->params->half || last || is_sparse_place(m, st, k);
    if (own && (at->floats || m->keeps != KEEP_ALL))
        at->normed = take(&m->pool, n * width);
    else
        at->normed = own ? NULL : other->normed;
    at->half = own ? take_half(m, n * width) : other->half;
}

static void lay_stack(struct model *m, struct stack_net *st)
{
    size_t width = (size_t)m->c.d_model, n = st->n_most;
    size_t bias = (size_t)m->c.n_head * attention_span(st->length_most, st->length_most);
    int k;

    st->bias = take(&m->pool, bias);
    for (k = 0; k <= st->n_block * st->n_sublayer; k++)
        lay_place(m, st, k);
    for (k = 0; k < st->n_block; k++)
        lay_block(m, st, k);
    if (m->keeps == KEEP_NOTHING)
        return;
    st->d_bias = take(&m->pool, (size_t)m->n_row * bias);
    st->d = take(&m->pool, n * width);
    st->d_out = take(&m->pool, n * width);
}

/* Rows of logits made at once: all where they are few, else equal chunks. */
static size_t chunk_rows(size_t n, size_t v)
{
    size_t most = CHUNK_FLOATS / v < CHUNK_ROWS ? CHUNK_FLOATS / v : CHUNK_ROWS, n_chunk;

    if (most < CHUNK_LEAST)
        most = CHUNK_LEAST;
    n_chunk = (n + most - 1) / most;

    return n_chunk ? (n + n_chunk - 1) / n_chunk : 1;
}

static void lay_out(struct model *m)
{
    const struct stack_net *e = &m->stack[ENCODER], *d = &m->stack[DECODER];
    size_t n = e->n_most > d->n_most ? e->n_most : d->n_most, width = (size_t)m->c.d_model;
    size_t inner = (size_t)m->c.n_head * (size_t)m->c.d_kv;

    m->pool.used = 0;
    m->room = m->params->half ? take(&m->pool, n * inner) : NULL;
    lay_stack(m, &m->stack[ENCODER]);
    lay_stack(m, &m->stack[DECODER]);
    m->chunk = chunk_rows(d->n_most, (size_t)m->c.n_vocab);
    m->logits = take(&m->pool, m->chunk * (size_t)m->c.n_vocab);
    m->scaled = take(&m->pool, m->chunk * width);
    m->half = take_half(m, n * width);
    if (config_is_mixed(&m->c))
        m->both = take(&m->pool, n * 2 * m->heads.inner);
    if (m->keeps != KEEP_NOTHING || m->params->half)
        m->hidden = take(&m->pool, n * (size_t)m->c.d_ff * (m->c.gated ? 2u : 1u));
    if (m->keeps == KEEP_NOTHING)
        return;
    m->dy = take(&m->pool, n * width);
    m->dn = take(&m->pool, n * width);
    m->d_query = take_either(m, n * inner);
    m->d_key = take_either(m, n * inner);
    m->d_value = take_either(m, n * inner);
    m->d_mixed = take_either(m, n * inner);
}

struct model *model_new(const struct config *c, struct params *p, struct comm *comm, int n_row,
                        int n_input, int n_target, enum keep keeps)
{
    struct model *m = xcalloc(1, sizeof(*m));
    size_t n_most;

    m->c = *c;
    m->params = p;
    m->comm = comm;
    m->slices = comm_axis(comm, AXIS_MODEL);
    m->slice = comm_rank(m->slices);
    slice_config(&m->c, comm_size(m->slices));
    m->heads.here = (size_t)m->c.n_head * (size_t)m->c.d_kv;
    m->heads.first = (size_t)m->slice * m->heads.here;
    m->heads.inner = (size_t)comm_size(m->slices) * m->heads.here;
    m->n_row = n_row;
    m->keeps = keeps;
    m->moe_work = moe_work_new();
    m->embedding = find(p, "shared.weight");
    m->head = c->tied ? m->embedding : find(p, "lm_head.weight");
    bind_stack(m, ENCODER, n_input);
    bind_stack(m, DECODER, n_target);
    n_most = (size_t)n_row * (size_t)(n_input > n_target ? n_input : n_target);
    m->ce = xcalloc(n_most, sizeof(*m->ce));
    m->log_z = xcalloc(n_most, sizeof(*m->log_z));
    m->soft_ce = xcalloc(n_most, sizeof(*m->soft_ce));
    m->soft_log_z = xcalloc(n_most, sizeof(*m->soft_log_z));
    m->ones = xcalloc(n_most, sizeof(*m->ones));
    m->seen = xcalloc(n_most, sizeof(*m->seen));
    lay_out(m);
    m->top = xcalloc(SOFT_TOPS * m->chunk, sizeof(*m->top));
    m->sums = xcalloc((SOFT_SUMS + 1) * m->chunk, sizeof(*m->sums));
    m->pool_size = m->pool.used;
    m->pool.p = mem_map(m->pool_size * sizeof(float));
    lay_out(m);
    assert(m->pool.used == m->pool_size);
    return m;
}

size_t model_bytes(const struct model *m)
{
    size_t bytes = m->pool_size * sizeof(float) + moe_work_bytes(m->moe_work);
    int s, i;

    for (s = 0; s < 2; s++)
        for (i = 0; i < m->stack[s].n_block; i++) {
            const struct block *b = &m->stack[s].block[i];

            bytes += b->moe ? moe_layer_bytes(b->moe) : 0;
            bytes += b->mix ? moe_layer_bytes(b->mix) : 0;
        }
    return bytes;
}

static void stack_free(struct stack_net *st)
{
    int i;

    for (i = 0; i < st->n_block; i++) {
        moe_layer_free(st->block[i].moe);
        moe_layer_free(st->block[i].mix);
        free(st->block[i].expert);
        free(st->block[i].d_expert);
        free(st->block[i].heads);
        free(st->block[i].d_heads);
        free(st->block[i].expert16);
        if (st->hidden)
            free(st->hidden[i]);
    }
    free(st->hidden);
    free(st->block);
    free(st->place);
}

void model_free(struct model *m)
{
    if (!m)
        return;
    stack_free(&m->stack[ENCODER]);
    stack_free(&m->stack[DECODER]);
    moe_work_free(m->moe_work);
    free(m->kept_logits);
    free(m->ce);
    free(m->log_z);
    free(m->soft_ce);
    free(m->soft_log_z);
    free(m->top);
    free(m->sums);
    free(m->ones);
    free(m->seen);
    mem_unmap(m->pool.p, m->pool_size * sizeof(float));
    free(m);
}
