/* weights.h - a model to be read only: its tensors stay in their mapped files.
 *
 * A float32 tensor is used where it lies, so that the system brings in what is touched, an
 * expert when a token first chooses it, and may drop it again. Other types are widened into memory.
 */
#ifndef GENERATE_WEIGHTS_H
#define GENERATE_WEIGHTS_H

#include "moe/heads.h"
#include "nn/ffn.h"
#include "shape/config.h"

struct err;
struct params;
struct tensors;

struct weights_attend {
    const float *q, *k, *v, *o;    // [I, M] three times (NULL: experts), [M, I]
};

struct weights_block {
    const float *norm[3];                 // [M], of the sublayers in their order
    struct weights_attend self, cross;    // cross: decoder alone
    struct ffn ffn;                       // dense
    const float *router;                  // sparse: [E, M], else NULL
    struct ffn *expert;                   // [E]
    const float *mix_router;              // of self-attention by experts: [E, M], else NULL
    struct heads *heads;                  // [E]
};

struct weights_stack {
    int n_block;
    struct weights_block *block;
    const float *final_norm, *relpos;    // [M], [buckets, H]
};

struct weights {
    struct config c;
    struct weights_stack stack[2];    // by enum stack
    const float *embedding, *head;    // [V, M]
    struct params *table;             // names and shapes
    struct tensors *file;
    const float **tensor;    // [table->n]
    float **widened;         // [table->n] those that are ours, else NULL
};

/* path: a folder with config.json and safetensors. NULL on failure. */
struct weights *weights_open(const char *path, struct err *err);
void weights_close(struct weights *w);    // w may be NULL or half open

#endif
