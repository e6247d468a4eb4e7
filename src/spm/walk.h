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

enum { WALK_SPARE = 8, WALK_CODE_BITS = 24, WALK_UNKNOWN = TRIE_NONE };
enum { WALK_SURE_MAX = 4096 };    // codes that walk_sure() takes

struct walk {
    struct trie trie;      // of pieces in codes; a number is an id and 1, or 0: no piece
    uint64_t *first;       // by code: the node it leads to from the root, but its label, or 0
    const float *score;    // by number
    unsigned char *odd;    // by code: pieces begin with it whose old score is no float; or NULL
};

/* Fill all but the trie from the encoder's codes and scores. */
void walk_init(struct walk *w, const struct encoder *e);
void walk_release(struct walk *w);

struct walk_ways {     // to each code of a text
    float *score;      // of the best way
    uint32_t *from;    // codes of the piece it ends with << WALK_CODE_BITS | its number, or
                       // WALK_UNKNOWN (so many of them), or 0: then it is in id
    uint32_t *back;    // the same from the last piece to the first
    uint32_t *id;      // by start and length of a piece: its number
    size_t cap;
};

void walk_need(struct walk_ways *w, size_t n);
void walk_ways_release(struct walk_ways *w);

/* The best way through work's n codes, which WALK_SPARE zeros follow, from a score of `start`.
 * Returns its score. */
float walk_best(const struct encoder *e, struct encode_work *work, uint32_t n, float start);

struct walk_sure {
    float gap;       // between the best way to any place and any other that was compared with it
    uint32_t run;    // codes from a place that all ways pass to the next one, at most
};

/* The best way from 0, found with sums of floats. -1 if that would say nothing of the arithmetic
 * that is asked for, or if it is too long. */
int walk_sure(const struct encoder *e, struct encode_work *work, uint32_t n, struct walk_sure *s);

/* Brings the pieces of the best way to a place, from the last to the first, into back: how many. */
size_t walk_back(struct walk_ways *w, uint32_t at);

#endif
