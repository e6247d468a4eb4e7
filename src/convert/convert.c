/* convert.c - see convert.h. What is to be written is a list of items in the order of the table of
 * parameters; an item knows the tensor that it is made of, if any. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "checkpoint/folder.h"
#include "checkpoint/weights.h"
#include "convert/convert.h"
#include "io/out.h"
#include "shape/config.h"
#include "shape/params.h"
#include "tensors/tensors.h"

struct item {
    const struct param *p;        // name and shape
    const struct tensor *from;    // NULL: drawn
    enum tensor_type type;
    int file;
};

struct job {
    struct config config;    // of the model that is written
    struct params *table;
    struct tensors *in;
    const struct convert_plan *plan;
    const struct upcycle_plan *up;    // or NULL
    struct item *item;                // [table->n]
    char **file;                      // names of the files
    int n_file;
    uint64_t bytes;
    const char *to;
    struct buf packed;
    float *wide;    // numbers of the tensor in hand
    size_t cap;
};

static int open_model(struct job *j, const char *path, struct err *err)
{
    struct config c;

    if (config_read(&c, path, err) < 0)
        return -1;
    j->config = c;
    j->in = tensors_open(path, err);
    return j->in && weights_check(j->in, path, 0, INT_MAX, err) == 0 ? 0 : -1;
}

/* A model, or the newest checkpoint of a training folder. */
static int open_input(struct job *j, const char *from, struct err *err)
{
    char *path;
    int rc;

    if (tensors_is_pickled(from))
        return tensors_refuse_pickled(from, err);
    path = folder_find(from, err);
    rc = path ? open_model(j, path, err) : -1;
    free(path);
    return rc;
}

static enum tensor_type type_of(const struct convert_plan *plan, const struct tensor *x)
{
    if (!strcmp(plan->dtype, "keep"))
        return x ? x->type : TENSOR_F32;
    return !strcmp(plan->dtype, "f32")    ? TENSOR_F32
           : !strcmp(plan->dtype, "bf16") ? TENSOR_BF16
                                          : TENSOR_F16;
}

/* The name that a weight of the Switch model has in the dense one. */
static char *dense_name(const char *name)
{
    const char *mlp = strstr(name, ".mlp."), *expert = strstr(name, ".experts.expert_");
    const char *rest = mlp ? mlp + strlen(".mlp.") : NULL;

    if (!mlp)
        return xstrdup(name);
    if (expert)
        rest = strchr(expert + strlen(".experts.expert_"), '.') + 1;
    return xasprintf("%.*s.DenseReluDense.%s", (int)(mlp - name), name, rest);
}

static const struct tensor *source(const struct job *j, const struct param *p)
{
    struct param dense = *p;
    const struct tensor *x;

    if (!j->up)
        return params_source(p, &j->config, j->in);
    dense.name = dense_name(p->name);
    x = params_source(&dense, &j->config, j->in);
    free(dense.name);
    return x;
}

static int is_router(const struct param *p)
{
    return strstr(p->name, ".router.") != NULL;
}

static int find_items(struct job *j, struct err *err)
{
    size_t i;

    j->table = params_table(&j->config, 0, config_is_sparse(&j->config) ? j->config.n_expert : 0);
    j->item = xcalloc(j->table->n + 1, sizeof(*j->item));
    for (i = 0; i < j->table->n; i++) {
        const struct param *p = &j->table->p[i];
        const struct tensor *x = source(j, p);

        if (!x && !(j->up && is_router(p)))
            return err_set(err, "%s: %s: missing", tensors_path(j->in, NULL), p->name);
        if (x && !params_fits(p, x))
            return err_set(err, "%s: %s: another shape than the config says",
                           tensors_path(j->in, x), p->name);
        if (x && x->type != TENSOR_F32 && x->type != TENSOR_F16 && x->type != TENSOR_BF16)
            return err_set(err, "%s: %s: %s where fractions should be", tensors_path(j->in, x),
                           p->name, tensor_kinds[x->type].name);
        j->item[i] = (struct item){ .p = p, .from = x, .type = type_of(j->plan, x) };
    }
    return 0;
}

/* Everything that the input has is written, or repeats the embedding. */
static int check_rest(const struct job *j, struct err *err)
{
    size_t i;

    for (i = 0; i < tensors_n(j->in); i++) {
        const struct tensor *x = tensors_at(j->in, i);

        if (!j->up && !params_find(j->table, x->name) && !params_is_alias(&j->config, x->name))
            return err_set(err, "%s: %s: not a tensor of this model", tensors_path(j->in, x),
                           x->name);
    }
    return 0;
}

/* A tied model's lm_head, where there is one, must be the embedding. */
static int check_tied(const struct job *j, struct err *err)
{
    const struct tensor *head = tensors_find(j->in, "lm_head.weight"), *table = j->item[0].from;
    size_t bytes = table->n * tensor_kinds[table->type].size;

    if (!j->config.tied || !head || head == table)
        return 0;
    if (head->type != table->type || head->n != table->n ||
        memcmp(head->data, table->data, bytes) != 0)
        return err_set(err, "%s: lm_head.weight differs from the embedding in a tied model",
                       tensors_path(j->in, head));
    return 0;
}

static int add_file(struct job *j, char *name)
{
    j->file = xreallocarray(j->file, (size_t)j->n_file + 1, sizeof(*j->file));
    j->file[j->n_file] = name;
    return j->n_file++;
}

/* Which item goes where. Files of several are filled in the order of the table. */
static void place(struct job *j)
{
    uint64_t in_file = 0;
    size_t i;
    int k;

    for (i = 0; i < j->table->n; i++) {
        struct item *it = &j->item[i];
        uint64_t bytes = it->p->n * tensor_kinds[it->type].size;

        j->bytes += bytes;
        if (j->plan->layout == LAYOUT_OURS) {
            int expert = it->p->expert;

            if (i == 0)
                add_file(j, xstrdup("model-shared.safetensors"));
            while (expert >= j->n_file - 1)
                add_file(j, xasprintf("expert-%05d.safetensors", j->n_file - 1));
            it->file = expert + 1;
            continue;
        }
        if (i == 0 || (in_file && in_file + bytes > j->plan->file_bytes)) {
            add_file(j, NULL);
            in_file = 0;
        }
        in_file += bytes;
        it->file = j->n_file - 1;
    }
    for (k = 0; j->plan->layout == LAYOUT_FILES && k < j->n_file; k++)
        j->file[k] = j->n_file == 1 ? xstrdup("model.safetensors")
                                    : xasprintf("model-%05d-of-%05d.safetensors", k + 1, j->n_file);
}

static void widen(struct job *j, size_t n)
{
    if (n <= j->cap)
        return;
    free(j->wide);
    j->wide = xmalloc(n * sizeof(*j->wide));
    j->cap = n;
}

/* Add noise of a share of the tensor's own deviation, a function of seed, name and place. */
static void disturb(const struct job *j, const struct param *p)
{
    char *purpose = xasprintf("upcycle %s", p->name);
    uint64_t key = rng_key(j->up->seed, purpose);
    double sum = 0, s;
    size_t i;

    free(purpose);
    for (i = 0; i < p->n; i++)
        sum += (double)j->wide[i] * j->wide[i];
    s = j->up->noise * sqrt(sum / (double)p->n);
    for (i = 0; i < p->n; i++)
        j->wide[i] += (float)(s * rng_normal(key, i, 0, 0));
}

/* A weight that its narrower kind cannot hold would make every output of the model nan. */
static int check_range(const struct job *j, const struct item *it, struct err *err)
{
    const uint16_t top = it->type == TENSOR_F16 ? 0x7c00 : 0x7f80;    // exponent: inf or nan
    const uint16_t *half = (const uint16_t *)(const void *)j->packed.p;
    size_t i;

    for (i = 0; i < it->p->n; i++)
        if ((half[i] & top) == top && isfinite(j->wide[i]))
            return err_set(err, "%s: %s: %g is too large for %s",
                           it->from ? tensors_path(j->in, it->from) : j->to, it->p->name,
                           (double)j->wide[i], tensor_kinds[it->type].name);
    return 0;
}

/* The numbers of an item, for tensors_write_from(): as they lie in the input where they can. */
static const void *numbers(void *ctx, const struct tensor *t, struct err *err)
{
    struct job *j = ctx;
    const struct param *p = params_find(j->table, t->name);
    const struct item *it = &j->item[p - j->table->p];
    int noisy = j->up && j->up->noise > 0 && p->expert >= 0;

    if (it->from && it->from->type == it->type && !noisy)
        return it->from->n ? it->from->data : (const void *)"";
    widen(j, p->n + 1);
    if (!it->from)
        params_draw(p, &j->config, j->up->seed, j->up->init_scale, j->wide);
    else if (tensor_copy_f32(it->from, j->wide, p->n, err) < 0)
        return NULL;
    if (noisy)
        disturb(j, p);
    if (it->type == TENSOR_F32)
        return j->wide;
    buf_need(&j->packed, 2 * p->n + 1);
    tensor_pack_f32(j->packed.p, it->type, j->wide, p->n);
    return check_range(j, it, err) < 0 ? NULL : j->packed.p;
}

static int write_file(struct job *j, int file, struct err *err)
{
    static const char *const meta[] = { "format", "pt", NULL };
    struct tensor *t = xcalloc(j->table->n + 1, sizeof(*t));
    char *path = xasprintf("%s/%s", j->to, j->file[file]);
    size_t i, n = 0;
    int d, bad;

    for (i = 0; i < j->table->n; i++) {
        const struct item *it = &j->item[i];

        if (it->file != file)
            continue;
        t[n] = (struct tensor){
            .name = it->p->name, .type = it->type, .n_dim = it->p->n_dim, .n = it->p->n
        };
        for (d = 0; d < it->p->n_dim; d++)
            t[n].dim[d] = it->p->dim[d];
        n++;
    }
    bad = tensors_write_from(path, t, n, meta, numbers, j, err);
    free(path);
    free(t);
    return bad;
}

static int write_text(const char *dir, const char *name, const char *text, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct out *o = out_open(path, err);
    int bad = o ? out_write(o, text, strlen(text), err) : -1;

    free(path);
    if (!bad)
        return out_close(o, err);
    out_abandon(o);
    return -1;
}

static int write_index(const struct job *j, struct err *err)
{
    json_t *map = json_object(), *whole;
    char *text;
    size_t i;
    int bad;

    for (i = 0; i < j->table->n; i++) {
        const char *file = j->file[j->item[i].file];

        json_object_set_new(map, j->item[i].p->name, json_stringn(file, strlen(file)));
    }
    whole = json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)j->bytes,
                      "weight_map", map);
    text = json_dumps(whole, JSON_INDENT(1) | JSON_SORT_KEYS);
    bad = write_text(j->to, "model.safetensors.index.json", text, err);
    free(text);
    json_decref(whole);
    return bad;
}

static int make_folder(const char *to, struct err *err)
{
    char *config = xasprintf("%s/config.json", to);
    int there = access(config, F_OK) == 0;

    free(config);
    if (there)
        return err_set(err, "%s: holds a model already", to);
    if (mkdir(to, 0777) < 0 && errno != EEXIST)
        return err_set(err, "%s: %s", to, strerror(errno));
    return 0;
}

static int write_all(struct job *j, struct err *err)
{
    char *text;
    int k, bad = make_folder(j->to, err);

    for (k = 0; !bad && k < j->n_file; k++)
        bad = write_file(j, k, err);
    if (!bad && j->n_file > 1)
        bad = write_index(j, err);
    if (!bad) {
        text = config_text(&j->config);
        bad = write_text(j->to, "config.json", text, err);
        free(text);
    }
    return bad;
}

static int run(struct job *j, struct err *err)
{
    int k, bad = find_items(j, err) < 0 || check_rest(j, err) < 0 || check_tied(j, err) < 0;

    if (!bad) {
        place(j);
        bad = write_all(j, err) < 0;
    }
    for (k = 0; k < j->n_file; k++)
        free(j->file[k]);
    free(j->file);
    free(j->item);
    free(j->wide);
    buf_release(&j->packed);
    params_free(j->table);
    return bad ? -1 : 0;
}

int convert_model(const char *from, const char *to, const struct convert_plan *plan,
                  struct err *err)
{
    struct job j = { .plan = plan, .to = to };
    int bad = open_input(&j, from, err) < 0 || run(&j, err) < 0;

    tensors_close(j.in);
    return bad ? -1 : 0;
}

int upcycle_model(const char *from, const char *to, const struct convert_plan *plan,
                  const struct upcycle_plan *up, struct err *err)
{
    struct job j = { .plan = plan, .to = to, .up = up };
    int stack, i, bad = open_input(&j, from, err) < 0;

    if (!bad && strcmp(j.config.model_type, "switch_transformers") == 0)
        bad = err_set(err, "%s: is a Switch model already", from);
    if (!bad) {
        config_make_switch(&j.config);
        j.config.n_expert = up->n_expert;
        for (stack = 0; stack < 2; stack++)
            for (i = 0; i < j.config.n_block[stack]; i++)
                j.config.sparse[stack][i] = up->every == 1 || i % up->every == 1;
        if (!config_is_sparse(&j.config))
            bad = err_set(err, "%s: no block i with i mod %d = 1", from, up->every);
    }
    bad = bad || config_check(&j.config, err) < 0 || run(&j, err) < 0;
    tensors_close(j.in);
    return bad ? -1 : 0;
}
