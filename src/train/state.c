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
#include "comm/comm.h"
#include "io/out.h"
#include "io/tensors.h"
#include "model/params.h"
#include "model/slice.h"
#include "train/folder.h"
#include "train/loop.h"
#include "train/pieces.h"
#include "train/spread.h"
#include "train/state.h"

/* The rule's fields as options are called. */
static const struct field {
    const char *name;
    enum { INT, NUM, FLAG } kind;
    size_t at;
} fields[] = {
    { "batch", INT, offsetof(struct train_rule, batch) },
    { "group-rows", INT, offsetof(struct train_rule, group_rows) },
    { "capacity-factor", NUM, offsetof(struct train_rule, capacity_factor) },
    { "min-capacity", INT, offsetof(struct train_rule, min_capacity) },
    { "aux-loss", NUM, offsetof(struct train_rule, aux_loss) },
    { "aux-mean", FLAG, offsetof(struct train_rule, aux_mean) },
    { "router-z-loss", NUM, offsetof(struct train_rule, router_z_loss) },
    { "z-loss", NUM, offsetof(struct train_rule, z_loss) },
    { "dropout", NUM, offsetof(struct train_rule, dropout) },
    { "expert-dropout", NUM, offsetof(struct train_rule, expert_dropout) },
    { "dropout-per-element", FLAG, offsetof(struct train_rule, dropout_per_element) },
    { "precision", FLAG, offsetof(struct train_rule, precision) },
    { "jitter", NUM, offsetof(struct train_rule, jitter) },
    { "input-dropout", NUM, offsetof(struct train_rule, input_dropout) },
    { "explore", FLAG, offsetof(struct train_rule, explore) },
    { "capacity-rule", FLAG, offsetof(struct train_rule, cap) },
    { "second-loss", FLAG, offsetof(struct train_rule, second_loss) },
    { "schedule", FLAG, offsetof(struct train_rule, schedule.kind) },
    { "lr", NUM, offsetof(struct train_rule, schedule.lr) },
    { "warmup", NUM, offsetof(struct train_rule, schedule.warmup) },
    { "ramp-down", NUM, offsetof(struct train_rule, schedule.ramp_down) },
    { "steps", INT, offsetof(struct train_rule, schedule.n_step) },
    { "optimizer-min-dim", INT, offsetof(struct train_rule, optimizer_min_dim) },
    { "init", FLAG, offsetof(struct train_rule, init) },
    { "init-scale", NUM, offsetof(struct train_rule, init_scale) },
    { "moments", NUM, offsetof(struct train_rule, decay_from) },
    { "seed", INT, offsetof(struct train_rule, seed) },
};
enum { N_FIELD = sizeof(fields) / sizeof(fields[0]) };

static double field_value(const struct train_rule *rule, const struct field *f)
{
    const char *p = (const char *)rule + f->at;

    if (f->kind == NUM)
        return *(const double *)(const void *)p;
    return f->kind == INT ? (double)*(const int64_t *)(const void *)p
                          : (double)*(const int *)(const void *)p;
}

/* A value as the option takes it. */
static void put_value(const struct field *f, double x, char *to, size_t size)
{
    static const char *const schedule_words[] = { "rsqrt", "constant", NULL };
    static const char *const exploring[] = { "its default", "jitter",  "argmax",
                                             "sample",      "dropout", NULL };
    const struct {
        const char *name;
        const char *const *words;
    } lists[] = { { "schedule", schedule_words },
                  { "precision", precision_words },
                  { "explore", exploring },
                  { "capacity-rule", cap_words },
                  { "init", init_words } };
    const char *const *words = NULL;
    double i;
    size_t k;

    for (k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        if (strcmp(f->name, lists[k].name) == 0)
            words = lists[k].words;
    for (i = 0; words && *words && i < x; words++)
        i++;
    if (words && *words && i == x)
        snprintf(to, size, "%s", *words);
    else
        snprintf(to, size, "%.15g", x);
}

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

static int save_weights(const struct trainer *t, const char *dir, int expert, struct err *err)
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
    free(path);
    free(p);
    return rc;
}

static int save_slots(const struct trainer *t, const char *dir, int expert, struct err *err)
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
    for (i = 0; i < all; i++)
        free(p[i].v.name);
    free(path);
    free(p);
    return rc;
}

static int put_text(const char *dir, const char *name, const char *text, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct out *o = out_open(path, err);
    int rc = o ? out_write(o, text, strlen(text), err) : -1;

    free(path);
    if (rc < 0)
        out_abandon(o);
    return rc < 0 ? rc : out_close(o, err);
}

static int put_json(const char *dir, const char *name, json_t *j, struct err *err)
{
    char *text = json_dumps(j, JSON_INDENT(1) | JSON_SORT_KEYS);
    char *line = xasprintf("%s\n", text);
    int rc = put_text(dir, name, line, err);

    json_decref(j);
    free(text);
    free(line);
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
    return put_json(
        dir, "model.safetensors.index.json",
        json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)n, "weight_map", map),
        err);
}

static int save_state(const struct trainer *t, const struct state_facts *facts, const char *dir,
                      struct err *err)
{
    uint64_t next_row = (t->step + t->skip) * (uint64_t)t->rule.batch;
    json_t *options = json_object();
    int i;

    for (i = 0; i < N_FIELD; i++) {
        double x = field_value(&t->rule, &fields[i]);

        json_object_set_new(options, fields[i].name,
                            fields[i].kind == NUM ? json_real(x) : json_integer((json_int_t)x));
    }
    return put_json(dir, "state.json",
                    json_pack("{s:i, s:I, s:I, s:s, s:s, s:s*, s:o}", "version", 1, "step",
                              (json_int_t)t->step, "next_row", (json_int_t)next_row, "mixture",
                              facts->mixture, "vocab_sha256", facts->vocab_sha256, "teacher",
                              facts->teacher, "options", options),
                    err);
}

/* One file after another, each written where it can be: ranks wait for one another in it. */
static int save_tensors(const struct trainer *t, const char *dir, struct err *err)
{
    int e, end = t->params->first_expert + t->params->n_expert, rc = 0;
    struct err more;

    for (e = -1; e < end; e = e < 0 ? t->params->first_expert : e + 1) {
        if (e >= 0 && !config_is_sparse(&t->config))
            break;
        if (save_weights(t, dir, e, rc < 0 ? &more : err) < 0)
            rc = -1;
        if (save_slots(t, dir, e, rc < 0 ? &more : err) < 0)
            rc = -1;
    }
    return rc;
}

/* Rank 0, when all tensors are there. */
static int finish(const struct trainer *t, const struct state_facts *facts, const char *dir,
                  const char *part, struct err *err)
{
    char *config = xasprintf("%s/config.json", part), *whole = folder_step(dir, t->step, 0);
    struct stat st;
    int rc = config_write(&t->config, config, err);

    if (rc == 0)
        rc = save_index(t, part, err);
    if (rc == 0)
        rc = save_state(t, facts, part, err);
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
    struct err ignore;

    err->msg[0] = 0;
    if (root)
        rc = folder_make(part, err);
    if ((rc = agree(t->comm, rc)) == 0)
        rc = agree(t->comm, save_tensors(t, part, err));
    if (rc == 0)
        rc = agree(t->comm, root ? finish(t, facts, dir, part, err) : 0);
    if (rc < 0 && root)
        folder_remove(part, &ignore);    // its room may be needed
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
    return rc < 0 ? -1 : state_load_slots(t, dir, err);
}

static int check_config(const struct trainer *t, const char *dir, struct err *err)
{
    struct config c;
    char *mine, *theirs;
    int same;

    if (config_read(&c, dir, err) < 0)
        return -1;
    mine = config_text(&t->config);
    theirs = config_text(&c);
    same = strcmp(mine, theirs) == 0;
    free(mine);
    free(theirs);
    return same
               ? 0
               : (err_set(err, "%s: a checkpoint of another model (config.json differs)", dir), -2);
}

static int check_teacher(const struct state_facts *facts, const char *dir, const json_t *j,
                         struct err *err)
{
    const char *was = json_string_value(json_object_get(j, "teacher"));
    const char *now = facts->teacher ? facts->teacher : "none";

    if (!was)
        was = "none";
    if (strcmp(was, now) == 0)
        return 0;
    err_set(err, "%s: trained with another teacher (%.100s, now %.100s)", dir, was, now);
    return -2;
}

static int check_state(const struct trainer *t, const struct state_facts *facts, const char *dir,
                       const json_t *j, struct err *err)
{
    const char *mixture = json_string_value(json_object_get(j, "mixture"));
    const char *vocab = json_string_value(json_object_get(j, "vocab_sha256"));
    const json_t *options = json_object_get(j, "options");
    int i;

    if (json_integer_value(json_object_get(j, "version")) != 1 || !mixture ||
        !json_is_integer(json_object_get(j, "step")))
        return err_set(err, "%s/state.json: not of a version that we know", dir);
    if (strcmp(mixture, facts->mixture) != 0) {
        err_set(err, "%s: trained on another mixture (%.12s..., now %.12s...)", dir, mixture,
                facts->mixture);
        return -2;
    }
    if (!vocab || strcmp(vocab, facts->vocab_sha256) != 0) {
        err_set(err, "%s: trained on another vocabulary", dir);
        return -2;
    }
    if (check_teacher(facts, dir, j, err) < 0)
        return -2;
    for (i = 0; i < N_FIELD; i++) {
        double have = field_value(&t->rule, &fields[i]);
        double was = json_number_value(json_object_get(options, fields[i].name));

        if (have != was) {
            char there[32], here[32];

            put_value(&fields[i], was, there, sizeof(there));
            put_value(&fields[i], have, here, sizeof(here));
            err_set(err, "%s: trained with --%s %s, not %s", dir, fields[i].name, there, here);
            return -2;
        }
    }
    return 0;
}

static int load(struct trainer *t, const struct state_facts *facts, const char *dir,
                struct err *err)
{
    char *path = xasprintf("%s/state.json", dir);
    json_error_t bad;
    json_t *j = json_load_file(path, 0, &bad);
    int rc = j ? check_config(t, dir, err) : err_set(err, "%s: %s", path, bad.text);

    if (rc == 0)
        rc = check_state(t, facts, dir, j, err);
    if (rc == 0)
        rc = load_tensors(t, dir, err);
    if (rc == 0)
        t->step = (uint64_t)json_integer_value(json_object_get(j, "step"));
    json_decref(j);
    free(path);
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
