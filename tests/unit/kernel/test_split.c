/* Floats as sums of three bf16 numbers, of every variant: the sum is the float, parts are rounded
 * right, what is not finite is in the first; and products of them. */
#include "../test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "kernel/kernel.h"

enum { EDGE = KERNEL_HALF };

static float of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static float part(const struct kernels *k, const uint16_t *to, size_t i)
{
    float x;

    k->whole(&x, to + i, 1);
    return x;
}

/* Numbers of all sizes from 2^-100 on, some infinite or none. */
static float *numbers(size_t n)
{
    static const uint32_t special[] = { 0,          0x80000000, 0x7f7fffff, 0xff7fffff, 0x7f7f8000,
                                        0x7f7f7fff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
                                        0x3f808000, 0x3f818000, 0x3fffffff };
    float *x = xcalloc(n, sizeof(*x));
    size_t i;

    for (i = 0; i < n; i++) {
        uint64_t u = rng_u64(1, 2, i);
        uint32_t exponent = 27 + (uint32_t)(u >> 32) % (254 - 27);

        x[i] = of_bits((uint32_t)u % (1 << 23) | exponent << 23 | (uint32_t)(u >> 63) << 31);
        if (i % 37 == 0)
            x[i] = of_bits(special[i / 37 % (sizeof(special) / sizeof(special[0]))]);
    }
    return x;
}

static void splits(const struct kernels *k)
{
    enum { N = 1500, STEP = 40, SPAN = N / EDGE * STEP + STEP };
    float *x = numbers(N);
    uint16_t *to = xcalloc(3 * SPAN, sizeof(*to));
    size_t n, i;

    for (n = 0; n <= N; n += n < 70 ? 1 : N - 70) {
        memset(to, 0x55, 3 * SPAN * sizeof(*to));
        k->split(to, SPAN, STEP, x, n);
        for (i = 0; i < n; i++) {
            size_t at = i / EDGE * STEP + i % EDGE;
            double a = part(k, to, at), b = part(k, to, at + SPAN), c = part(k, to, at + 2 * SPAN);

            if (isfinite(x[i]))
                assert_true(a + b + c == x[i] && fabs(b) <= fabs(x[i]) / 128);
            else
                assert_true((isnan(x[i]) ? isnan(a) : a == x[i]) && b == 0 && c == 0);
            if (fabsf(x[i]) < 3e38f)
                assert_true(fabs(b) <= fabs(x[i]) / 256 && fabs(c) <= fabs(x[i]) / 65536);
        }
        for (i = n / EDGE * STEP + n % EDGE; i < SPAN; i++)
            assert_int_equal(to[i], 0x5555);
        if (n == N)
            break;
    }
    free(x), free(to);
}

static void products(const struct kernels *k)
{
    enum { M = 64, N = 96, K = 64, LDC = N + 3 };
    float *x = xcalloc(M * K, sizeof(*x)), *y = xcalloc(K * N, sizeof(*y)), *c;
    uint16_t *a = xcalloc(3 * M * K, sizeof(*a)), *b = xcalloc(3 * K * N, sizeof(*b));
    uint16_t rows[2][3 * N];
    size_t i, j, l;
    int add;

    for (i = 0; i < M * K; i++)
        x[i] = (float)(2 * rng_uniform(3, 4, i) - 1);
    for (i = 0; i < K * N; i++)
        y[i] = (float)(2 * rng_uniform(5, 6, i) - 1);
    for (i = 0; i < M; i++)
        k->split(a + i / EDGE * EDGE * K + i % EDGE * EDGE, M * K, EDGE * EDGE, x + i * K, K);
    for (l = 0; l < K; l += 2) {
        k->split(rows[0], N, EDGE, y + l * N, N);
        k->split(rows[1], N, EDGE, y + l * N + N, N);
        for (i = 0; i < 3; i++)
            k->half_pair(b + i * K * N + l * 16, 16 * K, rows[0] + i * N, rows[1] + i * N, N);
    }
    c = xcalloc(M * LDC, sizeof(*c));
    for (add = 0; add < 2; add++) {
        for (i = 0; i < M * LDC; i++)
            c[i] = add ? 100 : NAN;
        k->split_product(
            &(struct split_operands){ { a, EDGE * K, b, 16 * K, c, LDC, add }, M * K, K * N }, M, N,
            K);
        for (i = 0; i < M; i++)
            for (j = 0; j < LDC; j++) {
                double want = add ? 100 : 0, size = want;

                for (l = 0; j < N && l < K; l++) {
                    want += (double)x[i * K + l] * y[l * N + j];
                    size += fabs((double)x[i * K + l] * y[l * N + j]);
                }
                if (j >= N)
                    assert_true(add ? c[i * LDC + j] == 100 : isnan(c[i * LDC + j]));
                else if (!(fabs(c[i * LDC + j] - want) <= 4 * FLT_EPSILON * size))
                    fail_msg("[%zu, %zu] is %.9g, not %.9g", i, j, c[i * LDC + j], want);
            }
    }
    free(x), free(y), free(a), free(b), free(c);
}

static void each_variant(void (*f)(const struct kernels *k))
{
    struct kernels k;
    int i;

    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&k, kernel_name(i)), 0);
        f(&k);
    }
    assert_true(i >= 1);
}

static void test_split(void **state)
{
    (void)state;
    each_variant(splits);
}

static void test_product(void **state)
{
    (void)state;
    each_variant(products);
}

TESTS("kernel/split", cmocka_unit_test(test_split), cmocka_unit_test(test_product))
