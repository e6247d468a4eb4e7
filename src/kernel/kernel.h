/* kernel.h - inner loops, one table of them chosen for this processor.
 *
 * No pointer needs alignment, n may be 0, and arrays do not overlap unless it is said. Sums
 * are in the variant's own order; each variant's order is fixed, so results repeat.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stddef.h>

struct kernels {
    float (*dot)(const float *x, const float *y, size_t n);       // sum of x y
    float (*sum_squares)(const float *x, size_t n);               // sum of x x
    void (*axpy)(float *y, float a, const float *x, size_t n);    // y += a x
    void (*scale)(float *x, float a, size_t n);                   // x *= a
    void (*add)(float *y, const float *x, size_t n);              // y += x
    float (*max)(const float *x, size_t n);                       // -inf when n is 0
    /* x[i] = exp(x[i] - shift), in place; returns their sum. Error of exp: at most 2 ulp
     * for results that are normal numbers; exp(-inf) is 0. */
    float (*exp_shift)(float *x, float shift, size_t n);
    void (*relu)(float *y, const float *x, size_t n);    // y = max(x, 0); y may be x
};

extern struct kernels kern;    // set by kernel_init()

/* Fill k with the variants this processor runs, up to the one named (NULL: the best).
 * Returns -1 if there is no such variant here. */
int kernel_select(struct kernels *k, const char *name);

void kernel_init(void);            // obeys $SWITCHYARD_KERNEL
const char *kernel_name(int i);    // of the i-th variant that runs here, or NULL

void kernel_fill_ref(struct kernels *k);
void kernel_fill_avx2(struct kernels *k);
void kernel_fill_avx512(struct kernels *k);

#endif
