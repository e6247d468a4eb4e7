/* weights.c - see weights.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "generate/weights.h"
#include "shape/params.h"
#include "tensors/tensors.h"

static const char *const stack_name[] = { "encoder", "decoder" };

/* All names are of the table, so each is there. */
__attribute__((format(printf, 2, 3))) static struct matrix find(const struct weights *w,
                                                                const char *fmt, ...)
{
    const struct param *p;
    char name[192];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    p = params_find(w->table, name);
    if (!p)
        die("no parameter %s", name);
    return w->tensor[p - w->table->p];
}

/* Of one that take() has made plain. */
static const float *floats(struct matrix m)
{
    return m.data;
}

static struct weights_ffn bind_ffn(const struct weights *w, const char *at)
{
    struct weights_ffn f = { .d_model = (size_t)w->c.d_model, .d_ff = (size_t)w->c.d_ff };

    f.wi = w->c.gated ? find(w, "%s.wi_0.weight", at) : find(w, "%s.wi.weight", at);
    if (w->c.gated)
        f.wi_1 = find(w, "%s.wi_1.weight", at);
    f.wo = find(w, "%s.wo.weight", at);
    return f;
}

static struct weights_attend bind_attend(const struct weights *w, const char *at, int layer,
                                         const char *kind)
{
    return (struct weights_attend){ find(w, "%s.layer.%d.%s.q.weight", at, layer, kind),
                                    find(w, "%s.layer.%d.%s.k.weight", at, layer, kind),
                                    find(w, "%s.layer.%d.%s.v.weight", at, layer, kind),
                                    find(w, "%s.layer.%d.%s.o.weight", at, layer, kind) };
}

/* Self-attention by experts. */
static void bind_mixed(const struct weights *w, struct weights_block *b, const char *at)
{
    char where[128];
    int k;

    b->self.o = find(w, "%s.layer.0.SelfAttention.o.weight", at);
    b->mix_router = floats(find(w, "%s.layer.0.SelfAttention.router.classifier.weight", at));
    b->heads = xcalloc((size_t)w->c.n_expert, sizeof(*b->heads));
    for (k = 0; k < w->c.n_expert; k++) {
        struct weights_heads *h = &b->heads[k];

        snprintf(where, sizeof(where), "%s.layer.0.SelfAttention.experts.expert_%d", at, k);
        h->d_model = (size_t)w->c.d_model;
        h->d_ff = (size_t)config_mixed_width(&w->c);
        h->inner = (size_t)w->c.n_head * (size_t)w->c.d_kv;
        if (w->c.d_ff_mixed)
            h->wi = find(w, "%s.wi.weight", where);
        h->q = find(w, "%s.q.weight", where);
        h->kv = find(w, "%s.kv.weight", where);
    }
}

static void bind_block(struct weights *w, enum stack s, int i)
{
    struct weights_block *b = &w->stack[s].block[i];
    int last = s == ENCODER ? 1 : 2, k, named_mlp = !strcmp(w->c.model_type, "switch_transformers");
    char at[64], where[128];

    snprintf(at, sizeof(at), "%s.block.%d", stack_name[s], i);
    for (k = 0; k <= last; k++)
        b->norm[k] = floats(find(w, "%s.layer.%d.layer_norm.weight", at, k));
    if (w->c.mixed[s][i])
        bind_mixed(w, b, at);
    else
        b->self = bind_attend(w, at, 0, "SelfAttention");
    if (s == DECODER)
        b->cross = bind_attend(w, at, 1, "EncDecAttention");
    if (!w->c.sparse[s][i]) {
        snprintf(where, sizeof(where), "%s.layer.%d.%s", at, last,
                 named_mlp ? "mlp" : "DenseReluDense");
        b->ffn = bind_ffn(w, where);
        return;
    }
    b->router = floats(find(w, "%s.layer.%d.mlp.router.classifier.weight", at, last));
    b->expert = xcalloc((size_t)w->c.n_expert, sizeof(*b->expert));
    for (k = 0; k < w->c.n_expert; k++) {
        snprintf(where, sizeof(where), "%s.layer.%d.mlp.experts.expert_%d", at, last, k);
        b->expert[k] = bind_ffn(w, where);
    }
}

static void bind(struct weights *w)
{
    int s, i;

    w->embedding = find(w, "shared.weight");
    w->head = w->c.tied ? w->embedding : find(w, "lm_head.weight");
    for (s = 0; s < 2; s++) {
        struct weights_stack *st = &w->stack[s];

        st->n_block = w->c.n_block[s];
        st->block = xcalloc((size_t)st->n_block, sizeof(*st->block));
        st->final_norm = floats(find(w, "%s.final_layer_norm.weight", stack_name[s]));
        st->relpos = floats(find(
            w, "%s.block.0.layer.0.SelfAttention.relative_attention_bias.weight", stack_name[s]));
        for (i = 0; i < st->n_block; i++)
            bind_block(w, (enum stack)s, i);
    }
}

/* Is it read as it is, not by the rows of products? */
static int is_small(const struct param *p)
{
    return p->role == PARAM_NORM || p->role == PARAM_RELPOS || p->role == PARAM_ROUTER;
}

/* Tensor i where it lies in the file, or widened. */
static int take(struct weights *w, size_t i, struct err *err)
{
    const struct param *p = &w->table->p[i];
    const struct tensor *x = params_source(p, &w->c, w->file);

    if (!x)
        return err_set(err, "%s: %s: missing", tensors_path(w->file, NULL), p->name);
    if (!params_fits(p, x))
        return err_set(err, "%s: %s: not of the shape that config.json says",
                       tensors_path(w->file, x), x->name);
    w->tensor[i] = (struct matrix){ x->data, x->type };
    if (matrix_is_plain(&w->tensor[i]) || (matrix_takes(x->type) && !is_small(p)))
        return 0;
    w->widened[i] = xreallocarray(NULL, p->n, sizeof(float));
    w->tensor[i] = (struct matrix){ w->widened[i], TENSOR_F32 };
    return tensor_copy_f32(x, w->widened[i], p->n, err);
}

static int take_all(struct weights *w, struct err *err)
{
    size_t i;

    w->tensor = xcalloc(w->table->n, sizeof(*w->tensor));
    w->widened = xcalloc(w->table->n, sizeof(*w->widened));
    for (i = 0; i < w->table->n; i++)
        if (take(w, i, err) < 0)
            return -1;
    for (i = 0; i < tensors_n(w->file); i++) {
        const struct tensor *x = tensors_at(w->file, i);

        if (!params_find(w->table, x->name) && !params_is_alias(&w->c, x->name))
            return err_set(err, "%s: %s: not a tensor of this model", tensors_path(w->file, x),
                           x->name);
    }
    return 0;
}

struct weights *weights_open(const char *path, struct err *err)
{
    struct weights *w = xcalloc(1, sizeof(*w));

    if (config_read(&w->c, path, err) < 0)
        goto fail;
    w->table = params_table(&w->c, 0, w->c.n_expert);
    w->file = tensors_open(path, err);
    if (!w->file || take_all(w, err) < 0)
        goto fail;
    bind(w);
    return w;

fail:
    weights_close(w);
    return NULL;
}

void weights_close(struct weights *w)
{
    size_t i;
    int s, k;

    if (!w)
        return;
    for (s = 0; s < 2; s++) {
        for (k = 0; w->stack[s].block && k < w->stack[s].n_block; k++) {
            free(w->stack[s].block[k].expert);
            free(w->stack[s].block[k].heads);
        }
        free(w->stack[s].block);
    }
    for (i = 0; w->widened && i < w->table->n; i++)
        free(w->widened[i]);
    free(w->widened);
    free(w->tensor);
    params_free(w->table);
    tensors_close(w->file);
    free(w);
}
