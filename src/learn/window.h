/* window.h - pieces of labelled texts as they come up on the web: of any length, with foreign
 * words in front or inside, without accents. What the piece of one number is depends on that
 * number alone. */
#ifndef LEARN_WINDOW_H
#define LEARN_WINDOW_H

#include <stdint.h>

#include "base/mem.h"
#include "learn/corpus.h"

struct window_rule {
    int min, max;      // characters; lengths in between are drawn by their logarithm
    double power;      // a label is drawn in proportion to its number of texts ^ power
    double foreign;    // share of pieces that get some words of another text
    double bare;       // share of pieces that lose their accents
    uint64_t seed;
    const double *weight;    // [n_label]: draw a label that many times as often; NULL: all alike
};

struct windows;    // read only once made, so threads share it

/* Pieces of the texts of c that are held out, or of those that are not. NULL: there are none.
 * A label all of whose texts are on the other side has no piece. */
struct windows *windows_new(const struct corpus *c, const struct window_rule *rule, int held_out);
void windows_free(struct windows *w);    // w may be NULL

/* Piece number i into *piece (emptied first): its label. */
int windows_get(const struct windows *w, uint64_t i, struct buf *piece);

#endif
