/* test_rng.c - the published vectors of Philox, and that what is drawn has its distribution. */
#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"

/* Random123 1.14, kat_vectors, philox4x32 10: words 1 and 0 of the result. The counter is
 * (a, b), its low words first; the key is the key. */
static void test_known_answers(void **state)
{
    (void)state;
    assert_true(rng_u64(0, 0, 0) == 0xe169c58d6627e8d5);
    assert_true(rng_u64(UINT64_MAX, UINT64_MAX, UINT64_MAX) == 0x41c83b0e408f276d);
    assert_true(rng_u64(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e) ==
                0x94fdccebd16cfe09);    // digits of pi: d16cfe09 94fdcceb 5001e420 24126ea1
}

static void test_places_are_functions(void **state)
{
    uint64_t key = rng_key(1, "noise");
    struct rng r = rng_at(key, 5);
    uint64_t i;

    (void)state;
    assert_true(key != rng_key(1, "init") && key != rng_key(2, "noise"));
    for (i = 0; i < 100; i++)
        assert_true(rng_next(&r) == rng_u64(key, 5, i));
}

/* Chi-square over the cells of count, each expected as often. */
static double chi_square(const int *count, int cells, int n)
{
    double sum = 0, want = (double)n / cells;
    int i;

    for (i = 0; i < cells; i++)
        sum += (count[i] - want) * (count[i] - want) / want;
    return sum;
}

static void test_uniform(void **state)
{
    enum { N = 200000, CELLS = 100 };
    int count[CELLS] = { 0 }, i;

    (void)state;
    for (i = 0; i < N; i++) {
        double x = rng_uniform(3, (uint64_t)i, 0);

        assert_true(x >= 0 && x < 1);
        count[(int)(x * CELLS)]++;
    }
    assert_true(chi_square(count, CELLS, N) < 99 + 5 * sqrt(2 * 99));    // 5 deviations
}

static void test_below(void **state)
{
    enum { N = 100000 };
    static const uint64_t edge[] = { 1, 2, 1ull << 63, (1ull << 63) + 1, UINT64_MAX };
    struct rng r = rng_at(4, 0);
    int count[7] = { 0 }, third[3] = { 0 }, i;
    size_t k;

    (void)state;
    for (i = 0; i < N; i++)
        count[rng_below(&r, 7)]++;
    assert_true(chi_square(count, 7, N) < 6 + 5 * sqrt(12));
    for (k = 0; k < sizeof(edge) / sizeof(edge[0]); k++)
        for (i = 0; i < 100; i++)
            assert_true(rng_below(&r, edge[k]) < edge[k]);
    for (i = 0; i < N; i++)    // where a plain modulo would favour the first third two to one
        third[rng_below(&r, 3ull << 62) >> 62]++;
    assert_true(chi_square(third, 3, N) < 2 + 5 * sqrt(4));
}

static void test_normal(void **state)
{
    enum { N = 200000 };
    double sum[2] = { 0 }, square[2] = { 0 }, beyond = 0;
    int i, cut;

    (void)state;
    for (cut = 0; cut < 2; cut++)
        for (i = 0; i < N; i++) {
            double x = rng_normal(5, 1, (uint64_t)i, cut);

            assert_true(isfinite(x) && (!cut || fabs(x) <= 2));
            sum[cut] += x;
            square[cut] += x * x;
            beyond += fabs(x) > 2;
        }
    /* within 5 deviations of the mean of N draws */
    assert_true(fabs(sum[0] / N) < 5 / sqrt(N));
    assert_true(fabs(square[0] / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(beyond / N - 0.0455003) < 5 * sqrt(0.0455 / N));
    assert_true(fabs(sum[1] / N) < 5 * 0.88 / sqrt(N));
    assert_true(fabs(square[1] / N - 0.7737413) <
                5 * sqrt(2.0 / N));    // 1 - 4 phi(2) / erf(sqrt 2)
}

static void test_permute(void **state)
{
    static const uint64_t size[] = { 1, 2, 3, 4, 5, 7, 16, 17, 100, 1000, 4096, 4097, 65537 };
    unsigned char *seen = malloc(65537);
    size_t s, key;
    uint64_t i;

    (void)state;
    for (s = 0; s < sizeof(size) / sizeof(size[0]); s++)
        for (key = 0; key < 3; key++) {
            uint64_t n = size[s], moved = 0;

            memset(seen, 0, n);
            for (i = 0; i < n; i++) {
                uint64_t x = rng_permute(key, n, i);

                assert_true(x < n && !seen[x]);
                seen[x] = 1;
                moved += x != i;
            }
            assert_true(n < 100 || moved > n * 9 / 10);
        }
    for (i = 0; i < 100; i++) {
        assert_true(rng_permute(9, UINT64_MAX, UINT64_MAX - 1 - i) < UINT64_MAX);
        assert_true(rng_permute(9, (1ull << 62) + 1, i) <= 1ull << 62);
    }
    free(seen);
}

TESTS("base/rng", cmocka_unit_test(test_known_answers), cmocka_unit_test(test_places_are_functions),
      cmocka_unit_test(test_uniform), cmocka_unit_test(test_below), cmocka_unit_test(test_normal),
      cmocka_unit_test(test_permute))
