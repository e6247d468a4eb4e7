/* rows.h - rows of tokens as they travel and are kept: of floats or of bf16 numbers. */
#ifndef MOE_ROWS_H
#define MOE_ROWS_H

#include <stddef.h>
#include <stdint.h>

struct moe_rows {
    float *p;
    size_t m;    // numbers a row; even when they are bf16
    int half;    // two bf16 numbers in the place of a float
};

size_t moe_rows_width(size_t m, int half);    // floats a row takes

const uint16_t *moe_rows_half(const struct moe_rows *r, size_t i);    // row i of bf16 numbers

void moe_row_put(const struct moe_rows *r, size_t i, float a, const float *x);    // row i = a x
void moe_row_get(const struct moe_rows *r, size_t i, float a, float *y);          // y = a row i
void moe_row_add(const struct moe_rows *r, size_t i, float a, float *y);          // y += a row i
float moe_row_dot(const struct moe_rows *r, size_t i, const float *x);
/* Row i of bf16 numbers and those after it = n rows of x. */
void moe_rows_round(const struct moe_rows *r, size_t i, const float *x, size_t n);

/* What a gate is when it multiplies such rows. */
float moe_gate(const struct moe_rows *r, float gate);

#endif
