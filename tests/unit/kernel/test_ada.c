/* Adafactor's passes: every variant to the bit as the definition, and that against plain sums. */
#include "../test.h"

#include <math.h>

#include "base/rng.h"
#include "kernel/kernel.h"

enum { ROOM = 1100, MOST = 7, N_ARRAY = 2 };

static float x[N_ARRAY][MOST * ROOM], a[MOST], b[ROOM];
static double down[2][ROOM];

static float draw(double size, uint64_t i, size_t j)
{
    return (float)(size * (2 * rng_uniform(3, i, (uint64_t)j) - 1));
}

static void fill(double size)
{
    size_t i, j;

    for (i = 0; i < N_ARRAY; i++)
        for (j = 0; j < MOST * ROOM; j++)
            x[i][j] = draw(size, i, j);
    for (j = 0; j < MOST; j++)
        a[j] = draw(2, 10, j);
    for (j = 0; j < ROOM; j++)
        b[j] = draw(2, 11, j);
    for (j = 0; j < ROOM; j++)
        down[0][j] = down[1][j] = (double)j;
}

/* with_half: 0: none; 1, 2: where lines begin and where they do not */
static void check_step(const struct kernels *ref, const struct kernels *k, size_t rows, size_t n,
                       int with_half)
{
    static float w[2][MOST * ROOM];
    static _Alignas(64) uint16_t half[2][MOST * ROOM + 1];
    uint16_t *to[2] = { NULL, NULL };
    double ww[2][MOST] = { 0 };
    int i;

    for (i = 0; i < 2; i++) {
        memcpy(w[i], x[1], sizeof(w[i]));
        memset(half[i], 0, sizeof(half[i]));
        if (with_half)
            to[i] = half[i] + with_half - 1;
    }
    ref->ada_step(w[0], to[0], 0.01f, x[0], a, b, rows, n, ww[0]);
    k->ada_step(w[1], to[1], 0.01f, x[0], a, b, rows, n, ww[1]);
    assert_memory_equal(ww[0], ww[1], sizeof(ww[0]));
    assert_memory_equal(w[0], w[1], sizeof(w[0]));
    assert_memory_equal(half[0], half[1], sizeof(half[0]));
}

static void check_same(const struct kernels *ref, const struct kernels *k, size_t rows, size_t n)
{
    double sum[2][2][MOST] = { 0 }, along[2][MOST] = { 0 };
    int i;

    ref->ada_squares(x[0], rows, n, along[0], down[0]);
    k->ada_squares(x[0], rows, n, along[1], down[1]);
    assert_memory_equal(along[0], along[1], sizeof(along[0]));
    assert_memory_equal(down[0], down[1], sizeof(down[0]));
    ref->ada_moments(x[0], a, b, rows, n, sum[0][0]);
    k->ada_moments(x[0], a, b, rows, n, sum[1][0]);
    ref->ada_moments(x[1], NULL, NULL, rows, n, sum[0][1]);
    k->ada_moments(x[1], NULL, NULL, rows, n, sum[1][1]);
    assert_memory_equal(sum[0], sum[1], sizeof(sum[0]));
    for (i = 0; i < 3; i++)
        check_step(ref, k, rows, n, i);
}

static void test_variants(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 33, 64, 65, 1000, 1100 };
    static const double scale[] = { 1, 1e-20, 1e10 };
    struct kernels ref, k;
    size_t s, c, rows;
    int i;

    (void)state;
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    for (i = 0; kernel_name(i); i++) {
        assert_int_equal(kernel_select(&k, kernel_name(i)), 0);
        for (c = 0; c < sizeof(scale) / sizeof(scale[0]); c++)
            for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                fill(scale[c]);
                for (rows = 0; rows <= MOST; rows += rows < 1 ? 1 : 3)
                    check_same(&ref, &k, rows, sizes[s]);
            }
    }
}

/* A square and a product of three are rounded to float, each by 2^-24 or twice that. */
static void test_definition(void **state)
{
    double want[3] = { 0 }, uu[2], ww[2], along[2];
    struct kernels ref;
    size_t j;

    (void)state;
    assert_int_equal(kernel_select(&ref, "ref"), 0);
    fill(1);
    ref.ada_squares(x[0], 2, ROOM, along, down[0]);
    ref.ada_moments(x[0], a, b, 2, ROOM, uu);
    ref.ada_moments(x[1], NULL, NULL, 2, ROOM, ww);
    for (j = 0; j < ROOM; j++) {
        double up = (double)x[0][j], low = (double)x[0][ROOM + j], w = (double)x[1][ROOM + j];
        double u = low * (double)a[1] * (double)b[j];

        want[0] += low * low + 1e-30;
        want[1] += u * u;
        want[2] += w * w;
        assert_float_equal(down[0][j], (double)j + up * up + low * low, 1e-7);
    }
    assert_float_equal(along[1], want[0], want[0] * 1e-7);
    assert_float_equal(uu[1], want[1], want[1] * 3e-7);
    assert_float_equal(ww[1], want[2], want[2] * 1e-12);
}

TESTS("kernel/ada", cmocka_unit_test(test_variants), cmocka_unit_test(test_definition))
