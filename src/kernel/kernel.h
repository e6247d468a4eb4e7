/* kernel.h - inner loops, one table of them chosen for this processor.
 *
 * No pointer needs alignment, n may be 0, and arrays do not overlap unless it is said. Sums
 * are in the variant's own order; each variant's order is fixed, so results repeat.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct operands;
struct half_operands;
struct split_operands;
struct half_softmax;

struct kernels {
    float (*dot)(const float *x, const float *y, size_t n);                     // sum of x y
    float (*dot3)(const float *x, const float *y, const float *z, size_t n);    // sum of x y z
    float (*sum_squares)(const float *x, size_t n);                             // sum of x x
    float (*max)(const float *x, size_t n);    // -inf when n is 0; of NaN, anything
    void (*axpy)(float *y, float a, const float *x, size_t n);    // y += a x
    void (*scale)(float *x, float a, size_t n);                   // x *= a
    void (*add)(float *y, const float *x, size_t n);              // y += x
    void (*mul)(float *y, float a, const float *x, const float *z,
                size_t n);    // y = a x z; y may be x
    void (*mul_add)(float *y, float a, const float *x, const float *z, size_t n);    // y += a x z
    /* dx += a w dy + b x: the gradient of RMSNorm. */
    void (*norm_back)(float *dx, float a, const float *w, const float *dy, float b, const float *x,
                      size_t n);
    /* x[i] = exp(d) with d = x[i] - shift rounded to float, in place; returns their sum. Error
     * of exp: at most 2 ulp for results that are normal numbers; what is smaller may be 0; what is
     * too large becomes inf, NaN stays NaN. */
    float (*exp_shift)(float *x, float shift, size_t n);
    float (*add_max)(float *x, const float *y, size_t n);    // x += y; returns max(x)
    /* One query of attention backward: x holds scores, d the gradient of probabilities. Then
     * x = exp(x + bias - top) a, the probabilities; d = x (d - s), the gradient of the scores; and
     * that is added to d_bias. bias and d_bias may both be NULL. exp as in exp_shift. */
    void (*softmax_back)(float *x, float *d, const float *bias, float *d_bias, float top, float a,
                         float s, size_t n);
    void (*relu)(float *y, const float *x, size_t n);    // y = max(x, 0), NaN stays; y may be x
    /* dy = a dy where y > 0, else 0. */
    void (*relu_back)(float *dy, float a, const float *y, size_t n);
    void (*geglu)(float *h, const float *u, const float *v, size_t n);    // h = gelu(u) v
    /* d holds the gradient of h; then d = d v gelu'(u), dv = d gelu(u). gelu is the tanh form. */
    void (*geglu_back)(float *d, float *dv, const float *u, const float *v, size_t n);
    /* to = x rounded to bf16, the upper half of a float: to the nearest, ties to even; NaN stays
     * NaN. to may begin where x does. Every variant gives the same, also of the next three. */
    void (*half)(uint16_t *to, const float *x, size_t n);
    void (*whole)(float *to, const uint16_t *x, size_t n);
    /* to = x, of IEEE's half precision: exactly; NaN stays NaN. Every variant gives the same. */
    void (*whole_f16)(float *to, const uint16_t *x, size_t n);
    void (*relu_half)(uint16_t *h, const float *x, size_t n);    // relu(x) rounded
    /* to = a d where h > 0, else 0, rounded; to may begin where d does. */
    void (*relu_half_back)(uint16_t *to, float a, const float *d, const uint16_t *h, size_t n);
    /* The passes of Adafactor over g and w [rows, n]. Sums are in double, number j of a row to sum
     * j % 8, these in order. Every variant gives the same.
     * With s = g g + 1e-30: along [rows] = its sums over rows; down [n] += it, row after row. */
    void (*ada_squares)(const float *g, size_t rows, size_t n, double *along, double *down);
    /* uu [rows] = sums over rows of (g a b)^2, with a [rows] and b [n], or NULL for ones. */
    void (*ada_moments)(const float *g, const float *a, const float *b, size_t rows, size_t n,
                        double *uu);
    /* w -= step (g a b); ww [rows] = sums over its rows of w^2; half [rows, n], unless it is NULL,
     * = w rounded to bf16. */
    void (*ada_step)(float *w, uint16_t *half, float step, const float *g, const float *a,
                     const float *b, size_t rows, size_t n, double *ww);
    /* f[i] = 0 where half i % 2 (the low half first) of rng_u64(key, a, b + i / 2) is below
     * `below`, else keep. Every variant gives the same. */
    void (*coins)(float *f, float keep, uint32_t below, uint64_t key, uint64_t a, uint64_t b,
                  size_t n);
    /* to[i] = from[i] (low + step (u + 1/2)), u the 16 bits i % 4 (the lowest first) of
     * rng_u64(key, a, i / 4). to may be from. Every variant gives the same. */
    void (*jitter)(float *to, const float *from, float low, float step, uint64_t key, uint64_t a,
                   size_t n);
    void (*product)(const struct operands *p, size_t m, size_t n, size_t k);    // c = a b
    /* y[j ldy + i] = x[i ldx + j] for i < rows, j < columns. */
    void (*transpose)(float *y, size_t ldy, const float *x, size_t ldx, size_t rows,
                      size_t columns);
    /* The same of bf16 numbers: products of them, summed in float, and their layouts. c = a b; m,
     * n and k are multiples of KERNEL_HALF. Numbers below the normal ones may count as 0. */
    void (*half_product)(const struct half_operands *p, size_t m, size_t n, size_t k);
    /* Two rows of b beside each other: x[j] and y[j] go to to[j / 16 step + j % 16 2] and behind
     * it. Every variant gives the same, also of the next two. */
    void (*half_pair)(uint16_t *to, size_t step, const uint16_t *x, const uint16_t *y, size_t n);
    void (*pair)(uint16_t *to, size_t step, const float *x, const float *y,
                 size_t n);    // likewise, rounded
    /* As transpose. rows and columns are multiples of KERNEL_HALF. */
    void (*half_transpose)(uint16_t *y, size_t ldy, const uint16_t *x, size_t ldx, size_t rows,
                           size_t columns);
    /* x as the sum of three bf16 numbers, each the rest rounded, at to[i / 32 step + i % 32] and
     * part and twice part behind it. Exact where the last is not below the normal numbers (those
     * may be 0): from 2^-100 on, where every variant gives the same. Of what is not finite, the
     * first. */
    void (*split)(uint16_t *to, size_t part, size_t step, const float *x, size_t n);
    /* As half_product, of numbers that are split: all products of parts but the last's with the
     * last two's, which are below the rounding of a float. The small ones are summed first. */
    void (*split_product)(const struct split_operands *p, size_t m, size_t n, size_t k);
    /* One query of attention: top becomes the greatest of itself and x + bias (bias may be NULL),
     * to = exp(x + bias - top) rounded; returns the sum before rounding. exp may be off by 1e-5 of
     * itself. This and the next are NULL in variants that have nothing better than the steps. */
    float (*half_softmax)(uint16_t *to, const float *x, const float *bias, float *top, size_t n);
    /* Two queries of attention backward. n is a multiple of KERNEL_HALF. */
    void (*half_softmax_back)(const struct half_softmax *p, size_t n);
    int tiles;    // half_product and split_product go by tiles, several times as fast as floats
};

/* Operands of a product of matrices. b is laid in panels of KERNEL_PANEL columns, one after
 * another: panel [k, KERNEL_PANEL], of which the last is filled up with anything. */
enum { KERNEL_PANEL = 64 };
struct operands {
    const float *a;    // a[i row + l column]
    size_t row, column;
    const float *b;    // [panels of n, k, KERNEL_PANEL]
    float *c;          // c[i ldc + j]
    size_t ldc;
    int add;    // to what c holds; else c is overwritten
};

/* Operands of a product of bf16 matrices. b is laid in panels of 16 columns, step apart: panel
 * [k / 2, 16, 2], so that two rows of b that follow one another are pairs. */
enum { KERNEL_HALF = 32 };
struct half_operands {
    const uint16_t *a;    // a[i lda + l]
    size_t lda;
    const uint16_t *b;
    size_t step;
    float *c;    // c[i ldc + j]
    size_t ldc;
    int add;    // to what c holds; else c is overwritten
};

/* Likewise, but a is laid in blocks [32 rows, 32], those of the same rows behind one another, and
 * lda is from one of 32 rows to that of the next. Parts of a are part_a apart, those of b part_b.
 */
struct split_operands {
    struct half_operands first;
    size_t part_a, part_b;
};

/* As of softmax_back, for two rows: x and d are [2, ld] and stay. What is not among the first see
 * of a row is 0. Probabilities and gradients leave in pairs, as of pair(), and gradients in rows.
 * exp as in half_softmax. */
struct half_softmax {
    const float *x, *d;
    size_t ld, see[2];
    const float *bias[2];    // both may be NULL
    float *d_bias[2];        // likewise; they do not overlap
    float top[2], a[2], s[2];
    uint16_t *pairs, *d_pairs;
    size_t step;
    uint16_t *d_rows;    // [2, ld_rows]
    size_t ld_rows;
};

extern struct kernels kern;    // set by kernel_init()

/* Fill k with the variants this processor runs, up to the one named (NULL: the best).
 * Returns -1 if there is no such variant here. */
int kernel_select(struct kernels *k, const char *name);

void kernel_init(void);            // obeys $SWITCHYARD_KERNEL; may be called again
const char *kernel_name(int i);    // of the i-th variant that runs here, or NULL

void kernel_fill_ref(struct kernels *k);
void kernel_fill_avx2(struct kernels *k);
void kernel_fill_avx512(struct kernels *k);
void kernel_fill_amx(struct kernels *k);
int kernel_has_amx(void);    // asks the system for leave to use it

#endif
