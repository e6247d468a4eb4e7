/* layer.h - the layers of generation, whose every number depends on its own text alone.
 *
 * A product is done in one of two ways, both the same whatever else is computed beside it and on
 * however many threads: by rows, a dot product for each output; or by text, with BLAS on one
 * thread in tiles that depend on the text's length. net_threads() has seen to that.
 */
#ifndef GENERATE_LAYER_H
#define GENERATE_LAYER_H

#include <stddef.h>
#include <stdint.h>

#include "moe/router.h"

struct config;
struct matrix;
struct weights_block;

enum product { BY_ROWS, BY_TEXT };    // BY_TEXT: the rows are those of one text

/* y [n, out] = x [n, in] w [out, in]^T; what is of another type than float32 is widened tile by
 * tile, with the same result. */
void product(enum product how, float *y, const float *x, const struct matrix *w, size_t n,
             size_t in, size_t out);

struct feed_work {                      // memory that grows; { 0 } is empty
    float *hidden, *gate, *in, *out;    // [2, n, F], [n, F], [n, M], [n, M or 2 I]
    struct route route;
    int32_t *order;    // [n] choices
    size_t n;
};

/* y [n, M] = FFN(x), or the Switch layer's: gates times what the chosen experts make. capacity:
 * rows an expert takes, those past it get 0; 0: all. Where second choices are drawn, all are
 * taken. */
void feed(const struct weights_block *b, const struct config *c, int capacity, enum product how,
          const float *x, size_t n, struct feed_work *work, float *y);

/* query and key [n, I] of self-attention by experts; keys are values too. */
void mix(const struct weights_block *b, const struct config *c, int capacity, enum product how,
         const float *x, size_t n, struct feed_work *work, float *query, float *key);

void feed_need(struct feed_work *w, size_t n, const struct config *c);
void feed_release(struct feed_work *w);

#endif
