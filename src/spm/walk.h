/* walk.h - the search of unigram.c over codes, almost without branches that cannot be foreseen.
 *
 * A walk's first steps are taken whether or not it goes on: what no piece holds leads to the dead
 * end, whose score of minus infinity is never the better one.
 */
#ifndef SPM_WALK_H
#define SPM_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "text/trie.h"

struct encode_work;
struct encoder;

enum {
    WALK_STEPS = 4,
    WALK_CODE_BITS = 24,
    WALK_UNKNOWN = TRIE_NONE
};    // CODES_PIECE_MAX fits above

struct walk {
    struct trie trie;      // of pieces in codes; a number is an id and 1, or 0: no piece
    const float *score;    // by number
    unsigned char *odd;    // by code: pieces begin with it whose old score is no float; or NULL
};

/* Fill all but the trie from the encoder's codes and scores. */
void walk_scores(struct walk *w, const struct encoder *e);
void walk_release(struct walk *w);

struct walk_ways {            // to each code of a text
    float *score, *second;    // of the best way, and of the next best
    uint32_t
        *from;    // codes of the piece it ends with << WALK_CODE_BITS | its number, or WALK_UNKNOWN
    uint32_t *back;    // the same from the last piece to the first
    size_t cap;
};

void walk_need(struct walk_ways *w, size_t n);
void walk_ways_release(struct walk_ways *w);

/* The best way through work's n codes, which WALK_STEPS zeros follow, from a score of `start`.
 * Returns its score. */
float walk_best(const struct encoder *e, struct encode_work *work, uint32_t n, float start);

/* The same from 0, and the second best ways, in the newer arithmetic. 0, or -1 if that says nothing
 * about the older one, which is asked for. */
int walk_gaps(const struct encoder *e, struct encode_work *work, uint32_t n);

/* Brings the pieces of the best way to n, from the last to the first, into back: how many. */
size_t walk_back(struct walk_ways *w, uint32_t n);

#endif
