/* tile.h - the parts of attention: which queries meet which keys, how they are laid out for
 * kern.product(), what is masked and dropped. For attention.c; see there.
 */
#ifndef NN_TILE_H
#define NN_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "nn/attention.h"

enum {
    PANEL = KERNEL_PANEL,
    QUERIES = 64,             // of a tile
    KEYS = 512,               // of a block, at most
    FLOATS = KEYS * PANEL,    // keys times D, rounded up to panels
    WIDE = KEYS + 16          // floats of a query's scores: no power of two, for the cache's sake
};

struct head {    // one head of one row
    const struct attention *a;
    size_t row, head;
    size_t width;    // of q, k, v, o: H D
    size_t n_query, n_key, d;
    size_t panels, keys;                 // of D; of a block
    size_t at_query, at_key, at_seen;    // offsets of [S, H D], [T, H D], [S, 2]
    const float *bias;                   // [span] or NULL
    float *d_bias;                       // likewise
    const int32_t *segment_q, *segment_k;
};

/* Queries that follow one another and are of one segment, and the keys they meet. */
struct stretch {
    size_t i, end;    // queries
    size_t lo, hi;    // keys
    int solid;        // all keys in [lo, hi) are of the segment
    int32_t segment;
};

struct tile {    // queries [i, i + rows) with keys [key, key + n)
    const struct head *h;
    const struct stretch *stretch;
    size_t i, rows, key, n;
};

/* Keys of a block as kern.product() wants them: turned for scores, as they are for sums. The
 * turned ones are a piece for each panel of D, so that a piece's panels are whole products. */
struct turned {
    float x[FLOATS];    // [panels of D, panels of keys, PANEL of D, PANEL]
};
struct plain {
    float x[FLOATS];    // [panels of D, keys, PANEL]
};

struct queries {
    float x[QUERIES * ATTENTION_WIDTH_MAX];    // [panels of D, QUERIES, PANEL]
};

/* Head unit % H of row unit / H. */
struct head tile_head(const struct attention *a, size_t unit, const float *bias, float *d_bias);

/* The stretch that starts at query i. */
struct stretch tile_stretch(const struct head *h, size_t i);

/* The tile at query i, of so many queries at most, with keys [key, end); no keys where none is
 * visible. */
struct tile tile_at(const struct head *h, const struct stretch *r, size_t i, size_t most,
                    size_t key, size_t end);

/* x [n, D], rows H D apart, of which row i is scaled by f[i] if there is f; panels of D step rows
 * apart. */
void tile_lay(const struct head *h, float *to, const float *x, size_t n, size_t step,
              const float *f);
/* Likewise, turned. */
void tile_turn(const struct head *h, struct turned *to, const float *x, size_t n, const float *f);

/* scores [rows, WIDE] = x y^T of a tile */
void tile_multiply(const struct tile *t, const struct queries *x, const struct turned *y,
                   float *scores);

/* y [rows, D] of the tile's queries, rows H D apart, += probabilities x keys */
void tile_gather(const struct tile *t, const float *probs, const struct plain *keys, float *y);

/* keys += probabilities^T x queries */
void tile_scatter(const struct tile *t, const float *probs, const struct queries *x,
                  struct plain *keys);

/* How many of the tile's keys come before what query i may not see. */
size_t tile_before_mask(const struct tile *t, size_t i);

/* Keys of other segments among the first n become invisible; returns how many are left. */
size_t tile_hide(const struct tile *t, size_t n, float *x);

/* The factors of a block's values, or NULL: those that all queries share. */
const float *tile_shared_factors(const struct head *h, size_t key, size_t n, float *f);

/* Each query's x [n] times its own factors. */
void tile_drop_each(const struct tile *t, float *x);
void tile_zero(float *x, size_t rows, size_t n, size_t ld);

/* y [n, D], rows H D apart, += x, whose row i is scaled by f[i] if there is f. */
void tile_add(const struct head *h, const struct plain *x, size_t n, const float *f, float *y);

#endif
