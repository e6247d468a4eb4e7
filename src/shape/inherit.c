/* inherit.c - see inherit.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "shape/config.h"
#include "shape/inherit.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "tensors/tensors.h"

struct config config_dense(const struct config *c)
{
    struct config to = *c;

    if (strcmp(to.model_type, "switch_transformers") == 0)
        strcpy(to.model_type, "t5");
    memset(to.sparse, 0, sizeof(to.sparse));
    memset(to.mixed, 0, sizeof(to.mixed));
    to.n_expert = to.expert_capacity = to.d_ff_mixed = 0;
    to.router = ROUTE_TOP1;
    to.router_bf16 = to.n_choice = 0;
    to.router_z = to.jitter = 0;
    return to;
}

/* How the two families call a dense feed-forward net. */
static const char *const dense_name[] = { ".DenseReluDense.", ".mlp." };

static const char *find_dense(const char *name, size_t *n)
{
    const char *at = NULL;
    int i;

    for (i = 0; i < 2 && !at; i++) {
        at = strstr(name, dense_name[i]);
        *n = strlen(dense_name[i]);
    }
    return at;
}

/* Is the layer that the parameter is in sparse in c? */
static int in_sparse(const char *name, const struct config *c)
{
    int stack = strncmp(name, "decoder.", 8) == 0 ? DECODER : ENCODER, block;
    const char *at = strstr(name, ".block.");

    block = at ? atoi(at + strlen(".block.")) : 0;
    if (!at || block >= c->n_block[stack])
        return 0;
    return strstr(name, ".SelfAttention.") ? c->mixed[stack][block] : c->sparse[stack][block];
}

/* The tensor that has p's role; NULL: *missing says whether there ought to be one. */
static const struct tensor *same_role(const struct param *p, const struct tensors *from,
                                      const struct config *of, int *missing)
{
    const struct tensor *x = NULL;
    const char *at, *other;
    char *name;
    size_t n;
    int i;

    *missing = 0;
    if (p->expert >= 0 || strstr(p->name, ".router."))
        return NULL;
    at = find_dense(p->name, &n);
    if (at && in_sparse(p->name, of))
        return NULL;
    if (!at)
        x = params_source(p, of, from);
    for (i = 0; at && i < 2 && !x; i++) {
        other = dense_name[i];
        name = xasprintf("%.*s%s%s", (int)(at - p->name), p->name, other, at + n);
        x = tensors_find(from, name);
        free(name);
    }
    *missing = !x && !(strstr(p->name, ".SelfAttention.") && in_sparse(p->name, of));
    return x;
}

int params_inherit(struct params *p, const struct tensors *from, const char *path, struct err *err)
{
    struct config of;
    struct err why;
    size_t i;

    if (config_read(&of, path, err) < 0)
        return -1;
    for (i = 0; i < p->n; i++) {
        struct param *to = &p->p[i];
        int missing;
        const struct tensor *x = same_role(to, from, &of, &missing);

        if (missing)
            return err_set(err, "%s: %s: missing, so not to be inherited", tensors_path(from, NULL),
                           to->name);
        if (x && !params_fits(to, x))
            return err_set(err, "%s: %s: of another shape, so not to be inherited",
                           tensors_path(from, x), to->name);
        if (x && slice_copy(to, x, to->w, &why) < 0)
            return err_set(err, "%s: %s", tensors_path(from, x), why.msg);
    }
    params_halve(p);
    return 0;
}
