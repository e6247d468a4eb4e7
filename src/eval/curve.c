/* curve.c - see curve.h. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "eval/curve.h"

enum { N_POINT = 400 };

void curve_add(struct curve *c, double x, double y)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->x = xreallocarray(c->x, c->cap, sizeof(*c->x));
        c->y = xreallocarray(c->y, c->cap, sizeof(*c->y));
    }
    c->x[c->n] = x;
    c->y[c->n++] = y;
}

void curve_thin(const struct curve *c, size_t n_point, struct curve *out)
{
    size_t part, i;

    if (n_point > c->n)
        n_point = c->n;
    for (part = 0; part < n_point; part++) {
        size_t from = part * c->n / n_point, to = (part + 1) * c->n / n_point;
        double x = 0, y = 0;

        for (i = from; i < to; i++) {
            x += c->x[i];
            y += c->y[i];
        }
        curve_add(out, x / (double)(to - from), y / (double)(to - from));
    }
}

void curve_smooth(const struct curve *c, double span, struct curve *out)
{
    double sum = 0, weight = 0, keep = 1 - 1 / span;
    size_t i;

    for (i = 0; i < c->n; i++) {    // dividing by the weight so far keeps the start honest
        sum = keep * sum + c->y[i];
        weight = keep * weight + 1;
        curve_add(out, c->x[i], sum / weight);
    }
}

void curve_draw(const struct curve *c, struct curve *plain, struct curve *smooth)
{
    struct curve all = { 0 };

    curve_smooth(c, 1 + (double)c->n / 50, &all);
    curve_thin(c, N_POINT, plain);
    curve_thin(&all, N_POINT, smooth);
    curve_release(&all);
}

double curve_reach(const struct curve *c, double level)
{
    size_t i;

    for (i = 0; i < c->n && !(c->y[i] <= level); i++)
        ;
    if (i == c->n)
        return NAN;
    if (i == 0)
        return c->x[0];
    return c->x[i - 1] + (c->x[i] - c->x[i - 1]) * (c->y[i - 1] - level) / (c->y[i - 1] - c->y[i]);
}

void curve_release(struct curve *c)
{
    free(c->x);
    free(c->y);
    *c = (struct curve){ 0 };
}
