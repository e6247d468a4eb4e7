/* net.c - see langid.h: features to probabilities. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "langid/feature.h"
#include "langid/langid.h"
#include "langid/model.h"

enum { AHEAD = 8 };    // rows asked of the memory before they are needed

struct langid_room {
    struct feature_room *features;
    float *x, *h, *p;            // [D], [hidden], [n_label]
    const struct lang **lang;    // of each label
    const struct lang *und;
};

/* The row of exactly this label. */
static const struct lang *row_of(const char *label)
{
    const struct lang *l = lang_find((struct bytes){ (const unsigned char *)label, strlen(label) });

    return lang_is(l, label) ? l : NULL;
}

struct langid_room *langid_room_new(const struct langid *m)
{
    struct langid_room *r = xcalloc(1, sizeof(*r));
    int i;

    r->features = feature_room_new(&m->shape);
    r->x = xcalloc((size_t)langid_width(&m->shape), sizeof(*r->x));
    r->h = xcalloc((size_t)m->shape.hidden, sizeof(*r->h));
    r->p = xcalloc((size_t)m->shape.n_label, sizeof(*r->p));
    r->lang = xcalloc((size_t)m->shape.n_label, sizeof(struct lang *));
    for (i = 0; i < m->shape.n_label; i++)
        r->lang[i] = row_of(m->label[i]);
    r->und = row_of("und");
    return r;
}

void langid_room_free(struct langid_room *r)
{
    if (!r)
        return;
    feature_room_free(r->features);
    free(r->x);
    free(r->h);
    free(r->p);
    free(r->lang);
    free(r);
}

int langid_n_label(const struct langid *m)
{
    return m->shape.n_label;
}

const char *langid_label(const struct langid *m, int i)
{
    return m->label[i];
}

int langid_label_find(const struct langid *m, struct bytes tag)
{
    const struct lang *l;
    int i;

    for (i = 0; i < m->shape.n_label; i++)
        if (strlen(m->label[i]) == tag.n && !memcmp(m->label[i], tag.p, tag.n))
            return i;
    l = lang_find(tag);
    for (i = 0; l && i < m->shape.n_label; i++)
        if (!strcmp(m->label[i], l->label))
            return i;
    return -1;
}

static void add_scaled(float *restrict to, const float *restrict row, float scale, size_t n)
{
    size_t i;

#pragma omp simd
    for (i = 0; i < n; i++)
        to[i] += scale * row[i];
}

/* Rows of 16, as most models have them: their sum stays in four registers. */
static void embed_16(const float *rows, const struct feature *f, size_t n, float *x)
{
    float a __attribute__((vector_size(16))) = { 0 }, b __attribute__((vector_size(16))) = { 0 },
            c __attribute__((vector_size(16))) = { 0 }, d __attribute__((vector_size(16))) = { 0 };
    size_t i;

    for (i = 0; i < n; i++) {
        float p __attribute__((vector_size(16))), q __attribute__((vector_size(16))),
            r __attribute__((vector_size(16))), s __attribute__((vector_size(16)));
        const float *row = rows + (size_t)f[i].id * 16;

        if (i + AHEAD < n)
            __builtin_prefetch(rows + (size_t)f[i + AHEAD].id * 16);
        memcpy(&p, row, 16);
        memcpy(&q, row + 4, 16);
        memcpy(&r, row + 8, 16);
        memcpy(&s, row + 12, 16);
        a += f[i].weight * p;
        b += f[i].weight * q;
        c += f[i].weight * r;
        d += f[i].weight * s;
    }
    memcpy(x, &a, 16);
    memcpy(x + 4, &b, 16);
    memcpy(x + 8, &c, 16);
    memcpy(x + 12, &d, 16);
}

static void embed(const struct langid *m, const struct features *f, float *x)
{
    size_t i;
    int g;

    memset(x, 0, (size_t)langid_width(&m->shape) * sizeof(*x));
    for (g = 0; g < m->shape.n_group; g++) {
        const struct feature *of = f->f + f->begin[g];
        size_t dim = (size_t)m->shape.group[g].dim, n = f->begin[g + 1] - f->begin[g];

        if (dim == 16)
            embed_16(m->embed[g], of, n, x);
        else
            for (i = 0; i < n; i++)
                add_scaled(x, m->embed[g] + of[i].id * dim, of[i].weight, dim);
        x += dim;
    }
}

/* The numbers before the softmax into p; 0 when there is too little text. */
static int logits(const struct langid *m, struct langid_room *r, struct bytes text, size_t min,
                  size_t max, float *p)
{
    size_t n_hidden = (size_t)m->shape.hidden, n_label = (size_t)m->shape.n_label, i,
           width = (size_t)langid_width(&m->shape);
    struct features f;

    if (!feature_find(r->features, text, min, max, &f))
        return 0;
    embed(m, &f, r->x);
    memcpy(r->h, m->hidden_b, n_hidden * sizeof(*r->h));
    for (i = 0; i < width; i++)
        add_scaled(r->h, m->hidden_w + i * n_hidden, r->x[i], n_hidden);
    memcpy(p, m->out_b, n_label * sizeof(*p));
    for (i = 0; i < n_hidden; i++)
        if (r->h[i] > 0)
            add_scaled(p, m->out_w + i * n_label, r->h[i], n_label);
    return 1;
}

/* Probabilities, by weight if it is not NULL; 0 when no label has any. */
static int softmax(float *p, size_t n, const float *weight)
{
    float max = -INFINITY, sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        if ((!weight || weight[i] > 0) && p[i] > max)
            max = p[i];
    for (i = 0; i < n; i++) {
        p[i] = weight && !(weight[i] > 0) ? 0 : expf(p[i] - max) * (weight ? weight[i] : 1);
        sum += p[i];
    }
    for (i = 0; i < n; i++)
        p[i] /= sum > 0 ? sum : 1;
    return sum > 0;
}

int langid_all(const struct langid *m, struct langid_room *r, struct bytes text, size_t min,
               size_t max, float *p)
{
    return logits(m, r, text, min, max, p) && softmax(p, (size_t)m->shape.n_label, NULL);
}

struct langid_answer langid_find_among(const struct langid *m, struct langid_room *r,
                                       struct bytes text, size_t min, size_t max,
                                       const float *weight)
{
    struct langid_answer a = { "und", r->und, 0, 0 };
    int best = 0, i;

    if (!logits(m, r, text, min, max, r->p) || !softmax(r->p, (size_t)m->shape.n_label, weight))
        return a;
    for (i = 1; i < m->shape.n_label; i++)
        if (r->p[i] > r->p[best])
            best = i;
    a.label = m->label[best];
    a.lang = r->lang[best];
    a.p = r->p[best];
    a.reliable = a.p >= m->bar[best];
    return a;
}

struct langid_answer langid_find(const struct langid *m, struct langid_room *r, struct bytes text,
                                 size_t min, size_t max)
{
    return langid_find_among(m, r, text, min, max, NULL);
}
