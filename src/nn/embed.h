/* embed.h - rows of a table [V, M] by id. */
#ifndef NN_EMBED_H
#define NN_EMBED_H

#include <stddef.h>
#include <stdint.h>

void embed_forward(float *x, const float *table, const int32_t *id, size_t n, size_t m);
void embed_backward(float *dtable, const float *dx, const int32_t *id, size_t n, size_t m);

/* The same where table has only the rows of ids [first, first + v): others give 0, get nothing. */
void embed_slice_forward(float *x, const float *table, size_t first, size_t v, const int32_t *id,
                         size_t n, size_t m);
void embed_slice_backward(float *dtable, size_t first, size_t v, const float *dx, const int32_t *id,
                          size_t n, size_t m);

#endif
