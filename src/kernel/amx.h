/* amx.h - what the files of the AMX kernels share. */
#ifndef KERNEL_AMX_H
#define KERNEL_AMX_H

#include <stddef.h>
#include <stdint.h>

struct half_softmax;

float amx_softmax(uint16_t *to, const float *x, const float *bias, float *top, size_t n);
void amx_softmax_back(const struct half_softmax *p, size_t n);
void amx_split(uint16_t *to, size_t part, size_t step, const float *x, size_t n);

#endif
