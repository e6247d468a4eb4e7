/* cld3.c - see cld3.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "langid/cld3.h"
#include "langid/langid.h"
#include "langid/model.h"
#include "tensors/tensors.h"

struct source {
    const char *path;
    struct tensors *file;
};

/* A tensor with the dimensions n_dim says; those that are not 0 in dim must be met. */
static const struct tensor *find(const struct source *s, const char *name, int n_dim, int64_t *dim,
                                 struct err *err)
{
    const struct tensor *t = tensors_find(s->file, name);
    int i;

    if (!t) {
        err_set(err, "%s: no tensor %s", s->path, name);
        return NULL;
    }
    for (i = 0; i < n_dim && t->n_dim == n_dim; i++)
        if (dim[i] && dim[i] != t->dim[i])
            break;
    if (i < n_dim || t->n_dim != n_dim) {
        err_set(err, "%s: %s: not of the shape that the others ask for", s->path, name);
        return NULL;
    }
    memcpy(dim, t->dim, (size_t)n_dim * sizeof(*dim));
    return t;
}

static int copy(const struct source *s, const char *name, int n_dim, int64_t *dim, float *to,
                struct err *err)
{
    const struct tensor *t = find(s, name, n_dim, dim, err);
    struct err why;

    if (!t)
        return -1;
    if (tensor_copy_f32(t, to, t->n, &why) < 0)
        return err_set(err, "%s: %s", s->path, why.msg);
    return 0;
}

static const struct tensor *embedding(const struct source *s, int g, struct err *err)
{
    int64_t dim[2] = { 0 };
    char name[64];

    snprintf(name, sizeof(name), "embedding.%d.weight", g);
    return find(s, name, 2, dim, err);
}

static int read_shape(const struct source *s, const char *groups, struct langid_shape *shape,
                      struct err *err)
{
    char *words = xstrdup(groups), *save = NULL, *word;
    int64_t hidden[2] = { 0 }, out[2] = { 0 };
    int bad = 0;

    *shape = (struct langid_shape){ 0 };
    for (word = strtok_r(words, " ", &save); word && !bad; word = strtok_r(NULL, " ", &save)) {
        struct langid_group *g = &shape->group[shape->n_group];
        const struct tensor *t;

        if (shape->n_group == LANGID_GROUP_MAX || langid_group_parse(word, g) < 0) {
            bad = err_set(err, "%s: groups: '%.40s' is none we know", s->path, word);
            break;
        }
        t = embedding(s, shape->n_group++, err);
        bad = t ? 0 : -1;
        if (t && (t->dim[0] > LANGID_ID_MAX || t->dim[1] > LANGID_DIM_MAX))
            bad = err_set(err, "%s: %s: too large", s->path, t->name);
        if (!bad) {
            g->ids = (uint32_t)t->dim[0];
            g->dim = (int)t->dim[1];
        }
    }
    free(words);
    if (bad || !find(s, "hidden.weight", 2, hidden, err) || !find(s, "output.weight", 2, out, err))
        return -1;
    if (hidden[0] != langid_width(shape) || hidden[1] != out[0] || hidden[1] > LANGID_HIDDEN_MAX ||
        out[1] > LANGID_LABEL_MAX)
        return err_set(err, "%s: layers do not fit together, or are too large", s->path);
    shape->hidden = (int)hidden[1];
    shape->n_label = (int)out[1];
    return 0;
}

static int read_embedding(const struct source *s, int g, struct langid *m, struct err *err)
{
    const struct langid_group *group = &m->shape.group[g];
    const struct tensor *t = embedding(s, g, err);
    int64_t ids = group->ids;
    size_t i, n_id = group->ids, n_dim = (size_t)group->dim;
    float *scale;
    char name[64];

    if (!t)
        return -1;
    if (t->type != TENSOR_U8)
        return tensor_copy_f32(t, m->embed[g], t->n, err);
    snprintf(name, sizeof(name), "embedding.%d.scale", g);
    scale = xcalloc(n_id, sizeof(*scale));
    if (copy(s, name, 1, &ids, scale, err) < 0) {
        free(scale);
        return -1;
    }
    for (i = 0; i < n_id * n_dim; i++)
        m->embed[g][i] = (float)(((const unsigned char *)t->data)[i] - 128) * scale[i / n_dim];
    free(scale);
    return 0;
}

/* cld3 lets Croatian and Bosnian, which are hard to tell apart, be less sure. */
static float bar_of(const char *label)
{
    return !strcmp(label, "hr") || !strcmp(label, "bs") ? 0.5f : 0.7f;
}

static int read_labels(const struct source *s, struct langid *m, struct err *err)
{
    const char *labels = tensors_meta(s->file, "labels");
    char *words = xstrdup(labels ? labels : ""), *save = NULL, *word;
    int i = 0;

    for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save), i++)
        if (i < m->shape.n_label) {
            m->label[i] = xstrdup(word);
            m->bar[i] = bar_of(word);
        }
    free(words);
    if (i != m->shape.n_label)
        return err_set(err, "%s: %d labels for %d outputs", s->path, i, m->shape.n_label);
    return 0;
}

static struct langid *read_all(const struct source *s, struct err *err)
{
    const char *groups = tensors_meta(s->file, "groups"), *origin = tensors_meta(s->file, "origin");
    struct langid_shape shape;
    struct langid *m;
    struct err why;
    int64_t width, hidden, labels;
    int g, bad = 0;

    if (read_shape(s, groups ? groups : "", &shape, err) < 0)
        return NULL;
    m = langid_new(&shape, &why);
    if (!m) {
        err_set(err, "%s: %s", s->path, why.msg);
        return NULL;
    }
    width = langid_width(&shape);
    hidden = shape.hidden;
    labels = shape.n_label;
    for (g = 0; g < shape.n_group && !bad; g++)
        bad = read_embedding(s, g, m, err);
    if (bad || copy(s, "hidden.weight", 2, (int64_t[]){ width, hidden }, m->hidden_w, err) < 0 ||
        copy(s, "hidden.bias", 1, &hidden, m->hidden_b, err) < 0 ||
        copy(s, "output.weight", 2, (int64_t[]){ hidden, labels }, m->out_w, err) < 0 ||
        copy(s, "output.bias", 1, &labels, m->out_b, err) < 0 || read_labels(s, m, err) < 0) {
        langid_free(m);
        return NULL;
    }
    m->origin = xstrdup(origin && !strpbrk(origin, "\t\n") ? origin : s->path);
    if (langid_check(m, &why) == 0)
        return m;
    err_set(err, "%s: %s", s->path, why.msg);
    langid_free(m);
    return NULL;
}

struct langid *cld3_load(const char *path, struct err *err)
{
    struct source s = { path, tensors_open(path, err) };
    struct langid *m = s.file ? read_all(&s, err) : NULL;

    tensors_close(s.file);
    return m;
}
