/* state.c - see state.h. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/folder.h"
#include "checkpoint/pieces.h"
#include "checkpoint/sums.h"
#include "comm/comm.h"
#include "io/out.h"
#include "optim/adafactor.h"
#include "optim/spread.h"
#include "shape/params.h"
#include "shape/slice.h"
#include "tensors/tensors.h"
#include "train/facts.h"
#include "train/loop.h"
#include "train/state.h"

/* All ranks fail when one does. */
static int agree(struct comm *comm, int rc)
{
    int64_t bad = -rc;

    comm_max_i64(comm, &bad, 1);
    return (int)-bad;
}

/* The arrays of the optimizer for tensor i, 1 or 2, as tensors; their names are the caller's, and
 * only its owner has their w. */
static size_t slot_list(const struct trainer *t, size_t i, struct param *v)
{
    const struct param *p = &t->params->p[i];
    const struct adafactor_slot *s = &t->optimizer->slot[i];
    int k;

    v[0] = v[1] = *p;
    if (!adafactor_is_factored(&t->optimizer->rule, p)) {
        v[0].name = xasprintf("%s.v", p->name);
        v[0].w = s->v;
        return 1;
    }
    for (k = 0; k < 2; k++) {
        v[k].name = xasprintf("%s.%s", p->name, k ? "v_col" : "v_row");
        v[k].w = k ? s->col : s->row;
        v[k].n_dim = 1;
        v[k].dim[0] = p->dim[k];
        v[k].dim[1] = 0;
        v[k].n = (size_t)p->dim[k];
        if (slice_is_part(p) && p->axis != k)
            v[k].n_slice = 0;
        v[k].axis = 0;
    }
    return 2;
}

/* File names of the shared part (expert -1) or of an expert. */
static char *file_name(const char *dir, const char *kind, int expert)
{
    if (expert < 0)
        return xasprintf("%s/%s-shared.safetensors", dir,
                         strcmp(kind, "optimizer") == 0 ? kind : "model");
    return strcmp(kind, "optimizer") == 0
               ? xasprintf("%s/optimizer-expert-%05d.safetensors", dir, expert)
               : xasprintf("%s/expert-%05d.safetensors", dir, expert);
}

/* Tensors of the shared part, or of one expert: [*first, returned). They are together. */
static size_t part_of(const struct params *p, int expert, size_t *first)
{
    size_t per = p->n_expert ? (p->n - p->n_shared) / (size_t)p->n_expert : 0;

    *first = expert < 0 ? 0 : p->n_shared + per * (size_t)(expert - p->first_expert);
    return expert < 0 ? p->n_shared : *first + per;
}

static struct comm *holders_of(const struct trainer *t, int expert)
{
    return comm_axis(t->comm, expert < 0 ? AXIS_DATA : AXIS_REPLICA);
}

/* Of the files of a checkpoint: of an expert (-1: the shared part) its weights, or its slots. */
static struct sum *sum_at(struct sum *sums, int expert, int slots)
{
    return &sums[2 * (expert + 1) + slots];
}

/* By the rank that wrote it. */
static int take_sum(const struct trainer *t, struct comm *holders, const char *path,
                    struct sum *sum, struct err *err)
{
    return comm_rank(holders) == 0 && comm_rank(t->slices) == 0 ? sum_file(path, sum, err) : 0;
}

static int save_weights(const struct trainer *t, const char *dir, int expert, struct sum *sums,
                        struct err *err)
{
    size_t first, end = part_of(t->params, expert, &first), i;
    struct comm *holders = holders_of(t, expert);
    struct piece *p;
    char *path;
    int rc;

    if (comm_rank(holders) != 0)
        return 0;
    path = file_name(dir, "model", expert);
    p = xcalloc(end - first, sizeof(*p));
    for (i = first; i < end; i++)
        p[i - first].v = t->params->p[i];
    rc = pieces_write(p, end - first, holders, t->slices, path, err);
    if (rc == 0)
        rc = take_sum(t, holders, path, sum_at(sums, expert, 0), err);
    free(path);
    free(p);
    return rc;
}

static int save_slots(const struct trainer *t, const char *dir, int expert, struct sum *sums,
                      struct err *err)
{
    size_t first, end = part_of(t->params, expert, &first), i, k, n, all = 0;
    struct piece *p = xcalloc(2 * (end - first), sizeof(*p));
    char *path = file_name(dir, "optimizer", expert);
    struct param v[2];
    int rc;

    for (i = first; i < end; i++)
        for (n = slot_list(t, i, v), k = 0; k < n; k++)
            p[all++] = (struct piece){ v[k], t->spread->owner[i] };
    rc = pieces_write(p, all, holders_of(t, expert), t->slices, path, err);
    if (rc == 0)
        rc = take_sum(t, holders_of(t, expert), path, sum_at(sums, expert, 1), err);
    for (i = 0; i < all; i++)
        free(p[i].v.name);
    free(path);
    free(p);
    return rc;
}

/* Which file has which tensor, for readers of Hugging Face's format. */
static int save_index(const struct trainer *t, const char *dir, struct err *err)
{
    const struct config *c = &t->config;
    struct params *all = params_table(c, 0, c->n_expert);
    json_t *map = json_object();
    size_t i, n;

    for (i = 0; i < all->n; i++) {
        char *file = file_name(dir, "model", all->p[i].expert);
        const char *base = strrchr(file, '/') + 1;

        json_object_set_new(map, all->p[i].name, json_stringn(base, strlen(base)));
        free(file);
    }
    n = params_count(c) * sizeof(float);
    params_free(all);
    return facts_put_json(
        dir, "model.safetensors.index.json",
        json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)n, "weight_map", map),
        err);
}

/* One file after another, each written where it can be: ranks wait for one another in it. */
static int save_tensors(const struct trainer *t, const char *dir, struct sum *sums, struct err *err)
{
    int e, end = t->params->first_expert + t->params->n_expert, rc = 0;
    struct err more;

    for (e = -1; e < end; e = e < 0 ? t->params->first_expert : e + 1) {
        if (e >= 0 && !config_is_sparse(&t->config))
            break;
        if (save_weights(t, dir, e, sums, rc < 0 ? &more : err) < 0)
            rc = -1;
        if (save_slots(t, dir, e, sums, rc < 0 ? &more : err) < 0)
            rc = -1;
    }
    return rc;
}

static int put_sum(struct out *o, const char *dir, const char *name, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct sum sum;
    int rc = sum_file(path, &sum, err);

    if (rc == 0)
        rc = sums_put(o, path, &sum, err);
    free(path);
    return rc;
}

static int save_sums(const struct trainer *t, const char *dir, struct sum *sums, struct err *err)
{
    static const char *const text[] = { "config.json", "model.safetensors.index.json",
                                        "state.json" };
    int e, n = config_is_sparse(&t->config) ? t->config.n_expert : 0, rc = 0;
    char *path = xasprintf("%s/%s", dir, sums_name);
    struct out *o = out_open(path, err);
    size_t i;

    free(path);
    if (!o)
        return -1;
    for (i = 0; rc == 0 && i < sizeof(text) / sizeof(text[0]); i++)
        rc = put_sum(o, dir, text[i], err);
    for (e = -1; rc == 0 && e < n; e++)
        for (i = 0; rc == 0 && i < 2; i++) {
            path = file_name(dir, i ? "optimizer" : "model", e);
            rc = sums_put(o, path, sum_at(sums, e, (int)i), err);
            free(path);
        }
    if (rc < 0)
        out_abandon(o);
    return rc < 0 ? rc : out_close(o, err);
}

/* Rank 0, when all tensors are there. */
static int finish(const struct trainer *t, const struct state_facts *facts, const char *dir,
                  const char *part, struct sum *sums, struct err *err)
{
    char *config = xasprintf("%s/config.json", part), *whole = folder_step(dir, t->step, 0);
    struct stat st;
    int rc = config_write(&t->config, config, err);

    if (rc == 0)
        rc = save_index(t, part, err);
    if (rc == 0)
        rc = facts_save(t, facts, part, err);
    if (rc == 0)
        rc = save_sums(t, part, sums, err);
    if (rc == 0)
        rc = folder_sync(part, err);
    if (rc == 0 && stat(whole, &st) == 0)    // damaged, since it was not resumed from
        rc = folder_remove(whole, err);
    if (rc == 0 && rename(part, whole) < 0)
        rc = err_set(err, "%s: cannot rename: %s", part, strerror(errno));
    if (rc == 0)
        rc = folder_sync(dir, err);
    free(config);
    free(whole);
    return rc;
}

int state_save(struct trainer *t, const struct state_facts *facts, const char *dir, struct err *err)
{
    char *part = folder_step(dir, t->step, 1);
    int root = comm_rank(t->comm) == 0, rc = 0;
    size_t n = 2 * ((size_t)t->config.n_expert + 1), i;
    struct sum *sums = xcalloc(n, sizeof(*sums));
    struct err ignore;

    err->msg[0] = 0;
    for (i = 0; i < n; i++)
        sums[i].half[0] = sums[i].half[1] = INT64_MIN;    // less than those that others have
    if (root)
        rc = folder_make(part, err);
    if ((rc = agree(t->comm, rc)) == 0)
        rc = agree(t->comm, save_tensors(t, part, sums, err));
    comm_max_i64(t->comm, sums->half, 2 * n);
    if (rc == 0)
        rc = agree(t->comm, root ? finish(t, facts, dir, part, sums, err) : 0);
    if (rc < 0 && root)
        folder_remove(part, &ignore);    // its room may be needed
    free(sums);
    free(part);
    return rc;
}

static int load_slots(const struct trainer *t, const char *dir, int expert, struct err *err)
{
    size_t first, end = part_of(t->params, expert, &first), i;
    char *path = file_name(dir, "optimizer", expert);
    struct tensors *from = tensors_open(path, err);
    int rc = from ? 0 : -1;

    for (i = first; i < end && rc == 0; i++) {
        struct param v[2];
        size_t n = slot_list(t, i, v), k;

        for (k = 0; k < n; k++) {
            const struct tensor *x = tensors_find(from, v[k].name);

            if (rc == 0 && !x)
                rc = err_set(err, "%s: %s: missing", path, v[k].name);
            if (rc == 0 && v[k].w)
                rc = slice_copy(&v[k], x, v[k].w, err);
            free(v[k].name);
        }
    }
    tensors_close(from);
    free(path);
    return rc;
}

int state_load_slots(const struct trainer *t, const char *dir, struct err *err)
{
    int e, end = t->params->first_expert + t->params->n_expert, rc = load_slots(t, dir, -1, err);

    for (e = t->params->first_expert; rc == 0 && config_is_sparse(&t->config) && e < end; e++)
        rc = load_slots(t, dir, e, err);
    return rc;
}

static int load_tensors(const struct trainer *t, const char *dir, struct err *err)
{
    struct tensors *from = tensors_open(dir, err);
    int rc = from ? params_load(t->params, &t->config, from, err) : -1;

    tensors_close(from);
    adafactor_forget(t->optimizer, t->params);
    return rc < 0 ? -1 : state_load_slots(t, dir, err);
}

/* Are the tensors that this rank loads as they were written? */
static int check_tensors(const struct trainer *t, const char *dir, const struct sums *sums,
                         struct err *err)
{
    int e, end = t->params->first_expert + t->params->n_expert, k, rc = 0;

    for (e = -1; rc == 0 && e < end; e = e < 0 ? t->params->first_expert : e + 1) {
        if (e >= 0 && !config_is_sparse(&t->config))
            break;
        for (k = 0; rc == 0 && k < 2; k++) {
            char *path = file_name(dir, k ? "optimizer" : "model", e);

            rc = sums_check(sums, path, err);
            free(path);
        }
    }
    return rc;
}

static int load(struct trainer *t, const struct state_facts *facts, const char *dir,
                struct err *err)
{
    struct err none;
    struct sums *sums = sums_open(dir, &none);
    uint64_t step = 0;
    int rc = facts_check(t, facts, dir, sums, &step, err);

    if (rc == 0 && sums)
        rc = check_tensors(t, dir, sums, err);
    if (rc == 0)
        rc = load_tensors(t, dir, err);
    if (rc == 0)
        t->step = step;
    sums_close(sums);
    return rc;
}

int state_step(const char *dir, double *step, struct err *err)
{
    char *path = xasprintf("%s/state.json", dir);
    json_error_t bad;
    json_t *j = json_load_file(path, 0, &bad), *is = json_object_get(j, "step");
    int rc = 0;

    if (!j || !json_is_integer(is))
        rc = err_set(err, "%s: %s", path, j ? "says no step" : bad.text);
    *step = rc == 0 ? json_number_value(is) : 0;
    json_decref(j);
    free(path);
    return rc;
}

int state_load(struct trainer *t, const struct state_facts *facts, const char *path,
               struct err *err)
{
    err->msg[0] = 0;
    return agree(t->comm, load(t, facts, path, err));
}
