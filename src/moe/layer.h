/* layer.h - the Switch layer: router, dispatch to the ranks of the experts, experts, combine.
 *
 *     y = gate * expert(x) for a kept token, 0 for a dropped one or padding
 *
 * Two exchanges of rows forward and two backward. The gradients of an expert's weights arrive
 * whole at its rank; those of the router are of this rank's tokens only.
 */
#ifndef MOE_LAYER_H
#define MOE_LAYER_H

#include <stddef.h>
#include <stdint.h>

#include "moe/heads.h"
#include "moe/router.h"
#include "nn/dropout.h"
#include "nn/ffn.h"
#include "nn/ffn16.h"

struct comm;
struct moe_layer;
struct moe_work;

struct moe_net {     // the parameters here; the arrays belong to the caller and must stay
    int n_expert;    // E, of all ranks
    size_t d_model, d_ff;
    const float *router;         // [E, M]
    float *d_router;             // gradient, or NULL
    const struct ffn *expert;    // [experts of this rank]
    const struct ffn_grad *d_expert;
    /* [experts of this rank], or NULL. With them experts work on bf16 numbers (d_model is even
     * then), and rows travel as such. Routing stays in float; gates are rounded to multiply. */
    const struct ffn16 *expert16;
    /* Instead of all three, in self-attention; always of floats. */
    const struct heads *heads;
    const struct heads_grad *d_heads;
    size_t d_out;    // width of the experts' outputs: M, or 2 I of heads
};

/* One microbatch and how to run it; the same for forward and backward. */
struct moe_call {
    struct route_rule rule;
    int one_group_losses;         // losses over all n tokens as one group (hf-compat)
    size_t n, length;             // tokens; tokens of a row
    const int32_t *segment;       // [n], 0: padding
    const uint64_t *number;       // [n / length] the rows' global numbers
    double jitter;                // router inputs times uniform [1 - jitter, 1 + jitter]; 0: none
    double input_dropout;         // of router inputs, each element by itself
    uint64_t input_key;           // of jitter or input_dropout
    struct dropout drop;          // of the experts' hidden activations, by the token's number
    int gradient;                 // backward follows
    int fresh;                    // it overwrites the gradients of experts
    double aux_scale, z_scale;    // backward: weights of the losses over all groups of the step
};

/* What layers use one after another. */
struct moe_work *moe_work_new(void);
size_t moe_work_bytes(const struct moe_work *w);
void moe_work_free(struct moe_work *w);

/* n_token, n_choice: the most that will come, and K. shared 1 or 2: what it keeps lies where that
 * of all layers of the number does, and is gone once another of them has run. 0: it has its own. */
struct moe_layer *moe_layer_new(const struct moe_net *net, struct comm *comm, struct moe_work *w,
                                size_t n_token, int n_choice, int shared);
/* x [n, M] -> y [n, d_out] overwritten. */
void moe_layer_forward(struct moe_layer *l, const struct moe_call *call, const float *x, float *y);
/* dy [n, d_out]; dx [n, M] overwritten; dx is not dy. */
void moe_layer_backward(struct moe_layer *l, const struct moe_call *call, const float *x,
                        const float *dy, float *dx);
const struct route *moe_layer_route(const struct moe_layer *l);        // of the last forward
int moe_layer_choices(const struct moe_layer *l);                      // K
const struct route_sums *moe_layer_sums(const struct moe_layer *l);    // of the last forward
size_t moe_layer_bytes(const struct moe_layer *l);                     // with what it has grown
void moe_layer_free(struct moe_layer *l);

#endif
