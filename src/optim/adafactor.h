/* adafactor.h - the optimizer: Adafactor without momentum, each tensor by itself, each
 * expert's matrices too. Sums run in an order that depends on the shape alone, so that neither
 * threads nor ranks change a bit of the result; where a tensor is sliced (shape/slice.h) the
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
    double *sum;           // [rows + cols] what they move to, between look and update
    double ww;             // of factored ones: the sum of w^2, or -1 where it is not known
};

struct adafactor_work;
struct comm;

struct adafactor {
    struct adafactor_rule rule;
    struct adafactor_slot *slot;    // in the order of params; all NULL: not updated here
    float *data;                    // all slots
    size_t size;                    // floats
    struct comm *slices;            // who has the other slices of these tensors; NULL: nobody
    double *sum;                    // all of theirs
    size_t n_sum;
    struct adafactor_work *work;    // [n_work] of threads
    int n_work;
};

int adafactor_is_factored(const struct adafactor_rule *rule, const struct param *p);
size_t adafactor_slots(const struct adafactor_rule *rule, const struct param *p);    // floats

/* Slots of every tensor of params, all 0. */
struct adafactor *adafactor_new(const struct params *params, const struct adafactor_rule *rule);

/* Of those for which own [tensors] says so. */
struct adafactor *adafactor_new_of(const struct params *params, const struct adafactor_rule *rule,
                                   const unsigned char *own);

/* A step is two passes over all tensors that have slots. The first reads gradients: squares
 * [tensors] = sums of their squares, 0 of others. The second updates tensors [first, end) by the
 * gradients that were looked at. Neither allocates; the first changes nothing that counts. */
void adafactor_look(struct adafactor *a, struct params *params, double *squares);
void adafactor_update(struct adafactor *a, struct params *params, size_t first, size_t end,
                      uint64_t step, double lr);
/* The parameters have been changed by others since the last update. */
void adafactor_forget(struct adafactor *a, const struct params *params);
void adafactor_free(struct adafactor *a);

#endif
