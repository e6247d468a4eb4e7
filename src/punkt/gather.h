/* gather.h - what is counted of a text, before anything is judged. For train.c.
 *
 * Text is read once and not kept. Whether a word with a full stop is an abbreviation is only known
 * at the end, and with it where sentences end; so what follows such a word is counted as a pair,
 * and judged then. Memory is that of the different words, and pairs of those.
 */
#ifndef PUNKT_GATHER_H
#define PUNKT_GATHER_H

#include <stdint.h>

#include "base/mem.h"
#include "punkt/token.h"
#include "punkt/types.h"

enum {                   // of a pair
    PAIR_INITIAL = 1,    // its first token is one letter
    PAIR_UPPER = 2,      // its second begins with a capital,
    PAIR_LOWER = 4,
    PAIR_LETTERS = 8,    // has nothing but letters,
    PAIR_NEW_LINE = 16,
    PAIR_NEW_PART = 32,
};

struct punkt_pair {    // of tokens; the first ends in a full stop
    uint32_t first, second, flags;
};

struct punkt_counts {    // of strings numbered by a struct types
    uint64_t *n;
    size_t cap;
};

struct punkt_trainer {
    struct types *type, *pair;
    struct punkt_counts n_type, n_pair, n_part, n_vote;    // n_part: of each type, in this part
    unsigned char *context;                                // of each type: as far as it is known
    size_t context_cap;
    uint32_t number;                          // the type
    uint64_t n_token, n_dot, n_dot_number;    // n_dot: that end in a full stop
    uint64_t token_before, dot_before;        // before this part
    struct punkt_token last;                  // its type in low[room]; without one at the start
    uint32_t last_type;
    int has_last, room, empty_line;
    struct buf low[2];
};

void punkt_counts_add(struct punkt_counts *c, uint32_t i, uint64_t n);
uint64_t punkt_counts_get(const struct punkt_counts *c, uint32_t i);

/* Count s, numbered in t. */
uint32_t punkt_count_type(struct types *t, struct punkt_counts *c, struct bytes s);

enum punkt_place { PLACE_FIRST, PLACE_MID, PLACE_UNSURE };    // in a sentence

/* Where a token stands, with its case: a bit of its context, or 0. */
unsigned punkt_context_bit(enum punkt_place place, int upper, int lower);

/* Where a token stands, from where the one before it puts it. */
enum punkt_place punkt_place_of(enum punkt_place place, int new_line, int new_part);

#endif
