/* adafactor.h - the optimizer: Adafactor without momentum, each tensor by itself, each
 * expert's matrices too. Sums run in an order that depends on the shape alone, so that neither
 * threads nor ranks change a bit of the result; where a tensor is sliced (model/slice.h) the
 * number of slices does, by the rounding of doubles. */
#ifndef OPTIM_ADAFACTOR_H
#define OPTIM_ADAFACTOR_H

#include <stddef.h>
#include <stdint.h>

struct param;
struct params;

struct adafactor_rule {
    int min_dim;      // a matrix is factored when its smaller dimension is at least this
    int no_scale;     // the step is not multiplied by max(1e-3, RMS(p))
    double offset;    // subtracted from the step in the decay (fine-tuning)
};

struct adafactor_slot {    // of one tensor
    float *v;              // [rows, cols] when not factored, else NULL
    float *row, *col;      // [rows] mean over columns, [cols] mean over rows
};

struct adafactor_work;
struct comm;

struct adafactor {
    struct adafactor_rule rule;
    struct adafactor_slot *slot;    // in the order of params; all NULL: not updated here
    float *data;                    // all slots
    size_t size;                    // floats
    struct comm *slices;            // who has the other slices of these tensors; NULL: nobody
    struct adafactor_work *work;
};

int adafactor_is_factored(const struct adafactor_rule *rule, const struct param *p);
size_t adafactor_slots(const struct adafactor_rule *rule, const struct param *p);    // floats

/* Slots of every tensor of params, all 0. */
struct adafactor *adafactor_new(const struct params *params, const struct adafactor_rule *rule);

/* Of those for which own [tensors] says so. */
struct adafactor *adafactor_new_of(const struct params *params, const struct adafactor_rule *rule,
                                   const unsigned char *own);

/* One step on all tensors that have slots, by their gradients. Allocates nothing. */
void adafactor_update(struct adafactor *a, struct params *params, uint64_t step, double lr);
/* The same on tensors [first, end) alone. */
void adafactor_update_some(struct adafactor *a, struct params *params, size_t first, size_t end,
                           uint64_t step, double lr);
void adafactor_free(struct adafactor *a);

#endif
