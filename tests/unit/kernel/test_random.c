/* Dropout's coins and the router's jitter: the same to the bit, whichever variant draws them. */
#define _DEFAULT_SOURCE    // MAP_ANONYMOUS
#include "arrays.h"

/* Random factors are the same to the bit, whichever variant makes them: keys, rows and places
 * with both halves in use, places that carry over 32 bits, bars at both ends. */
static void coins(const struct kernels *ref, const struct kernels *k)
{
    static const uint64_t at[] = { 0, 1, 0xfffffff0, 0xfffffffffffffff0, 0x123456789abcdef0 };
    static const uint32_t below[] = { 0, 1, 0x19999999, 0x80000000, 0xffffffff };
    float *x, want[ROOM];
    size_t s, i;

    for (s = 0; s < N_SIZE; s++)
        for (i = 0; i < 25; i++) {
            x = fill(0, sizes[s], 0, PLAIN);
            ref->coins(want, 1.25f, below[i % 5], at[i / 5] * 3 + 7, at[(i + 2) % 5], at[i / 5],
                       sizes[s]);
            k->coins(x, 1.25f, below[i % 5], at[i / 5] * 3 + 7, at[(i + 2) % 5], at[i / 5],
                     sizes[s]);
            assert_memory_equal(x, want, sizes[s] * sizeof(*x));
        }
}

static void jitters(const struct kernels *ref, const struct kernels *k)
{
    float *x, *to, want[ROOM];
    size_t s, off;

    for (s = 0; s < N_SIZE; s++)
        for (off = 0; off < 3; off++) {
            x = fill(0, sizes[s], off, PLAIN);
            to = fill(1, sizes[s], 2 * off, PLAIN);
            ref->jitter(want, x, 0.9f, 0.2f / 65536, 77, 0x123456789abcdef0 + s, sizes[s]);
            k->jitter(to, x, 0.9f, 0.2f / 65536, 77, 0x123456789abcdef0 + s, sizes[s]);
            assert_memory_equal(to, want, sizes[s] * sizeof(*x));
            k->jitter(x, x, 0.9f, 0.2f / 65536, 77, 0x123456789abcdef0 + s, sizes[s]);
            assert_memory_equal(x, want, sizes[s] * sizeof(*x));
        }
}

static void test_jitter(void **state)
{
    (void)state;
    each_variant(jitters);
}

static void test_coins(void **state)
{
    (void)state;
    each_variant(coins);
}

TESTS("kernel/random", cmocka_unit_test(test_coins), cmocka_unit_test(test_jitter))
