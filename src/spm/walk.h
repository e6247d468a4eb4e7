/* walk.h - the search of unigram.c over codes, almost without branches that cannot be foreseen.
 *
 * A walk's first STEPS codes are taken whether or not it goes on: what no piece holds leads to a
 * dead end, whose score of minus infinity is never the better one. A node has its piece's score
 * beside it, and its id elsewhere, for few are asked for it.
 */
#ifndef SPM_WALK_H
#define SPM_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "text/trie.h"

struct encode_work;
struct encoder;

enum { WALK_STEPS = 4, WALK_CODE_BITS = 24, WALK_UNKNOWN = 0xFFFFFF };

struct walk_node {
    uint32_t tag;    // base << 8 | label, as in text/trie.h
    float score;     // of the piece that ends here; -INFINITY: none does
};

struct walk {
    struct walk_node *node;
    uint32_t *id;    // by node: of the piece
    size_t cap;      // nodes, as in struct trie
    uint32_t root;
    unsigned char *odd;    // by code: pieces begin with it whose old score is no float; or NULL
};

/* Takes the trie, whose keys are in codes, `most` of them at most, and whose numbers are ids. 0, or
 * -1 if it is too large or a piece too long: then the trie stays. */
int walk_init(struct walk *w, struct trie *t, size_t most, const struct encoder *e);
void walk_release(struct walk *w);

struct walk_ways {            // to each code of a text
    float *score, *second;    // of the best way, and of the next best
    uint32_t
        *from;    // codes of the piece it ends with << WALK_CODE_BITS | its node or WALK_UNKNOWN
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
