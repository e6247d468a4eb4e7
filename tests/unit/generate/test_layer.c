/* test_layer.c - products are right, and the same bits whatever is beside them, on any number of
 * threads. */
#include "../test.h"

#include <float.h>
#include <math.h>

#include "base/rng.h"
#include "generate/layer.h"
#include "generate/net.h"
#include "generate/weights.h"
#include "kernel/kernel.h"

enum { ROWS = 150, IN = 301, OUT = 427 };

static float x[ROWS * IN], w[OUT * IN], y[ROWS * OUT], z[ROWS * OUT];

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
    fill(w, OUT * IN, 2);
}

static void test_right(void **state)
{
    int how, i, o, k, bad = 0;

    (void)state;
    begin();
    for (how = BY_ROWS; how <= BY_TEXT; how++) {
        product((enum product)how, y, x, w, ROWS, IN, OUT);
        for (i = 0; i < ROWS; i++)
            for (o = 0; o < OUT; o++) {
                double sum = 0, size = 0;

                for (k = 0; k < IN; k++) {
                    sum += (double)x[i * IN + k] * (double)w[o * IN + k];
                    size += fabs((double)x[i * IN + k] * (double)w[o * IN + k]);
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
        product((enum product)how, y, x, w, ROWS, IN, OUT);
        for (n = 2; n <= 5; n++) {
            net_threads(n);
            product((enum product)how, z, x, w, ROWS, IN, OUT);
            assert_memory_equal(y, z, sizeof(y));
        }
    }
}

static void test_rows(void **state)
{
    size_t i, n;

    (void)state;
    begin();
    product(BY_ROWS, y, x, w, ROWS, IN, OUT);
    for (n = 1; n < 40; n += 7)
        for (i = 0; i + n <= ROWS; i += n) {
            product(BY_ROWS, z, x + i * IN, w, n, IN, OUT);
            assert_memory_equal(z, y + i * OUT, n * OUT * sizeof(*y));
        }
}

/* A Switch layer in which an expert takes two rows: the third gets nothing. */
static void test_capacity(void **state)
{
    enum { M = 8, F = 16, E = 3, T = 40 };
    struct ffn expert[E];
    struct weights_block b = { .router = w, .expert = expert };
    struct config c = { .n_expert = E, .d_model = M, .d_ff = F };
    struct feed_work work = { 0 };
    float all[T * M], some[T * M];
    int e, i, j, n_same = 0, n_none = 0;

    (void)state;
    begin();
    for (e = 0; e < E; e++)
        expert[e] = (struct ffn){ M, F, w + 100 + e * 400, NULL, w + 100 + e * 400 + M * F };
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
      cmocka_unit_test(test_rows), cmocka_unit_test(test_capacity))
