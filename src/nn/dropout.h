/* dropout.h - dropout whose mask is a function of (key, row, place): made anew in the
 * backward pass, never stored, the same for any number of ranks.
 *
 * By default one mask is shared over the whole length of a row (spec: T5's noise shape
 * without the length axis); per_element draws every element. Kept values are scaled by
 * 1 / (1 - rate). rate 0 does nothing; rate < 1.
 */
#ifndef NN_DROPOUT_H
#define NN_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

struct dropout {
    double rate;
    uint64_t key;    // of (seed, step, which dropout of the network)
    int per_element;
};

/* x [n_row, length, width], in place: forward for values, backward for gradients.
 * number[n_row] are the rows' global numbers. */
void dropout_apply(const struct dropout *d, float *x, const uint64_t *number, size_t n_row,
                   size_t length, size_t width);

/* As dropout_apply for columns first, first + 1, ... of a wider x: a rank's slice of it. */
void dropout_apply_from(const struct dropout *d, float *x, const uint64_t *number, size_t n_row,
                        size_t length, size_t width, uint64_t first);

/* The factor (0 or 1 / (1 - rate)) of one element, for layers that apply it themselves. */
float dropout_factor(const struct dropout *d, uint64_t number, uint64_t position, uint64_t i);
/* f[n]: those of elements first, first + 1, ... of one position. */
void dropout_factors(const struct dropout *d, uint64_t number, uint64_t position, uint64_t first,
                     size_t n, float *f);

#endif
