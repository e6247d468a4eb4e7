/* net.h - what the files of model/ share about a model; others see model.h.
 *
 * The residual stream of a stack is a chain of places, one before each sublayer and one before
 * the final norm: place k holds the stream there, and its norm, which the sublayer reads. Where all
 * is kept for the backward pass each place and block has arrays of its own. Where the stream is
 * kept, what block 0 has serves all blocks but for the first place's stream; where nothing is, two
 * streams and one norm serve all places.
 */
#ifndef MODEL_NET_H
#define MODEL_NET_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "moe/layer.h"
#include "nn/dropout.h"
#include "nn/ffn.h"
#include "nn/ffn16.h"
#include "nn/relpos.h"
#include "shape/config.h"

struct param;

/* A sublayer's kinds, and all places of dropout. */
enum sublayer { SELF, CROSS, FEED };
enum drop { DROP_EMBED, DROP_FINAL, DROP_OUT, DROP_PROBS = DROP_OUT + 3, DROP_HIDDEN = 7, N_DROP };

struct either {    // numbers: floats, or bf16 with bf16 products
    float *f;
    uint16_t *half;
};

struct attend {    // one attention sublayer
    const struct param *q, *k, *v, *o;
    struct either query, key, value, mixed;    // [B, S, I], [B, T, I] twice, [B, S, I]
    float *seen;                               // [B, H, S, 2]
};

struct block {
    const struct param *norm[3];    // by enum sublayer
    struct attend attend[2];        // SELF, CROSS
    struct ffn ffn;                 // dense
    struct ffn16 ffn16;             // the same in bf16, with bf16 products
    struct ffn_grad d_ffn;
    float *saved;
    struct ffn *expert;        // sparse: of this rank
    struct ffn16 *expert16;    // NULL without bf16 products
    struct ffn_grad *d_expert;
    struct heads *heads;    // of self-attention by experts
    struct heads_grad *d_heads;
    struct moe_layer *moe, *mix;    // the feed-forward layer's, self-attention's
    struct route_means {
        float aux, router_z;    // of the last forward, as means over the step's groups
    } moe_means, mix_means;
};

struct place {
    float *x;          // [n, M] the stream
    float *rms;        // [n]
    int floats;        // normed is read, or else only half
    float *normed;     // [n, M]; of the last place: the stack's output
    uint16_t *half;    // normed in bf16, with bf16 products
};

struct stack_net {
    enum stack kind;
    int n_block, n_sublayer;       // sublayers of a block
    size_t n_most, length_most;    // tokens, tokens of a row
    struct block *block;
    struct place *place, *last;                // [n_block n_sublayer + 1], its last
    const struct param *final_norm, *table;    // table: of relative positions
    struct relpos relpos;
    float *bias, *d_bias;    // [H, 2 L - 1], [B, H, 2 L - 1]: see nn/attention.h
    float *d, *d_out;        // [n, M] gradient of the stream, of the output
    float **hidden;          // [n_block] copies of the stream before blocks, or NULL

    /* of this pass */
    size_t n, length;
    const int32_t *id;             // [B, L]
    const int32_t *pad;            // segments: 0 is zeroed padding; NULL: none is
    const int32_t *query, *key;    // segments for attention
};

struct pool {
    float *p;    // NULL: only counts
    size_t used;
};

struct model {
    struct config c;    // the shape of this rank's slice
    struct params *params;
    struct comm *comm, *slices;    // all ranks; those with the other slices
    int slice;                     // of them, this one
    struct heads_part heads;       // of all heads, those of this slice
    int n_row;
    enum keep keeps;
    struct stack_net stack[2];
    const struct param *embedding, *head;    // head: of the logits, may be the embedding
    struct moe_work *moe_work;
    int n_sparse;    // sparse blocks of both stacks
    struct pool pool;
    size_t pool_size;
    size_t chunk;                    // rows of logits made at once
    float *logits, *scaled;          // [chunk, V], [chunk, M]
    float *kept_logits;              // [n, V], or NULL
    double *ce, *log_z;              // [n] of targets
    double *soft_ce, *soft_log_z;    // [n] of targets
    float *top;                      // [chunk], of all slices
    double *sums;                    // [chunk, 2], of all slices
    int32_t *ones, *seen;            // hf-compat segments
    float *dy, *dn;                  // [n, M] of a sublayer's output and normed input
    struct either d_query, d_key, d_value, d_mixed;    // [n, I]
    float *room;        // [n, I] where these are made, when they are bf16
    float *hidden;      // of ffn_backward, ffn16_*
    uint16_t *half;     // [n, M], or NULL: products of floats. Backward: the stream's gradient
    float *both;        // [n, 2 I] queries and keys of self-attention by experts
    int keep, ready;    // probes want all; backward may follow

    const struct batch *b;    // of this pass
    const struct run *run;
};

/* What both passes must agree on. */
void net_begin(struct model *m, const struct batch *b, const struct run *run);
struct dropout net_dropout(const struct model *m, enum stack s, int block, int what);
void net_drop(const struct model *m, const struct stack_net *st, int block, int what, float *x);
struct moe_call net_moe_call(const struct model *m, const struct stack_net *st, int block,
                             enum sublayer kind);
struct attention;
struct attention net_attention(const struct model *m, const struct stack_net *st,
                               enum sublayer kind, const struct dropout *drop);
struct ffn_drop net_ffn_drop(const struct model *m, const struct stack_net *st,
                             const struct dropout *drop);
float net_query_scale(const struct model *m);     // of queries that experts make: D^-0.5
size_t net_vocab_first(const struct model *m);    // the first id of this slice

/* The scale of the norm at a place. */
const struct param *net_norm(const struct stack_net *st, const struct place *at);

/* forward.c: block i from its first place on. again: for the backward pass, so that what comes
 * after the last that it reads is left out. */
void net_block(const struct model *m, struct stack_net *st, int i, int again);

/* Where the pass is, for who waits for other ranks (comm_place). block -1: before or after all. */
void net_place(const struct stack_net *st, int block, const char *work);

/* The sum over slices of what each gives to x [n tokens, M]. */
void net_sum(const struct model *m, float *x, size_t n);

/* product.c: products with weights, of bf16 numbers where m->half says so. */
struct rows {    // one of the two, ld apart
    const float *f;
    const uint16_t *half;
    size_t ld;
};
/* Rows x [n, width] for a product: in m->half, until the next; already there; or where they are,
 * and then they are no floats any more. */
struct rows net_rows(const struct model *m, const float *x, size_t n, size_t width);
struct rows net_rows_there(const struct model *m, const float *x, size_t width);
struct rows net_rows_here(const struct model *m, float *x, size_t n, size_t width);
struct rows net_rows_of(struct either x, size_t width);
void net_product(float *y, struct rows x, const struct param *w, size_t n, size_t in, size_t out);
/* As linear_backward(). */
void net_product_back(float *dx, int how, const struct param *w, struct rows dy, struct rows x,
                      size_t n, size_t in, size_t out);
int net_fresh(const struct model *m);    // how, of weights that have but one product a pass
/* The same to and from the parts of attention, whose weights are such. */
void net_product_to(const struct model *m, struct either y, struct rows x, const struct param *w,
                    size_t n, size_t in, size_t out);
void net_product_back_to(const struct model *m, struct either dx, const struct param *w,
                         struct rows dy, struct rows x, size_t n, size_t in, size_t out);

/* attend.c: attention itself, whose queries and keys are there: by products, or by experts
 * (net_mix). In the backward pass their gradients come to m->d_query and so on. */
void net_mix(const struct model *m, const struct stack_net *st, int block, const float *x);
void net_mix_back(const struct model *m, const struct stack_net *st, int block, const float *x);
void net_meet(const struct model *m, const struct stack_net *st, int block, enum sublayer kind);
void net_meet_back(const struct model *m, const struct stack_net *st, int block,
                   enum sublayer kind);

/* logits.c: losses of the decoder's output, and with run->gradient its gradient in d_out. */
void net_logits(struct model *m, struct losses *sums, double *row_ce, double *row_target);

#endif
