/* look.c - what the last forward left, by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/net.h"
#include "seq/batch.h"

static const char *const stack_name[] = { "encoder", "decoder" };

void model_keep(struct model *m)
{
    size_t width = (size_t)m->c.d_model;
    int s, i;

    if (m->keep)
        return;
    m->keep = 1;
    for (s = 0; s < 2; s++) {
        struct stack_net *st = &m->stack[s];

        st->hidden = xcalloc((size_t)st->n_block, sizeof(*st->hidden));
        for (i = 0; i < st->n_block; i++)
            st->hidden[i] = xcalloc(st->n_most * width, sizeof(float));
    }
    m->kept_logits = xcalloc(m->stack[DECODER].n_most * (size_t)m->c.n_vocab, sizeof(float));
}

/* [B, L] or, with width, [B, L, width]. */
static void shape(const struct model *m, const struct stack_net *st, int64_t width,
                  struct model_view *v)
{
    v->n_dim = width ? 3 : 2;
    v->dim[0] = m->b->n_row;
    v->dim[1] = (int64_t)st->length;
    v->dim[2] = width;
}

static int look_hidden(const struct model *m, const struct stack_net *st, int k,
                       struct model_view *v)
{
    if (k < 0 || k > st->n_block || (k < st->n_block && !m->keep))
        return 0;
    v->f32 = k < st->n_block ? st->hidden[k] : st->last->normed;
    shape(m, st, m->c.d_model, v);
    return 1;
}

static int look_route(const struct model *m, const struct stack_net *st, int i, const char *what,
                      struct model_view *v)
{
    const struct block *b = i < 0 || i >= st->n_block ? NULL : &st->block[i];
    int mixed = strncmp(what, "attention.", 10) == 0, n_choice;
    const struct moe_layer *l = !b ? NULL : mixed ? b->mix : b->moe;
    const struct route_means *means;
    const struct route *r;

    if (!l)
        return 0;
    what += mixed ? 10 : 0;
    means = mixed ? &b->mix_means : &b->moe_means;
    r = moe_layer_route(l);
    n_choice = moe_layer_choices(l);
    if (!strcmp(what, "aux") || !strcmp(what, "router_z")) {
        v->f32 = *what == 'a' ? &means->aux : &means->router_z;
        v->n_dim = 1;
        v->dim[0] = 1;
        return 1;
    }
    if (!strcmp(what, "router_logits"))
        v->f32 = r->logits;
    else if (!strcmp(what, "router_probs"))
        v->f32 = r->probs;
    else if (!strcmp(what, "gate"))
        v->f32 = r->gate;
    else if (!strcmp(what, "expert_index"))
        v->i32 = r->expert;
    else if (!strcmp(what, "slot"))
        v->i32 = r->slot;
    else if (!strcmp(what, "kept"))
        v->i32 = r->kept;
    else
        return 0;
    shape(m, st, v->f32 && v->f32 != r->gate ? m->c.n_expert : n_choice > 1 ? n_choice : 0, v);
    return 1;
}

int model_look(const struct model *m, const char *name, struct model_view *v)
{
    const struct stack_net *st;
    char what[32];
    int s, k;

    memset(v, 0, sizeof(*v));
    if (!m->b)
        return 0;
    if (!strcmp(name, "logits") && m->keep) {
        v->f32 = m->kept_logits;
        shape(m, &m->stack[DECODER], m->c.n_vocab, v);
        return 1;
    }
    for (s = 0; s < 2; s++) {
        st = &m->stack[s];
        if (strncmp(name, stack_name[s], strlen(stack_name[s])) != 0)
            continue;
        name += strlen(stack_name[s]);
        if (sscanf(name, "_hidden_states.%d", &k) == 1)
            return look_hidden(m, st, k, v);
        if (!strcmp(name, "_output"))
            return look_hidden(m, st, st->n_block, v);
        if (sscanf(name, ".block.%d.%31s", &k, what) == 2)
            return look_route(m, st, k, what, v);
    }
    return 0;
}
