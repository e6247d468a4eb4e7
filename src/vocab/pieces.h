/* pieces.h - candidates for a vocabulary: strings with scores. */
#ifndef VOCAB_PIECES_H
#define VOCAB_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct candidate {
    struct bytes s;    // a view into the corpus or the letters
    double score;      // logarithm of its probability
    uint32_t chars;
    int letter;    // a single character: never dropped
};

struct candidates {
    struct candidate *of;
    size_t n;
    struct buf letters;    // text of the single characters
};

void candidates_release(struct candidates *c);

struct corpus;
struct err;

/* The letters of the corpus, and the n strings of two characters or more (up to max_chars) that
 * come twice at least and have the greatest count times length, of at most mem bytes of words, the
 * most common first. Scores are logarithms of shares. 0 or -1. */
int seeds_find(struct candidates *c, const struct corpus *from, int max_chars, size_t n, size_t mem,
               struct err *err);

/* Unigram training (Kudo 2018, as SentencePiece does it): expectation, maximisation and pruning
 * until want candidates are left besides letters that have none. j threads; the result does not
 * depend on their number. say: called with what a round did; may be NULL. 0 or -1. */
struct unigram_plan {
    size_t want;      // pieces in the end, letters included
    double shrink;    // share of the pieces that a round keeps (0.75)
    int rounds;       // of expectation between two prunings (2)
    int by_parts;     // weigh candidates as 0.2.2; else as 0.1.97, which makes fewer tokens
    int n_thread;
    void (*say)(size_t n_piece, double bits_per_char);
};

int unigram_train(struct candidates *c, const struct corpus *from, const struct unigram_plan *plan,
                  struct err *err);

/* Byte pair encoding: want - letters merges of the most common pair, in their order. */
void bpe_train(struct candidates *c, const struct corpus *from, int max_chars, size_t want);

#endif
