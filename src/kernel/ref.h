/* ref.h - what the files of the plain kernels share. */
#ifndef KERNEL_REF_H
#define KERNEL_REF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct half_operands;
struct split_operands;

static inline uint16_t round_half(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    if ((bits & 0x7fffffff) > 0x7f800000)    // NaN, made quiet
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float widen(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float to;

    memcpy(&to, &bits, sizeof(to));
    return to;
}

void ref_half_product(const struct half_operands *p, size_t m, size_t n, size_t k);
void ref_split(uint16_t *to, size_t part, size_t step, const float *x, size_t n);
void ref_split_product(const struct split_operands *p, size_t m, size_t n, size_t k);
void ref_half_pair(uint16_t *to, size_t step, const uint16_t *x, const uint16_t *y, size_t n);
void ref_pair(uint16_t *to, size_t step, const float *x, const float *y, size_t n);
void ref_half_transpose(uint16_t *y, size_t ldy, const uint16_t *x, size_t ldx, size_t rows,
                        size_t columns);

#endif
