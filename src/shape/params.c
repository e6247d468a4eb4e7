/* params.c - see params.h.
 *
 * The table is written once, as a walk over the network that hands each tensor to a visitor;
 * counting, laying out and naming are visitors.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "kernel/kernel.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "tensors/tensors.h"

#define ALIGN 16    // floats: 64 bytes

enum { HALVED = 1 << 16 };    // floats a thread takes at a time

static const char *const stack_name[] = { "encoder", "decoder" };

/* Along which dimension ranks divide a tensor. */
enum cut { UNCUT = -1, BY_ROWS, BY_COLS };

struct visitor {
    void (*see)(void *to, const char *name, enum param_role role, enum cut cut, int expert,
                int64_t rows, int64_t cols);    // cols 0: a vector
    void *to;
};

__attribute__((format(printf, 7, 8))) static void see(const struct visitor *v, enum param_role role,
                                                      enum cut cut, int expert, int64_t rows,
                                                      int64_t cols, const char *fmt, ...)
{
    char name[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    v->see(v->to, name, role, cut, expert, rows, cols);
}

/* wi or wi_0, wi_1; wo. where ends before ".wi". */
static void walk_ffn(const struct config *c, const struct visitor *v, int expert, const char *where)
{
    if (c->gated) {
        see(v, PARAM_MATRIX, BY_ROWS, expert, c->d_ff, c->d_model, "%s.wi_0.weight", where);
        see(v, PARAM_MATRIX, BY_ROWS, expert, c->d_ff, c->d_model, "%s.wi_1.weight", where);
    } else {
        see(v, PARAM_MATRIX, BY_ROWS, expert, c->d_ff, c->d_model, "%s.wi.weight", where);
    }
    see(v, PARAM_MATRIX, BY_COLS, expert, c->d_model, c->d_ff, "%s.wo.weight", where);
}

/* q, k and v of attention. */
static void walk_inputs(const struct config *c, const struct visitor *v, const char *where)
{
    int64_t inner = (int64_t)c->n_head * c->d_kv;

    see(v, PARAM_QUERY, BY_ROWS, -1, inner, c->d_model, "%s.q.weight", where);
    see(v, PARAM_ATTENTION, BY_ROWS, -1, inner, c->d_model, "%s.k.weight", where);
    see(v, PARAM_ATTENTION, BY_ROWS, -1, inner, c->d_model, "%s.v.weight", where);
}

static void walk_output(const struct config *c, const struct visitor *v, const char *where,
                        int has_bias)
{
    see(v, PARAM_ATTENTION, BY_COLS, -1, c->d_model, (int64_t)c->n_head * c->d_kv, "%s.o.weight",
        where);
    if (has_bias)
        see(v, PARAM_RELPOS, BY_COLS, -1, c->n_bucket, c->n_head,
            "%s.relative_attention_bias.weight", where);
}

/* The number of the feed-forward sublayer of a block. */
static int ffn_layer(int stack)
{
    return stack == ENCODER ? 1 : 2;
}

static void walk_block(const struct config *c, const struct visitor *v, int stack, int block)
{
    char at[64], where[128];
    int layer, last = ffn_layer(stack);

    snprintf(at, sizeof(at), "%s.block.%d.layer", stack_name[stack], block);
    for (layer = 0; layer <= last; layer++)
        see(v, PARAM_NORM, UNCUT, -1, c->d_model, 0, "%s.%d.layer_norm.weight", at, layer);
    snprintf(where, sizeof(where), "%s.0.SelfAttention", at);
    if (c->mixed[stack][block])
        see(v, PARAM_ROUTER, UNCUT, -1, c->n_expert, c->d_model, "%s.router.classifier.weight",
            where);
    else
        walk_inputs(c, v, where);
    walk_output(c, v, where, block == 0);
    if (stack == DECODER) {
        snprintf(where, sizeof(where), "%s.1.EncDecAttention", at);
        walk_inputs(c, v, where);
        walk_output(c, v, where, 0);
    }
    if (c->sparse[stack][block]) {
        see(v, PARAM_ROUTER, UNCUT, -1, c->n_expert, c->d_model,
            "%s.%d.mlp.router.classifier.weight", at, last);
        return;
    }
    snprintf(where, sizeof(where), "%s.%d.%s", at, last,
             strcmp(c->model_type, "switch_transformers") == 0 ? "mlp" : "DenseReluDense");
    walk_ffn(c, v, -1, where);
}

/* From the last back: the order in which a backward pass is done with them. */
static void walk_shared(const struct config *c, const struct visitor *v)
{
    int stack, block;

    see(v, PARAM_EMBEDDING, BY_ROWS, -1, c->n_vocab, c->d_model, "shared.weight");
    for (stack = 0; stack < 2; stack++) {
        for (block = 0; block < c->n_block[stack]; block++)
            walk_block(c, v, stack, block);
        see(v, PARAM_NORM, UNCUT, -1, c->d_model, 0, "%s.final_layer_norm.weight",
            stack_name[stack]);
    }
    if (!c->tied)
        see(v, PARAM_MATRIX, BY_ROWS, -1, c->n_vocab, c->d_model, "lm_head.weight");
}

/* An expert of self-attention: wi, unless it is linear; q and kv. */
static void walk_heads(const struct config *c, const struct visitor *v, int expert,
                       const char *where)
{
    int64_t inner = (int64_t)c->n_head * c->d_kv, hidden = config_mixed_width(c);

    if (c->d_ff_mixed)
        see(v, PARAM_MATRIX, BY_ROWS, expert, hidden, c->d_model, "%s.wi.weight", where);
    see(v, PARAM_MATRIX, BY_COLS, expert, inner, hidden, "%s.q.weight", where);
    see(v, PARAM_MATRIX, BY_COLS, expert, inner, hidden, "%s.kv.weight", where);
}

static void walk_expert(const struct config *c, const struct visitor *v, int expert)
{
    char where[128];
    int stack, block;

    for (stack = 0; stack < 2; stack++)
        for (block = 0; block < c->n_block[stack]; block++) {
            if (c->mixed[stack][block]) {
                snprintf(where, sizeof(where),
                         "%s.block.%d.layer.0.SelfAttention.experts.expert_%d", stack_name[stack],
                         block, expert);
                walk_heads(c, v, expert, where);
            }
            if (c->sparse[stack][block]) {
                snprintf(where, sizeof(where), "%s.block.%d.layer.%d.mlp.experts.expert_%d",
                         stack_name[stack], block, ffn_layer(stack), expert);
                walk_ffn(c, v, expert, where);
            }
        }
}

struct laying {
    struct params *t;
    const struct params_part *part;
};

static void add(void *to, const char *name, enum param_role role, enum cut cut, int expert,
                int64_t rows, int64_t cols)
{
    const struct laying *l = to;
    struct params *t = l->t;
    struct param *p;

    if (t->n % 64 == 0)
        t->p = xreallocarray(t->p, t->n + 64, sizeof(*t->p));
    p = &t->p[t->n++];
    *p = (struct param){ .name = xstrdup(name), .role = role, .expert = expert };
    p->n_dim = cols ? 2 : 1;
    p->dim[0] = rows;
    p->dim[1] = cols;
    if (cut != UNCUT && l->part->n_slice > 1) {
        p->axis = cut;
        p->slice = l->part->slice;
        p->n_slice = l->part->n_slice;
        p->dim[cut] /= p->n_slice;
    }
    p->n = (size_t)p->dim[0] * (size_t)(cols ? p->dim[1] : 1);
    t->size += (p->n + ALIGN - 1) / ALIGN * ALIGN;
}

static int name_order(const void *a, const void *b)
{
    return strcmp((*(struct param *const *)a)->name, (*(struct param *const *)b)->name);
}

struct params *params_table_part(const struct config *c, const struct params_part *part)
{
    struct params *t = xcalloc(1, sizeof(*t));
    struct laying l = { t, part };
    struct visitor v = { add, &l };
    size_t i;
    int e;

    t->first_expert = part->first_expert;
    t->n_expert = part->n_expert;
    walk_shared(c, &v);
    t->n_shared = t->n;
    t->size_shared = t->size;
    for (e = 0; e < part->n_expert; e++)
        walk_expert(c, &v, part->first_expert + e);
    t->by_name = xmalloc(t->n * sizeof(struct param *));
    for (i = 0; i < t->n; i++)
        t->by_name[i] = &t->p[i];
    qsort(t->by_name, t->n, sizeof(struct param *), name_order);
    return t;
}

struct params *params_table(const struct config *c, int first_expert, int n_expert)
{
    return params_table_part(c, &(struct params_part){ first_expert, n_expert, 0, 1 });
}

struct params *params_new_part(const struct config *c, const struct params_part *part,
                               int with_grad)
{
    struct params *t = params_table_part(c, part);
    size_t i, at = 0;

    t->w = mem_map(t->size * sizeof(float));
    t->g = with_grad ? mem_map(t->size * sizeof(float)) : NULL;
    for (i = 0; i < t->n; i++) {
        t->p[i].w = t->w + at;
        t->p[i].g = t->g ? t->g + at : NULL;
        at += (t->p[i].n + ALIGN - 1) / ALIGN * ALIGN;
    }
    return t;
}

struct params *params_new(const struct config *c, int first_expert, int n_expert, int with_grad)
{
    return params_new_part(c, &(struct params_part){ first_expert, n_expert, 0, 1 }, with_grad);
}

void params_add_half(struct params *t)
{
    size_t i;

    t->half = mem_map(t->size * sizeof(*t->half));
    for (i = 0; i < t->n; i++)
        t->p[i].half = t->half + (t->p[i].w - t->w);
    params_halve(t);
}

void params_halve(struct params *t)
{
    size_t i;

#pragma omp parallel for schedule(static)
    for (i = 0; i < (t->half ? t->size : 0); i += HALVED)
        kern.half(t->half + i, t->w + i, t->size - i < HALVED ? t->size - i : HALVED);
}

struct param *params_find(const struct params *t, const char *name)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = strcmp(name, t->by_name[mid]->name);

        if (d == 0)
            return t->by_name[mid];
        if (d < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static void count(void *to, const char *name, enum param_role role, enum cut cut, int expert,
                  int64_t rows, int64_t cols)
{
    (void)name, (void)role, (void)cut, (void)expert;
    *(uint64_t *)to += (uint64_t)rows * (uint64_t)(cols ? cols : 1);
}

uint64_t params_count_shared(const struct config *c)
{
    uint64_t n = 0;

    walk_shared(c, &(struct visitor){ count, &n });
    return n;
}

uint64_t params_count_expert(const struct config *c)
{
    uint64_t n = 0;

    if (c->n_expert)
        walk_expert(c, &(struct visitor){ count, &n }, 0);
    return n;
}

uint64_t params_count(const struct config *c)
{
    return params_count_shared(c) + (uint64_t)c->n_expert * params_count_expert(c);
}

struct match {
    const char *name;
    int found;
};

static void match(void *to, const char *name, enum param_role role, enum cut cut, int expert,
                  int64_t rows, int64_t cols)
{
    struct match *m = to;

    (void)role, (void)cut, (void)expert, (void)rows, (void)cols;
    m->found |= strcmp(m->name, name) == 0;
}

int params_is_expert(const struct config *c, const char *name)
{
    const char *at = strstr(name, ".experts.expert_");
    struct match m = { .name = name };
    char *end;
    long expert;

    if (!at)
        return 0;
    expert = strtol(at + strlen(".experts.expert_"), &end, 10);
    if (expert < 0 || expert >= c->n_expert)
        return 0;
    walk_expert(c, &(struct visitor){ match, &m }, (int)expert);
    return m.found;
}

/* Names that repeat what shared.weight says, or say nothing. */
int params_is_alias(const struct config *c, const char *name)
{
    return strcmp(name, "encoder.embed_tokens.weight") == 0 ||
           strcmp(name, "decoder.embed_tokens.weight") == 0 ||
           strcmp(name, "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight") ==
               0 ||
           (c->tied && strcmp(name, "lm_head.weight") == 0);
}

/* The tensor that fills p: its own name, or for the embedding one of its aliases. */
const struct tensor *params_source(const struct param *p, const struct config *c,
                                   const struct tensors *t)
{
    const struct tensor *x = tensors_find(t, p->name);

    if (x || p->role != PARAM_EMBEDDING)
        return x;
    if ((x = tensors_find(t, "encoder.embed_tokens.weight")) != NULL ||
        (x = tensors_find(t, "decoder.embed_tokens.weight")) != NULL)
        return x;
    return c->tied ? tensors_find(t, "lm_head.weight") : NULL;
}

/* Of a file p's numbers, of err a message with its path before it. */
static int copy(const struct param *p, const struct tensors *from, const struct tensor *x,
                float *to, struct err *err)
{
    struct err why;

    if (slice_copy(p, x, to, &why) < 0)
        return err_set(err, "%s: %s", tensors_path(from, x), why.msg);
    return 0;
}

int params_fits(const struct param *p, const struct tensor *x)
{
    int i, same = x->n_dim == p->n_dim;

    for (i = 0; same && i < p->n_dim; i++)
        same = x->dim[i] == slice_dim(p, i);
    return same;
}

static int load_one(struct param *p, const struct tensors *from, const struct tensor *x,
                    struct err *err)
{
    if (!params_fits(p, x))
        return err_set(err, "%s: %s: another shape than the config says (%lld x %lld)",
                       tensors_path(from, x), p->name, (long long)slice_dim(p, 0),
                       (long long)(p->n_dim > 1 ? slice_dim(p, 1) : 1));
    return copy(p, from, x, p->w, err);
}

/* A tied model's lm_head, where a file has it, must be the embedding. */
static int check_tied(const struct params *t, const struct config *c, const struct tensors *from,
                      struct err *err)
{
    const struct tensor *head = c->tied ? tensors_find(from, "lm_head.weight") : NULL;
    const struct param *table = &t->p[0];
    float *w;
    int rc;

    if (!head)
        return 0;
    w = xmalloc(table->n * sizeof(*w));
    rc = copy(table, from, head, w, err);
    if (rc == 0 && memcmp(w, table->w, table->n * sizeof(*w)) != 0)
        rc = err_set(err, "%s: lm_head.weight differs from the embedding in a tied model",
                     tensors_path(from, head));
    free(w);
    return rc;
}

int params_load(struct params *p, const struct config *c, const struct tensors *from,
                struct err *err)
{
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct tensor *x = params_source(&p->p[i], c, from);

        if (!x)
            return err_set(err, "%s: %s: missing", tensors_path(from, NULL), p->p[i].name);
        if (load_one(&p->p[i], from, x, err) < 0)
            return -1;
    }
    for (i = 0; i < tensors_n(from); i++) {
        const struct tensor *x = tensors_at(from, i);
        const char *name = x->name;

        if (!params_find(p, name) && !params_is_alias(c, name) && !params_is_expert(c, name))
            return err_set(err, "%s: %s: not a tensor of this model", tensors_path(from, x), name);
    }
    params_halve(p);
    return check_tied(p, c, from, err);
}

void params_free(struct params *t)
{
    size_t i;

    if (!t)
        return;
    for (i = 0; i < t->n; i++)
        free(t->p[i].name);
    mem_unmap(t->w, t->size * sizeof(float));
    mem_unmap(t->g, t->g ? t->size * sizeof(float) : 0);
    mem_unmap(t->half, t->half ? t->size * sizeof(*t->half) : 0);
    free(t->by_name);
    free(t->p);
    free(t);
}
