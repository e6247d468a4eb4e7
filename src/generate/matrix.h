/* matrix.h - a matrix of weights where it lies, in a mapped file, in the file's own type.
 *
 * What is not float32 is widened as it is used, some rows at a time: the memory that a matrix
 * takes is the pages of its file that were touched, and the numbers are those of the same file
 * in float32 to the bit.
 */
#ifndef GENERATE_MATRIX_H
#define GENERATE_MATRIX_H

#include <stddef.h>

#include "tensors/tensors.h"

struct matrix {
    const void *data;         // row after row, maybe unaligned; NULL: there is none
    enum tensor_type type;    // F32, F16 or BF16
};

int matrix_takes(enum tensor_type type);        // is it one of these?
int matrix_is_plain(const struct matrix *m);    // can its floats be used where they lie?

/* Its elements [at, at + n) as floats: where they lie, or widened into room [n], which may be NULL
 * where it is plain. */
const float *matrix_floats(const struct matrix *m, size_t at, size_t n, float *room);

#endif
