/* tile.h - how long the next piece is to be, and which open row takes it, so that rows become
 * full on both sides.
 *
 * The examples of a piece take inputs and targets in a proportion that is its denoiser's own: 4.5
 * to 1 for spans of T5, 1 to 1 for half noise or for two prefixes that mirror each other. A row
 * whose room has that proportion can be filled to the last id by one such piece. So a piece
 * completes a row if it can; else it is cut so that the room that it leaves has the proportion of
 * another denoiser, and the row waits for that; else a row is divided into pieces of one length.
 */
#ifndef SEQ_TILE_H
#define SEQ_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "seq/denoiser.h"

struct packer;

enum { TILE_SHORTEST = 16 };    // ids of a piece
enum { TILE_LEAST = 8 };        // a row with less room on a side takes no other piece

struct tile_shape {              // of a denoiser's pieces
    double in, out;              // inputs and targets an id more takes
    double more_in, more_out;    // and those that every piece takes besides
    uint32_t least, most;        // ids of a piece
    double share;                // of the pieces
};

struct tile_rule {
    size_t inputs, targets;    // of a row
    int n_open;                // rows of a language, at most
    int n_kind;
    const struct denoiser *kind;    // [n_kind], with their longest pieces; the caller's
    struct tile_shape shape[DENOISER_MAX];
};

struct tile {
    uint32_t n;    // ids of the piece
    int row;       // which open row: as in packer_put()
    int mark;      // of the row from then on: 0; 1 + the number of the denoiser that is to
                   // complete it; or less than 0: how many pieces more before it waits for one
};

void tile_init(struct tile_rule *rule, const struct denoiser *kind, int n_kind, size_t inputs,
               size_t targets, int n_open);

/* Where the next piece of a denoiser, number kind, goes, given the open rows of lang. */
struct tile tile_choose(const struct tile_rule *rule, const struct packer *p, int lang, int kind);

#endif
