/* sum.c - see sum.h. */
#include <string.h>

#include "kernel/kernel.h"
#include "loss/sum.h"

enum { CHUNK = 1024 };    // summed in float; the sums of chunks in double

double sum_exp(float *x, float top, size_t v, int keep)
{
    float copy[CHUNK], *to;
    double sum = 0;
    size_t i, n;

    for (i = 0; i < v; i += n) {
        n = v - i < CHUNK ? v - i : CHUNK;
        to = keep ? x + i : memcpy(copy, x + i, n * sizeof(*x));
        sum += kern.exp_shift(to, top, n);
    }
    return sum;
}
