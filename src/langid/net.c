/* net.c - see langid.h: features to probabilities. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "langid/feature.h"
#include "langid/langid.h"
#include "langid/model.h"

struct langid_room {
    struct feature_room *features;
    float *x, *h, *p;    // [D], [hidden], [n_label]
};

struct langid_room *langid_room_new(const struct langid *m)
{
    struct langid_room *r = xcalloc(1, sizeof(*r));

    r->features = feature_room_new(&m->shape);
    r->x = xcalloc((size_t)langid_width(&m->shape), sizeof(*r->x));
    r->h = xcalloc((size_t)m->shape.hidden, sizeof(*r->h));
    r->p = xcalloc((size_t)m->shape.n_label, sizeof(*r->p));
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

static void add_scaled(float *restrict to, const float *restrict row, float scale, size_t n)
{
    size_t i;

#pragma omp simd
    for (i = 0; i < n; i++)
        to[i] += scale * row[i];
}

static void embed(const struct langid *m, const struct features *f, float *x)
{
    size_t i;
    int g;

    memset(x, 0, (size_t)langid_width(&m->shape) * sizeof(*x));
    for (g = 0; g < m->shape.n_group; g++) {
        size_t dim = (size_t)m->shape.group[g].dim;

        for (i = f->begin[g]; i < f->begin[g + 1]; i++)
            add_scaled(x, m->embed[g] + f->f[i].id * dim, f->f[i].weight, dim);
        x += dim;
    }
}

static void softmax(float *p, size_t n)
{
    float max = p[0], sum = 0;
    size_t i;

    for (i = 1; i < n; i++)
        max = p[i] > max ? p[i] : max;
    for (i = 0; i < n; i++)
        sum += p[i] = expf(p[i] - max);
    for (i = 0; i < n; i++)
        p[i] /= sum;
}

int langid_all(const struct langid *m, struct langid_room *r, struct bytes text, size_t min,
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
    softmax(p, n_label);
    return 1;
}

struct langid_answer langid_find(const struct langid *m, struct langid_room *r, struct bytes text,
                                 size_t min, size_t max)
{
    struct langid_answer a = { "und", NULL, 0, 0 };
    int best = 0, i;

    if (langid_all(m, r, text, min, max, r->p)) {
        for (i = 1; i < m->shape.n_label; i++)
            if (r->p[i] > r->p[best])
                best = i;
        a.label = m->label[best];
        a.p = r->p[best];
        a.reliable = a.p >= m->bar[best];
    }
    a.lang = lang_find((struct bytes){ (const unsigned char *)a.label, strlen(a.label) });
    if (a.lang && strcmp(a.lang->label, a.label) != 0)
        a.lang = NULL;
    return a;
}
