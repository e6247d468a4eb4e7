/* test_layer.c - products are right, and the same bits whatever is beside them, on any number of
 * threads. */
#include "../test.h"

#include <float.h>
#include <math.h>

#include "base/err.h"
#include "base/rng.h"
#include "generate/layer.h"
#include "generate/net.h"
#include "generate/weights.h"
#include "kernel/kernel.h"

enum { ROWS = 150, IN = 301, OUT = 427 };

static float x[ROWS * IN], weight[OUT * IN], y[ROWS * OUT], z[ROWS * OUT];
static const struct matrix w = { weight, TENSOR_F32 };

static void fill(float *to, size_t n, uint64_t key)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = (float)rng_normal(key, 0, i, 0);
}

static void begin(void)
{
    kernel_init();
    net_threads(1);
    fill(x, ROWS * IN, 1);
    fill(weight, OUT * IN, 2);
}

static void test_right(void **state)
{
    int how, i, o, k, bad = 0;

    (void)state;
    begin();
    for (how = BY_ROWS; how <= BY_TEXT; how++) {
        product((enum product)how, y, x, &w, ROWS, IN, OUT);
        for (i = 0; i < ROWS; i++)
            for (o = 0; o < OUT; o++) {
                double sum = 0, size = 0;

                for (k = 0; k < IN; k++) {
                    sum += (double)x[i * IN + k] * (double)weight[o * IN + k];
                    size += fabs((double)x[i * IN + k] * (double)weight[o * IN + k]);
                }
                bad += !(fabs(y[i * OUT + o] - sum) <= IN * (double)FLT_EPSILON * size);
            }
    }
    assert_int_equal(bad, 0);
}

static void test_threads(void **state)
{
    int how, n;

    (void)state;
    begin();
    for (how = BY_ROWS; how <= BY_TEXT; how++) {
        net_threads(1);
        product((enum product)how, y, x, &w, ROWS, IN, OUT);
        for (n = 2; n <= 5; n++) {
            net_threads(n);
            product((enum product)how, z, x, &w, ROWS, IN, OUT);
            assert_memory_equal(y, z, sizeof(y));
        }
    }
}

static void test_rows(void **state)
{
    size_t i, n;

    (void)state;
    begin();
    product(BY_ROWS, y, x, &w, ROWS, IN, OUT);
    for (n = 1; n < 40; n += 7)
        for (i = 0; i + n <= ROWS; i += n) {
            product(BY_ROWS, z, x + i * IN, &w, n, IN, OUT);
            assert_memory_equal(z, y + i * OUT, n * OUT * sizeof(*y));
        }
}

/* Of other types, aligned and not: the bits of the same numbers in float32. */
static void test_types(void **state)
{
    static const enum tensor_type types[] = { TENSOR_F32, TENSOR_F16, TENSOR_BF16 };
    static unsigned char packed[OUT * IN * 4 + 3];
    struct tensor t = { .name = "w", .n = OUT * IN };
    struct err err = { "" };
    size_t i, off, n;
    int how;

    (void)state;
    for (i = 0; i < 3; i++)
        for (off = 0; off < 4; off++) {
            struct matrix m = { packed + off, types[i] };

            begin();
            t.type = types[i];
            t.data = packed + off;
            tensor_pack_f32(packed + off, types[i], weight, OUT * IN);
            assert_int_equal(tensor_copy_f32(&t, weight, OUT * IN, &err), 0);
            assert_int_equal(matrix_is_plain(&m), i == 0 && off == 0);
            for (how = BY_ROWS; how <= BY_TEXT; how++)
                for (n = 1; n <= ROWS; n += ROWS - 1) {
                    product((enum product)how, y, x, &w, n, IN, OUT);
                    product((enum product)how, z, x, &m, n, IN, OUT);
                    assert_memory_equal(y, z, n * OUT * sizeof(*y));
                }
        }
}

/* A Switch layer in which an expert takes two rows: the third gets nothing. */
static void test_capacity(void **state)
{
    enum { M = 8, F = 16, E = 3, T = 40 };
    struct weights_ffn expert[E];
    struct weights_block b = { .router = weight, .expert = expert };
    struct config c = { .n_expert = E, .d_model = M, .d_ff = F };
    struct feed_work work = { 0 };
    float all[T * M], some[T * M];
    int e, i, j, n_same = 0, n_none = 0;

    (void)state;
    begin();
    for (e = 0; e < E; e++)
        expert[e] = (struct weights_ffn){ .d_model = M,
                                          .d_ff = F,
                                          .wi = { weight + 100 + e * 400, TENSOR_F32 },
                                          .wo = { weight + 100 + e * 400 + M * F, TENSOR_F32 } };
    feed_need(&work, T, &c);
    feed(&b, &c, 0, BY_TEXT, x, T, &work, all);
    feed(&b, &c, 2, BY_TEXT, x, T, &work, some);
    for (i = 0; i < T; i++) {
        int none = 1;

        for (j = 0; j < M; j++)
            none &= some[i * M + j] == 0;
        n_none += none;
        for (j = 0; j < M && !none; j++)
            assert_true(fabsf(some[i * M + j] - all[i * M + j]) < 1e-4f);
        n_same += !none;
    }
    assert_int_equal(n_same, E * 2);
    assert_int_equal(n_none, T - E * 2);
    feed_release(&work);
}

TESTS("generate/layer", cmocka_unit_test(test_right), cmocka_unit_test(test_threads),
      cmocka_unit_test(test_rows), cmocka_unit_test(test_types), cmocka_unit_test(test_capacity))
