/* init.c - the first weights: see params.h. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "shape/config.h"
#include "shape/params.h"
#include "shape/slice.h"

const char *const init_words[] = { "paper", "mtf", "t5x", NULL };

struct draw {    // s is a deviation, or of a uniform draw the bound
    enum { CONSTANT, UNIFORM, NORMAL, TRUNCATED } kind;
    double s;
};

static struct draw draw_paper(const struct param *p, const struct config *c, double scale)
{
    double matrix = p->n_dim > 1 ? sqrt(scale / (double)slice_dim(p, 1)) : 1;

    switch (p->role) {
    case PARAM_EMBEDDING:
        return (struct draw){ NORMAL, 1 };
    case PARAM_NORM:
        return (struct draw){ CONSTANT, 1 };
    case PARAM_RELPOS:
        return (struct draw){ UNIFORM, sqrt(6.0 * scale / (double)(c->n_bucket + c->n_head)) };
    case PARAM_QUERY:
        return (struct draw){ TRUNCATED, matrix / sqrt((double)c->d_kv) };
    default:
        return (struct draw){ TRUNCATED, matrix };
    }
}

/* Its scale does not reach attention. */
static struct draw draw_mtf(const struct param *p, const struct config *c, double scale)
{
    if (p->role == PARAM_RELPOS || p->role == PARAM_QUERY || p->role == PARAM_ATTENTION) {
        struct draw d = draw_paper(p, c, 1);

        d.kind = p->role == PARAM_RELPOS ? UNIFORM : NORMAL;
        return d;
    }
    return draw_paper(p, c, scale);
}

/* Normal ones are not cut but in dense layers, where the deviation is that after the cut. */
static struct draw draw_t5x(const struct param *p, const struct config *c, double scale)
{
    struct draw d = draw_paper(p, c, scale);

    if (p->role == PARAM_ROUTER)
        return (struct draw){ NORMAL, 0.02 };
    if (p->role == PARAM_QUERY || p->role == PARAM_ATTENTION || p->expert >= 0)
        d.kind = NORMAL;
    if (d.kind == TRUNCATED)
        d.s /= 0.87962566103423978;    // deviation of a normal cut at 2
    return d;
}

static void draw(const struct param *p, const struct draw *d, uint64_t seed, float *to)
{
    char *purpose = xasprintf("init %s", p->name);
    uint64_t key = rng_key(seed, purpose);
    double s = d->s;
    size_t j;

    free(purpose);
#pragma omp parallel for schedule(static)
    for (j = 0; j < p->n; j++) {
        size_t at = slice_index(p, j);

        if (d->kind == CONSTANT)
            to[j] = (float)s;
        else if (d->kind == UNIFORM)
            to[j] = (float)(s * (2.0 * rng_uniform(key, at, 0) - 1.0));
        else
            to[j] = (float)(s * rng_normal(key, at, 0, d->kind == TRUNCATED));
    }
}

void params_draw(const struct param *p, const struct config *c, uint64_t seed, double scale,
                 float *to)
{
    struct draw d = draw_paper(p, c, scale);

    draw(p, &d, seed, to);
}

void params_init_as(struct params *t, const struct config *c, uint64_t seed, double scale,
                    enum init_scheme scheme)
{
    static struct draw (*const how[])(const struct param *, const struct config *,
                                      double) = { draw_paper, draw_mtf, draw_t5x };
    size_t i;

    for (i = 0; i < t->n; i++) {
        struct draw d = how[scheme](&t->p[i], c, scale);

        draw(&t->p[i], &d, seed, t->p[i].w);
    }
}

void params_init(struct params *t, const struct config *c, uint64_t seed, double scale)
{
    params_init_as(t, c, seed, scale, INIT_PAPER);
}
