/* columns.h - rows [n, m w] where m ranks have slices of the same experts: w columns are each
 * one's to move. */
#ifndef MOE_COLUMNS_H
#define MOE_COLUMNS_H

#include <stddef.h>

struct comm;
struct moe_buffer;

size_t columns_of(const struct comm *slices, size_t width);    // w; all where it cannot be cut
/* This rank's columns [n, w] of rows that all have whole. */
void columns_cut(struct comm *slices, const float *rows, size_t n, size_t w, float *part);
/* Every rank's columns [n, w] -> rows [n, m w]. */
void columns_join(struct comm *slices, const float *part, size_t n, size_t w, float *rows,
                  struct moe_buffer *work);
/* This rank's columns [n, w] of the sum over ranks of rows [n, m w]. */
void columns_sum(struct comm *slices, float *rows, size_t n, size_t w, float *sum,
                 struct moe_buffer *work);

#endif
