/* automaton.h - many words found in one pass over a text, whatever their number: an automaton of
 * Aho and Corasick whose steps are one look-up each, in flat arrays.
 *
 * What it steps over are bytes and, between two of them, AUTOMATON_EDGE: where a word may begin.
 */
#ifndef LISTS_AUTOMATON_H
#define LISTS_AUTOMATON_H

#include <stddef.h>
#include <stdint.h>

enum { AUTOMATON_EDGE = 256, AUTOMATON_SYMBOLS, AUTOMATON_MAX = 1 << 28 };    // elements of step

struct hit {          // a word that ends in a state
    uint32_t list;    // its list and number, as added
    uint32_t word;
    uint32_t next;    // another that ends there, no longer than this: of hits; 0: none
};

struct automaton {                         // { 0 } is empty; read only once it is sealed
    uint32_t column[AUTOMATON_SYMBOLS];    // of a symbol
    uint32_t n_column;
    unsigned char edged[128];    // ASCII that an edge always follows: set before words are added
    uint32_t *step;              // [states * n_column] the next state: by state + column
    uint32_t first_hit;     // states from this one on have hits; a state is a row's first element
    uint32_t *hits;         // [states] by state / n_column; 0: none
    uint32_t *depth;        // [states] bytes of the longest beginning of a word that ends there
    unsigned char *edge;    // [states] whether the last of it is an edge
    uint64_t *lists;        // [states] bit list % 64 of all its hits
    struct hit *hit;        // [n_hit], the first unused
    struct trial *trial;    // while words are added
    size_t n_state, n_hit;
    uint32_t root, start;    // nothing read; an edge
};

/* Add a word of n symbols (0 is none: it ends everywhere). */
void automaton_add(struct automaton *a, const uint16_t *symbol, size_t n, uint32_t list,
                   uint32_t word);

/* No more words: make the arrays. 0, or -1: they would be larger than AUTOMATON_MAX. */
int automaton_seal(struct automaton *a);
void automaton_release(struct automaton *a);

/* The state after a symbol. It is that after the edge of an edged one, too, unless it has hits:
 * then the edge is to be stepped over where the state has none yet. */
static inline uint32_t automaton_step(const struct automaton *a, uint32_t state, unsigned symbol)
{
    return a->step[state + a->column[symbol]];
}

/* The first of the hits of a state, 0 when none is of this list. */
static inline uint32_t automaton_hits(const struct automaton *a, uint32_t state, uint32_t list)
{
    if (state < a->first_hit)
        return 0;
    state /= a->n_column;
    return a->lists[state] >> list % 64 & 1 ? a->hits[state] : 0;
}

#endif
