/* denoiser.h - what becomes of a piece: span corruption (span.h), or a prefix and what follows; a
 * mixture of these is UL2's objective. */
#ifndef SEQ_DENOISER_H
#define SEQ_DENOISER_H

#include <stddef.h>
#include <stdint.h>

#include "seq/span.h"

struct err;

enum { DENOISER_MAX = 16 };

struct denoiser {
    int prefix;               // the input is what stands before a split that is drawn uniformly
    struct span_rule span;    // a prefix needs eos alone
    int32_t mode;             // an id in front of the input; 0: none
    double share;             // of the examples, in proportion
    uint32_t piece;           // ids of a whole piece
    int pair;    // of a prefix: a piece becomes two examples, whose splits mirror each other
};

/* What a piece of n > 0 ids takes in a row, at most: a prefix may split anywhere, but that of a
 * pair ends where the other's target does. */
struct span_size denoiser_size(const struct denoiser *k, uint32_t n);

/* Do they fit, and has each span a sentinel? */
int denoiser_fits(const struct denoiser *k, uint32_t n, size_t inputs, size_t targets);

/* Read "span:DENSITY:MEAN:SHARE[:MODE]" or "prefix:SHARE[:MODE]", with commas between, into k:
 * how many there are, each with the rest of its rule from `from`. -1 when text is none. */
int denoiser_parse(const char *text, const struct span_rule *from, struct denoiser *k,
                   struct err *err);
/* The seven of UL2, in equal shares and without modes: R, R, S, X, X, X, X. */
extern const char denoiser_ul2[];

/* The longest piece up to `most` of which, and of all shorter ones, input and target fit, and
 * spans have sentinels: into k->piece. -1 when there is none of two ids. */
int denoiser_fit(struct denoiser *k, uint32_t inputs, uint32_t targets, uint32_t most,
                 struct err *err);

/* The number of the one among n that a uniform number u in [0, 1) means. */
int denoiser_pick(const struct denoiser *k, int n, double u);

/* Split after how many of n ids, at random: 1 .. n - 1, each as likely; 0 for n = 1. */
struct rng;
uint32_t denoiser_split(uint32_t n, struct rng *rng);

#endif
