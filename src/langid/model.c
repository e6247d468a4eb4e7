/* model.c - see model.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/stream.h"
#include "langid/cld3.h"
#include "langid/file.h"
#include "langid/langid.h"
#include "langid/model.h"

static const char *const kind_names[N_LANGID_KIND] = {
    [LANGID_CHARS] = "char",         [LANGID_CLASSES] = "relevant_scripts",
    [LANGID_SCRIPT] = "text_script", [LANGID_SHARES] = "script_shares",
    [LANGID_WORDS] = "words",
};

void langid_group_name(const struct langid_group *g, char name[LANGID_NAME])
{
    if (g->kind == LANGID_CHARS)
        snprintf(name, LANGID_NAME, "%s%d", kind_names[g->kind], g->n);
    else
        snprintf(name, LANGID_NAME, "%s", kind_names[g->kind]);
}

int langid_group_parse(const char *name, struct langid_group *g)
{
    int kind;

    g->n = 0;
    if (!strncmp(name, "char", 4) && name[4] >= '1' && name[4] <= '0' + LANGID_NGRAM_MAX &&
        !name[5]) {
        g->kind = LANGID_CHARS;
        g->n = name[4] - '0';
        return 0;
    }
    for (kind = LANGID_CHARS + 1; kind < N_LANGID_KIND; kind++)
        if (!strcmp(name, kind_names[kind])) {
            g->kind = (enum langid_kind)kind;
            return 0;
        }
    return -1;
}

int langid_width(const struct langid_shape *shape)
{
    int g, width = 0;

    for (g = 0; g < shape->n_group; g++)
        width += shape->group[g].dim;
    return width;
}

static int check_group(const struct langid_group *g, struct err *err)
{
    static const uint32_t ids[N_LANGID_KIND] = { [LANGID_CLASSES] = LANGID_SCRIPT_CLASSES,
                                                 [LANGID_SCRIPT] = LANGID_SCRIPTS,
                                                 [LANGID_SHARES] = LANGID_SCRIPTS };

    if ((unsigned)g->kind >= N_LANGID_KIND)
        return err_set(err, "a group of kind %d", (int)g->kind);
    if (g->kind == LANGID_CHARS && (g->n < 1 || g->n > LANGID_NGRAM_MAX))
        return err_set(err, "n-grams of %d characters: 1 to %d are possible", g->n,
                       LANGID_NGRAM_MAX);
    if (g->ids < 1 || g->ids > LANGID_ID_MAX || g->dim < 1 || g->dim > LANGID_DIM_MAX)
        return err_set(err, "a group of %lu ids and %d dimensions: 1 to %d and %d are possible",
                       (unsigned long)g->ids, g->dim, LANGID_ID_MAX, LANGID_DIM_MAX);
    if (ids[g->kind] && g->ids != ids[g->kind])
        return err_set(err, "%s: %lu ids, not %lu", kind_names[g->kind], (unsigned long)g->ids,
                       (unsigned long)ids[g->kind]);
    return 0;
}

static int check_groups(const struct langid_shape *shape, struct err *err)
{
    uint64_t n = 0;
    int g, h;

    for (g = 0; g < shape->n_group; g++) {
        const struct langid_group *a = &shape->group[g], *b = shape->group;

        if (check_group(a, err) < 0)
            return -1;
        for (h = 0; h < g; h++)
            if (a->kind == b[h].kind && a->n == b[h].n)
                return err_set(err, "two groups of one kind");
        n += (uint64_t)a->ids * (uint64_t)a->dim;
    }
    if (n > LANGID_NUMBERS_MAX)
        return err_set(err, "more than %d numbers in its embeddings", LANGID_NUMBERS_MAX);
    return 0;
}

int langid_shape_check(const struct langid_shape *shape, struct err *err)
{

    if (shape->n_group < 1 || shape->n_group > LANGID_GROUP_MAX)
        return err_set(err, "%d groups of features: 1 to %d are possible", shape->n_group,
                       LANGID_GROUP_MAX);
    if (check_groups(shape, err) < 0)
        return -1;
    if (shape->hidden < 1 || shape->hidden > LANGID_HIDDEN_MAX)
        return err_set(err, "a hidden layer of %d: 1 to %d are possible", shape->hidden,
                       LANGID_HIDDEN_MAX);
    if (shape->n_label < 2 || shape->n_label > LANGID_LABEL_MAX)
        return err_set(err, "%d labels: 2 to %d are possible", shape->n_label, LANGID_LABEL_MAX);
    return 0;
}

/* Numbers of at most 1e6 cannot overflow in the two layers, so that every answer is a number. */
static int check_numbers(const float *x, size_t n, struct err *err)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!(fabsf(x[i]) <= 1e6f))
            return err_set(err, "a number is larger than 1e6, or is none");
    return 0;
}

static int check_labels(const struct langid *m, struct err *err)
{
    int i, j;

    for (i = 0; i < m->shape.n_label; i++) {
        const char *l = m->label[i];

        if (!l || !*l || strlen(l) >= LANGID_NAME ||
            strspn(l, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") !=
                strlen(l))
            return err_set(err, "label %d: not a name of 1 to %d letters, digits and hyphens", i,
                           LANGID_NAME - 1);
        for (j = 0; j < i; j++)
            if (!strcmp(l, m->label[j]))
                return err_set(err, "label '%s' comes twice", l);
        if (!(m->bar[i] >= 0 && m->bar[i] <= 1))
            return err_set(err, "label '%s': its bar is no probability", l);
    }
    return 0;
}

int langid_check(const struct langid *m, struct err *err)
{
    size_t width = (size_t)langid_width(&m->shape), hidden = (size_t)m->shape.hidden,
           labels = (size_t)m->shape.n_label;
    int g;

    if (langid_shape_check(&m->shape, err) < 0 || check_labels(m, err) < 0)
        return -1;
    if (m->origin && strpbrk(m->origin, "\t\n"))
        return err_set(err, "the origin is more than a line");
    for (g = 0; g < m->shape.n_group; g++)
        if (check_numbers(m->embed[g],
                          (size_t)m->shape.group[g].ids * (size_t)m->shape.group[g].dim, err) < 0)
            return -1;
    if (check_numbers(m->hidden_w, width * hidden, err) < 0 ||
        check_numbers(m->hidden_b, hidden, err) < 0 ||
        check_numbers(m->out_w, hidden * labels, err) < 0)
        return -1;
    return check_numbers(m->out_b, labels, err);
}

static void new_embeddings(struct langid *m)
{
    size_t start[LANGID_GROUP_MAX] = { 0 };
    int g;

    for (g = 0; g < m->shape.n_group; g++) {
        const struct langid_group *group = &m->shape.group[g];

        start[g] = m->n_embed;
        m->n_embed += ((size_t)group->ids * (size_t)group->dim + 15) / 16 * 16;
    }
    m->all_embed = mem_map(m->n_embed * sizeof(float));
    for (g = 0; g < m->shape.n_group; g++)
        m->embed[g] = m->all_embed + start[g];
}

struct langid *langid_new(const struct langid_shape *shape, struct err *err)
{
    size_t width, hidden, labels;
    struct langid *m;
    int g;

    if (langid_shape_check(shape, err) < 0)
        return NULL;
    width = (size_t)langid_width(shape);
    hidden = (size_t)shape->hidden;
    labels = (size_t)shape->n_label;
    m = xcalloc(1, sizeof(*m));
    m->shape = *shape;
    new_embeddings(m);
    m->hidden_w = xcalloc(width * hidden, sizeof(float));
    m->hidden_b = xcalloc(hidden, sizeof(float));
    m->out_w = xcalloc(hidden * labels, sizeof(float));
    m->out_b = xcalloc(labels, sizeof(float));
    for (g = 0; g < shape->n_label; g++)
        m->bar[g] = 0.7f;
    return m;
}

void langid_free(struct langid *m)
{
    int i;

    if (!m)
        return;
    mem_unmap(m->all_embed, m->n_embed * sizeof(float));
    for (i = 0; i < LANGID_LABEL_MAX; i++)
        free(m->label[i]);
    free(m->hidden_w);
    free(m->hidden_b);
    free(m->out_w);
    free(m->out_b);
    free(m->origin);
    free(m);
}

struct langid *langid_load(const char *path, struct err *err)
{
    struct stream *s = stream_open(path, err);
    const unsigned char *p;
    size_t n = strlen(FILE_MAGIC);
    struct langid *m = NULL;
    ssize_t got;

    if (!s)
        return NULL;
    got = stream_peek(s, n, &p, err);
    if (got >= (ssize_t)n && !memcmp(p, FILE_MAGIC, n - 2)) {
        m = file_read(s, err);
        stream_close(s);
        return m;
    }
    stream_close(s);
    return got < 0 ? NULL : cld3_load(path, err);
}
