/* loop.h - one step of training after another, on any number of ranks.
 *
 * The rows of a step are divided into routing groups, the groups over the ranks in order, and
 * a rank's groups over its microbatches. What a step needs of the whole (real targets, groups)
 * is known before its first forward pass, so the loss and the gradients are those of the whole
 * batch, however it is divided, up to the rounding of sums.
 */
#ifndef TRAIN_LOOP_H
#define TRAIN_LOOP_H

#include <stdint.h>

#include "base/spent.h"
#include "model/model.h"
#include "optim/adafactor.h"
#include "optim/schedule.h"
#include "seq/batch.h"
#include "shape/config.h"

struct comm;
struct err;
struct params;
struct spread;
struct teacher;

/* Of products with weights, and of what is kept or sent for them: float, or bf16 with everything
 * else in float (masters, gradients, slots, norms, softmax, routing, losses); of the last, routers
 * round what they make, too. */
enum precision { PRECISION_FP32, PRECISION_BF16, PRECISION_BF16_ALL };
extern const char *const precision_words[];
/* Can c be computed so? -1 and err if not. */
int precision_check(const struct config *c, int precision, struct err *err);
int explore_check(const struct config *c, int explore, struct err *err);    // enum explore

/* What decides on the curve; a resumed run must have the same. */
struct train_rule {
    int64_t batch, group_rows;    // rows of a step, of a routing group
    double capacity_factor, aux_loss, router_z_loss, z_loss;
    int64_t min_capacity;
    double dropout, expert_dropout, jitter, input_dropout;
    int dropout_per_element, aux_mean;
    int explore, cap, second_loss;    // enum explore, enum route_cap
    int precision;                    // enum precision
    int remat;                        // make blocks again in the backward pass
    struct schedule schedule;
    int64_t optimizer_min_dim;
    double decay_from;    // steps that the second moments have behind them
    double init_scale;
    int init;    // enum init_scheme
    int64_t seed;
};

struct trainer {
    struct config config;
    struct train_rule rule;
    struct comm *comm, *data, *slices;    // all ranks; its axes
    struct params *params;
    struct spread *spread;
    struct adafactor *optimizer;    // of the tensors that this rank owns
    int late_sums;                  // of gradients: none begins before the backward pass has ended
    struct model *model;
    double *squares;        // [tensors] sums over their gradients
    struct batch *micro;    // [n_micro] this rank's rows of a step
    int n_micro;
    struct teacher *teacher;     // or NULL; not the trainer's own
    int64_t first_row, n_row;    // this rank's, within the step
    uint64_t step;               // updates done
    uint64_t skip;               // steps whose rows were passed over
    double lr_scale;             // of the schedule's rate
};

struct step_report {
    struct losses sums;    // over all ranks
    double loss, nlp, lr, grad_norm;
    double hard, soft;    // parts of the loss: model.h
    double tokens;        // real ones, inputs and targets
    double seconds;
    double spent[SPENT_PARTS], flops;    // of them, on this rank; of products
    int stop;                            // some rank was asked to stop
    int broken;                          // loss or gradient norm is not finite
};

/* Parameters are drawn from the rule's seed. micro_rows: rows of a microbatch, 0: all of the
 * rank's. NULL when rows do not divide. Collective. */
struct trainer *trainer_new(const struct config *c, const struct train_rule *rule,
                            struct comm *comm, int n_input, int n_target, int64_t micro_rows,
                            struct err *err);
/* The rows of the next step into t->micro. */
int trainer_fill(struct trainer *t, struct mix *mix, struct err *err);
/* Forward, backward, sums over ranks, update: by the rows in t->micro. -1 when the loss is not
 * finite (nothing was updated, r->broken is set). stop: this rank was asked to. Collective. */
int trainer_step(struct trainer *t, int stop, struct step_report *r, struct err *err);
void trainer_free(struct trainer *t);

/* How the rule says to run the model in training. */
struct run train_run(const struct train_rule *rule);

#endif
