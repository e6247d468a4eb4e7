/* automaton.c - see automaton.h. Words make a trie; walked in order of depth, a state's row is that
 * of the longest end of it that is a state, but for its own children. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lists/automaton.h"

enum { NO_WORD, EDGED_ALONE };    // columns

struct trial {    // a state while words are added; 0 is the root
    uint32_t child, sibling, hits, depth, fail;
    uint16_t symbol;
};

static uint32_t new_state(struct automaton *a, unsigned symbol, uint32_t depth)
{
    if ((a->n_state & (a->n_state - 1)) == 0)
        a->trial = xreallocarray(a->trial, 2 * a->n_state + 1, sizeof(*a->trial));
    a->trial[a->n_state] = (struct trial){ .symbol = (uint16_t)symbol, .depth = depth };
    return (uint32_t)a->n_state++;
}

static uint32_t child_of(struct automaton *a, uint32_t parent, unsigned symbol)
{
    uint32_t i = a->trial[parent].child, depth = a->trial[parent].depth;

    while (i && a->trial[i].symbol != symbol)
        i = a->trial[i].sibling;
    if (i)
        return i;
    i = new_state(a, symbol, depth + (symbol != AUTOMATON_EDGE));
    a->trial[i].sibling = a->trial[parent].child;
    a->trial[parent].child = i;
    return i;
}

void automaton_add(struct automaton *a, const uint16_t *symbol, size_t n, uint32_t list,
                   uint32_t word)
{
    uint32_t at = 0;
    size_t i;

    if (!a->n_state)
        new_state(a, 0, 0);
    for (i = 0; i < n; i++) {
        at = child_of(a, at, symbol[i]);
        a->column[symbol[i]] = 1;
    }
    a->n_hit += !a->n_hit;    // the first is no hit
    if ((a->n_hit & (a->n_hit - 1)) == 0)
        a->hit = xreallocarray(a->hit, 2 * a->n_hit, sizeof(*a->hit));
    a->hit[a->n_hit] = (struct hit){ list, word, a->trial[at].hits };
    a->trial[at].hits = (uint32_t)a->n_hit++;
}

/* Symbols of words get columns in their order, so that letters are together. The others share one,
 * and edged ones another. */
static void make_columns(struct automaton *a)
{
    unsigned i;

    a->column[AUTOMATON_EDGE] = 1;
    a->n_column = EDGED_ALONE + 1;
    for (i = 0; i < AUTOMATON_SYMBOLS; i++)
        if (a->column[i])
            a->column[i] = a->n_column++;
        else
            a->column[i] = i < 128 && a->edged[i] ? EDGED_ALONE : NO_WORD;
}

/* Where the hits of a state go on with those of its fail. */
static void join_hits(struct automaton *a, uint32_t state)
{
    struct trial *t = &a->trial[state];
    uint32_t *end = &t->hits;

    while (*end)
        end = &a->hit[*end].next;
    *end = a->trial[t->fail].hits;
}

/* All states in order of depth, with rows of numbers of states. */
static void make_rows(struct automaton *a, uint32_t *order, uint32_t *row)
{
    size_t n = 1, i, width = a->n_column;

    order[0] = 0;
    for (i = 0; i < n; i++) {
        uint32_t state = order[i], child;
        const struct trial *t = &a->trial[state];

        if (state) {
            memcpy(row + state * width, row + t->fail * width, width * sizeof(*row));
            join_hits(a, state);
        }
        for (child = t->child; child; child = a->trial[child].sibling) {
            uint32_t *to = &row[state * width + a->column[a->trial[child].symbol]];

            a->trial[child].fail = *to;    // where the fail of the state goes; 0 from the root
            *to = child;
            order[n++] = child;
        }
    }
}

/* Number the states so that those with hits come last, and bring all into their places. */
static void place_states(struct automaton *a, const uint32_t *order, const uint32_t *row)
{
    uint32_t *place = xreallocarray(NULL, a->n_state, sizeof(*place)), n = 0, h;
    size_t i, k, width = a->n_column;

    for (i = 0; i < a->n_state; i++)
        if (!a->trial[order[i]].hits)
            place[order[i]] = n++;
    a->first_hit = (uint32_t)(n * width);
    for (i = 0; i < a->n_state; i++)
        if (a->trial[order[i]].hits)
            place[order[i]] = n++;
    for (i = 0; i < a->n_state; i++) {
        n = place[i];
        a->depth[n] = a->trial[i].depth;
        a->edge[n] = a->trial[i].symbol == AUTOMATON_EDGE;
        a->hits[n] = a->trial[i].hits;
        for (h = a->hits[n]; h; h = a->hit[h].next)
            a->lists[n] |= UINT64_C(1) << a->hit[h].list % 64;
        for (k = 0; k < width; k++)
            a->step[n * width + k] = (uint32_t)(place[row[i * width + k]] * width);
    }
    a->root = (uint32_t)(place[0] * width);
    a->start = a->step[a->root + a->column[AUTOMATON_EDGE]];
    free(place);
}

/* Steps over what is edged go on over the edge, but for those to states with hits. */
static void step_over_edges(struct automaton *a)
{
    uint32_t edge = a->column[AUTOMATON_EDGE], column[128 + 1] = { EDGED_ALONE };
    size_t i, k, n = 1;
    int c;

    for (c = 0; c < 128; c++)
        if (a->edged[c] && a->column[c] != EDGED_ALONE)
            column[n++] = a->column[c];
    for (i = 0; i < a->n_state; i++) {
        uint32_t *row = a->step + i * a->n_column;

        row[EDGED_ALONE] = a->root;
        for (k = 0; k < n; k++)
            if (row[column[k]] < a->first_hit)
                row[column[k]] = a->step[row[column[k]] + edge];
    }
}

int automaton_seal(struct automaton *a)
{
    uint32_t *order, *row;

    if (!a->n_state)
        new_state(a, 0, 0);
    make_columns(a);
    if (a->n_state > AUTOMATON_MAX / a->n_column)
        return -1;
    order = xreallocarray(NULL, a->n_state, sizeof(*order));
    row = xcalloc(a->n_state * a->n_column, sizeof(*row));
    make_rows(a, order, row);
    a->step = xreallocarray(NULL, a->n_state * a->n_column, sizeof(*a->step));
    a->hits = xcalloc(a->n_state, sizeof(*a->hits));
    a->depth = xcalloc(a->n_state, sizeof(*a->depth));
    a->lists = xcalloc(a->n_state, sizeof(*a->lists));
    a->edge = xcalloc(a->n_state, sizeof(*a->edge));
    place_states(a, order, row);
    step_over_edges(a);
    free(order);
    free(row);
    free(a->trial);
    a->trial = NULL;
    return 0;
}

void automaton_release(struct automaton *a)
{
    free(a->step);
    free(a->hits);
    free(a->depth);
    free(a->edge);
    free(a->lists);
    free(a->hit);
    free(a->trial);
    *a = (struct automaton){ 0 };
}
