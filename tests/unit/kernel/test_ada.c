/* Adafactor's passes: every variant to the bit as the definition, and that against plain sums. */
#include "../test.h"

#include <math.h>

#include "base/rng.h"
#include "kernel/kernel.h"

enum { ROOM = 1100, N_ARRAY = 3 };

static float x[N_ARRAY][ROOM];
static double col[2][ROOM];

static void fill(double size)
{
    int i, j;

    for (i = 0; i < N_ARRAY; i++)
        for (j = 0; j < ROOM; j++)
            x[i][j] = (float)(size * (2 * rng_uniform(3, (uint64_t)i, (uint64_t)j) - 1));
    for (j = 0; j < ROOM; j++)
        col[0][j] = col[1][j] = j;
}

static void check_same(const struct kernels *ref, const struct kernels *k, size_t n)
{
    double sum[2][2], squares[2];
    float w[2][ROOM];

    squares[0] = ref->ada_squares(x[0], n, col[0]);
    squares[1] = k->ada_squares(x[0], n, col[1]);
    assert_memory_equal(&squares[0], &squares[1], sizeof(squares[0]));
    assert_memory_equal(col[0], col[1], sizeof(col[0]));
    ref->ada_moments(x[0], x[1], 0.7f, x[2], n, sum[0]);
    k->ada_moments(x[0], x[1], 0.7f, x[2], n, sum[1]);
    assert_memory_equal(sum[0], sum[1], sizeof(sum[0]));
    memcpy(w[0], x[1], sizeof(w[0]));
    memcpy(w[1], x[1], sizeof(w[1]));
    ref->ada_step(w[0], 0.01f, x[0], 0.7f, x[2], n);
    k->ada_step(w[1], 0.01f, x[0], 0.7f, x[2], n);
    assert_memory_equal(w[0], w[1], sizeof(w[0]));
}

static void test_variants(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 33, 64, 65, 1000, 1100 };
    static const double scale[] = { 1, 1e-20, 1e10 };
    struct kernels ref, k;
    size_t s, c;
    int i;

    (void)state;
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&k, kernel_name(i)), 0);
        for (c = 0; c < sizeof(scale) / sizeof(scale[0]); c++)
            for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                fill(scale[c]);
                check_same(&ref, &k, sizes[s]);
            }
    }
}

/* A square and a product of three are rounded to float, each by 2^-24 or twice that. */
static void test_definition(void **state)
{
    double want[3] = { 0 }, sum[2], squares;
    struct kernels ref;
    int j;

    (void)state;
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    fill(1);
    squares = ref.ada_squares(x[0], ROOM, col[0]);
    ref.ada_moments(x[0], x[1], 0.7f, x[2], ROOM, sum);
    for (j = 0; j < ROOM; j++) {
        double u = (double)x[0][j] * 0.7f * x[2][j];

        want[0] += (double)x[0][j] * x[0][j] + 1e-30;
        want[1] += u * u;
        want[2] += (double)x[1][j] * x[1][j];
        assert_float_equal(col[0][j], j + (double)x[0][j] * x[0][j], 1e-7);
    }
    assert_float_equal(squares, want[0], want[0] * 1e-7);
    assert_float_equal(sum[0], want[1], want[1] * 3e-7);
    assert_float_equal(sum[1], want[2], want[2] * 1e-12);
}

TESTS("kernel/ada", cmocka_unit_test(test_variants), cmocka_unit_test(test_definition))
