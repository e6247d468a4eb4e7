/* model.h - the T5 / Switch network on one rank: forward and backward of a microbatch.
 *
 * Experts, heads, hidden units and ids are divided over the ranks as comm is laid out (see
 * comm_lay()); every rank must call forward and backward the same number of times, with any rows
 * (all-padding ones too), those along AXIS_MODEL with the same.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "moe/router.h"

struct batch;
struct comm;
struct config;
struct err;
struct model;
struct params;

/* A teacher: with one, the loss is that of nn/soft.h. */
struct soft_target {
    double share, tau;    // f, temperature
    /* The teacher's logits [n, V] (of a slice, as the student's) of the targets [at, at + n) of the
     * batch; n is at most model_chunk(). *rest is as in nn/soft.h. Both stay as they are until the
     * next call. */
    const float *(*logits)(void *from, size_t at, size_t n, const double **rest);
    void *from;
};

/* How routers explore in training: by jitter of their inputs (but not those of top2); not at
 * all; drawing the expert; by dropout of their inputs. */
enum explore { EXPLORE_USUAL, EXPLORE_JITTER, EXPLORE_ARGMAX, EXPLORE_SAMPLE, EXPLORE_DROPOUT };

/* How to run it; fixed for a step. */
struct run {
    int train;         // dropout and exploration on
    int gradient;      // model_backward() follows: the forward pass keeps what it needs
    int fresh;         // which overwrites the gradients: what they hold is of no use
    int hf_compat;     // HF's routing, visibility and padding (spec model.md section 11)
    int group_rows;    // rows of a routing group; divides the rows of a batch (hf_compat: 1)
    double capacity_factor;
    int min_capacity;
    double dropout, expert_dropout;
    enum explore explore;
    int router_bf16;                 // routers round, whatever the config says
    double jitter, input_dropout;    // of EXPLORE_JITTER, EXPLORE_DROPOUT
    enum route_cap cap;
    int second_loss;    // of top2: see moe/router.h
    int dropout_per_element;
    double z_loss;                     // 1e-4 in training, 0 in evaluation
    const struct soft_target *soft;    // or NULL
    double aux_loss;                   // alpha, per layer
    double router_z_loss;              // c_z, per layer
    int aux_mean;                      // mean over sparse layers instead of the sum
    uint64_t seed, step;               // key of all randomness
    double n_target;                   // real targets of the whole step, all ranks and microbatches
    void (*ready)(void *to, size_t from);    // NULL, or: told by the backward pass that of shared
    void *ready_to;                          // parameters' g all from float `from` on is final
    double n_group[2];    // routing groups of the step, by stack (hf_compat: balance is over
                          // all rows of one rank as one group, so 1)
};

/* Sums over this rank's rows of one forward; add them over microbatches and ranks. All doubles,
 * so that comm_sum_f64 takes the struct as an array. */
struct losses {
    double ce;                      // plain cross-entropy, nats, summed over targets
    double log_z2;                  // sum of log_z^2: times z_loss is the z-loss
    double soft_ce, soft_log_z2;    // against the teacher, at its temperature
    double n_target;
    double aux, router_z;    // sums over sparse layers of the mean over the step's groups
    double routed, dropped;
    double load_max,
        load_mean;    // summed over layers and groups: most tokens to one expert, and even share
};
enum { N_LOSSES = sizeof(struct losses) / sizeof(double) };

/* What a forward pass keeps for a backward one: nothing, for there is none; all; or the stream
 * before each block only, and then the backward pass makes the rest of a block again. */
enum keep { KEEP_NOTHING, KEEP_ALL, KEEP_STREAM };

/* n_row, n_input, n_target: the largest batch it will see; all memory is taken here. params
 * may lack gradients when train is 0 and no backward is called. */
struct model *model_new(const struct config *c, struct params *p, struct comm *comm, int n_row,
                        int n_input, int n_target, enum keep keeps);

/* Adds to *sums. row_ce and row_target [B] (may be NULL) get each row's sums. With
 * run->gradient it already gives the gradient of the logits' table to params' g: logits are
 * made, used and overwritten a chunk of rows at a time, never held whole. */
void model_forward(struct model *m, const struct batch *b, const struct run *run,
                   struct losses *sums, double *row_ce, double *row_target);
/* A forward without losses, then logits of some of its targets: those of [at, at + n), n at most
 * model_chunk(), [n, V]; they stay until the next call. Models made for equally many rows,
 * targets and words have equal chunks. */
void model_forward_hidden(struct model *m, const struct batch *b, const struct run *run);
const float *model_logits(struct model *m, size_t at, size_t n);
size_t model_chunk(const struct model *m);
/* Of the last forward, which had run->gradient: gradients are added to params' g, or with
 * run->fresh overwrite them. */
void model_backward(struct model *m, const struct batch *b, const struct run *run);

/* The loss of a whole step from summed losses: what the gradients are of. Of it, per target and
 * with z-losses: what targets say, and what a teacher does (0 without one). */
void loss_parts(const struct losses *s, const struct run *run, double *hard, double *soft);
double loss_total(const struct losses *s, const struct config *c, const struct run *run);

/* What the last forward left, for probes and tests. Names as in the golden files
 * ("encoder_hidden_states.0", "logits", "encoder.block.1.router_logits", ...); n_dim and dim
 * are those of this rank's rows. NULL where the run has no such thing. i32 is set instead of
 * f32 for whole numbers. Hidden states and logits need model_keep() before the forward. */
struct model_view {
    const float *f32;
    const int32_t *i32;
    int n_dim;
    int64_t dim[4];
};
void model_keep(struct model *m);
int model_look(const struct model *m, const char *name, struct model_view *v);    // 1 or 0

size_t model_bytes(const struct model *m);    // activations and work, without parameters
void model_free(struct model *m);

#endif
