/* weights.h - a model to be read only: its tensors stay in their mapped files.
 *
 * A matrix is used where it lies, whatever its type, so that the system brings in what is touched,
 * an expert when a token first chooses it, and may drop it again. What is small and read as a whole
 * (norms, biases, routers) is widened into memory if it is not float32.
 */
#ifndef GENERATE_WEIGHTS_H
#define GENERATE_WEIGHTS_H

#include "generate/matrix.h"
#include "shape/config.h"

struct err;
struct params;
struct tensors;

struct weights_attend {
    struct matrix q, k, v, o;    // [I, M] three times (none: experts), [M, I]
};

struct weights_ffn {               // as struct ffn
    size_t d_model, d_ff;          // M, F
    struct matrix wi, wi_1, wo;    // [F, M], [F, M] or none, [M, F]
};

struct weights_heads {              // as struct heads
    size_t d_model, d_ff, inner;    // M; F, without Wi M; I
    struct matrix wi, q, kv;        // [F, M] or none; [I, F] twice
};

struct weights_block {
    const float *norm[3];                 // [M], of the sublayers in their order
    struct weights_attend self, cross;    // cross: decoder alone
    struct weights_ffn ffn;               // dense
    const float *router;                  // sparse: [E, M], else NULL
    struct weights_ffn *expert;           // [E]
    const float *mix_router;              // of self-attention by experts: [E, M], else NULL
    struct weights_heads *heads;          // [E]
};

struct weights_stack {
    int n_block;
    struct weights_block *block;
    const float *final_norm, *relpos;    // [M], [buckets, H]
};

struct weights {
    struct config c;
    struct weights_stack stack[2];    // by enum stack
    struct matrix embedding, head;    // [V, M]
    struct params *table;             // names and shapes
    struct tensors *file;
    struct matrix *tensor;    // [table->n]
    float **widened;          // [table->n] those that are ours, else NULL
};

/* path: a folder with config.json and safetensors. NULL on failure. */
struct weights *weights_open(const char *path, struct err *err);
void weights_close(struct weights *w);    // w may be NULL or half open

#endif
