/* slot.c - see slot.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/slot.h"

enum { FEATURE_BYTES = 10000 };    // as many of a text are looked at as mC4 does

size_t slot_cells(const struct langid_shape *shape)
{
    return 2 * (size_t)langid_width(shape) + 2 * (size_t)shape->hidden + (size_t)shape->n_label;
}

void slot_init(struct slot *s, const struct langid_shape *shape, float *cell)
{
    int width = langid_width(shape);

    *s = (struct slot){ .x = cell };
    s->dx = s->x + width;
    s->h = s->dx + width;
    s->dh = s->h + shape->hidden;
    s->p = s->dh + shape->hidden;
}

void slot_release(struct slot *s)
{
    buf_release(&s->piece);
    free(s->f);
}

void slot_read(struct slot *s, const struct langid_shape *shape, struct feature_room *room,
               struct bytes text, struct rng *drop, double share)
{
    struct features f;
    int g, n_group = shape->n_group;
    uint64_t limit = (uint64_t)(share * 0x1p32);
    size_t i, n = 0;

    if (!feature_find(room, text, 1, FEATURE_BYTES, &f)) {
        memset(s->begin, 0, sizeof(s->begin));
        return;
    }
    if (f.begin[n_group] > s->cap) {
        s->cap = f.begin[n_group] * 3 / 2;
        s->f = xreallocarray(s->f, s->cap, sizeof(*s->f));
    }
    for (g = 0; g < n_group; g++) {
        s->begin[g] = n;
        for (i = f.begin[g]; i < f.begin[g + 1]; i++)
            if (!drop || (rng_next(drop) >> 32) >= limit)
                s->f[n++] = f.f[i];
    }
    s->begin[n_group] = n;
}

void slot_forward(struct slot *s, const struct langid *m)
{
    float *x = s->x, top = -INFINITY;
    double sum = 0;
    int g, i, j, D = langid_width(&m->shape), H = m->shape.hidden, L = m->shape.n_label;
    size_t f;

    memset(s->x, 0, (size_t)D * sizeof(*s->x));
    for (g = 0; g < m->shape.n_group; g++) {
        int dim = m->shape.group[g].dim;

        for (f = s->begin[g]; f < s->begin[g + 1]; f++) {
            const float *row = m->embed[g] + (size_t)s->f[f].id * (size_t)dim;

#pragma omp simd
            for (j = 0; j < dim; j++)
                x[j] += s->f[f].weight * row[j];
        }
        x += dim;
    }
    memcpy(s->h, m->hidden_b, (size_t)H * sizeof(*s->h));
    for (i = 0; i < D; i++)
#pragma omp simd
        for (j = 0; j < H; j++)
            s->h[j] += s->x[i] * m->hidden_w[(size_t)i * (size_t)H + (size_t)j];
    memcpy(s->p, m->out_b, (size_t)L * sizeof(*s->p));
    for (i = 0; i < H; i++) {
        const float *row = m->out_w + (size_t)i * (size_t)L;
        float h = s->h[i] = s->h[i] > 0 ? s->h[i] : 0;

        if (h > 0) {
#pragma omp simd
            for (j = 0; j < L; j++)
                s->p[j] += h * row[j];
        }
    }
    for (j = 0; j < L; j++)
        top = s->p[j] > top ? s->p[j] : top;
    for (j = 0; j < L; j++)
        sum += s->p[j] = expf(s->p[j] - top);
    for (j = 0; j < L; j++)
        s->p[j] = (float)(s->p[j] / sum);
}

int slot_answer(const struct slot *s, int n_label)
{
    int j, best = 0;

    for (j = 1; j < n_label; j++)
        if (s->p[j] > s->p[best])
            best = j;
    return best;
}

void slot_backward(struct slot *s, const struct langid *m, double smooth, double scale)
{
    int i, j, D = langid_width(&m->shape), H = m->shape.hidden, L = m->shape.n_label;
    float share = (float)scale, even = (float)(smooth / L), rest = (float)(1 - smooth);

    s->loss = -log((double)s->p[s->label] + 1e-30);
    s->right = slot_answer(s, L) == s->label;
    for (j = 0; j < L; j++)
        s->p[j] = share * (s->p[j] - even - (j == s->label ? rest : 0));
    for (i = 0; i < H; i++) {
        const float *row = m->out_w + (size_t)i * (size_t)L;
        float sum = 0;

        if (s->h[i] > 0) {
#pragma omp simd reduction(+ : sum)
            for (j = 0; j < L; j++)
                sum += s->p[j] * row[j];
        }
        s->dh[i] = sum;
    }
    for (i = 0; i < D; i++) {
        const float *row = m->hidden_w + (size_t)i * (size_t)H;
        float sum = 0;

#pragma omp simd reduction(+ : sum)
        for (j = 0; j < H; j++)
            sum += s->dh[j] * row[j];
        s->dx[i] = sum;
    }
}
