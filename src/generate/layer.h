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

#include "nn/ffn.h"

struct weights_block;

enum product { BY_ROWS, BY_TEXT };    // BY_TEXT: the rows are those of one text

/* y [n, out] = x [n, in] w [out, in]^T */
void product(enum product how, float *y, const float *x, const float *w, size_t n, size_t in,
             size_t out);

struct feed_work {                               // memory that grows; { 0 } is empty
    float *hidden, *gate, *logits, *in, *out;    // [2, n, F], [n, F], [n, E + 1], [n, M], [n, M]
    int32_t *expert, *order;                     // [n]
    size_t n;
};

/* y [n, M] = FFN(x), or the Switch layer's: gate times the chosen expert's. capacity: rows an
 * expert takes, those past it get 0; 0: all. */
void feed(const struct weights_block *b, int n_expert, int capacity, enum product how,
          const float *x, size_t n, struct feed_work *work, float *y);

void feed_need(struct feed_work *w, size_t n, size_t d_model, size_t d_ff, int n_expert);
void feed_release(struct feed_work *w);

#endif
