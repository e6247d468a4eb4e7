/* gram.c - see gram.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "score/gram.h"

static int gram_order(const void *a, const void *b)
{
    return memcmp(((const struct gram *)a)->id, ((const struct gram *)b)->id,
                  sizeof(((const struct gram *)a)->id));
}

static void room(struct grams *g, size_t n)
{
    if (n <= g->cap)
        return;
    g->cap = n < 2 * g->cap ? 2 * g->cap : n;
    g->gram = xreallocarray(g->gram, g->cap, sizeof(*g->gram));
}

/* Sort what is there and add up what is there twice; max: keep the larger count instead. */
static void unite(struct grams *g, int max)
{
    size_t i, to = 0;

    if (g->n)
        qsort(g->gram, g->n, sizeof(*g->gram), gram_order);
    for (i = 0; i < g->n; i++) {
        struct gram *last = to ? &g->gram[to - 1] : NULL;

        if (!last || gram_order(last, &g->gram[i]) != 0)
            g->gram[to++] = g->gram[i];
        else if (!max)
            last->count += g->gram[i].count;
        else if (last->count < g->gram[i].count)
            last->count = g->gram[i].count;
    }
    g->n = to;
}

void grams_count(struct grams *g, const uint32_t *id, size_t n, size_t order)
{
    size_t i;

    g->n = 0;
    if (n < order)
        return;
    room(g, n - order + 1);
    for (i = 0; i + order <= n; i++) {
        struct gram *to = &g->gram[g->n++];

        memset(to, 0, sizeof(*to));
        memcpy(to->id, id + i, order * sizeof(*id));
        to->count = 1;
    }
    unite(g, 0);
}

size_t grams_total(const struct grams *g)
{
    size_t i, sum = 0;

    for (i = 0; i < g->n; i++)
        sum += g->gram[i].count;
    return sum;
}

size_t grams_common(const struct grams *a, const struct grams *b)
{
    size_t i = 0, j = 0, sum = 0;

    while (i < a->n && j < b->n) {
        int order = gram_order(&a->gram[i], &b->gram[j]);

        if (!order)
            sum += a->gram[i].count < b->gram[j].count ? a->gram[i].count : b->gram[j].count;
        i += order <= 0;
        j += order >= 0;
    }
    return sum;
}

void grams_max(struct grams *a, const struct grams *b)
{
    if (!b->n)
        return;
    room(a, a->n + b->n);
    memcpy(a->gram + a->n, b->gram, b->n * sizeof(*b->gram));
    a->n += b->n;
    unite(a, 1);
}

void grams_release(struct grams *g)
{
    free(g->gram);
    *g = (struct grams){ 0 };
}
