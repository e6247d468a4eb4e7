/* test_mt.c - NumPy's own values: RandomState(seed).randint(0, 2**61 - 1, dtype=uint64), and the
 * 10,000th 32-bit number of MT19937 seeded with 5489, which the C++ standard states. */
#include "../test.h"

#include "minhash/mt.h"

static void test_standard(void **state)
{
    struct mt m;
    uint32_t x = 0;
    int i;

    (void)state;
    mt_init(&m, 5489);
    for (i = 0; i < 10000; i++)
        x = mt_u32(&m);
    assert_int_equal(x, 4123659995u);
}

static void test_below(void **state)
{
    const uint64_t prime = ((uint64_t)1 << 61) - 1, all = UINT64_MAX;
    uint64_t x = 0, least = all, most = 0;
    struct mt m;
    int i;

    (void)state;
    mt_init(&m, 0);
    for (i = 0; i < 400; i++)
        x = mt_below(&m, 1, prime);
    assert_true(x == 1111090279121247353u);
    for (i = 0; i < 400; i++)
        x = mt_below(&m, 0, prime);
    assert_true(x == 1999507898611677120u);
    for (i = 0; i < 20000; i++) {    // half of what is drawn is thrown away here
        x = mt_below(&m, 7, ((uint64_t)1 << 33) + 9);
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    assert_true(least >= 7 && least < 7 + ((uint64_t)1 << 23));
    assert_true(most <= ((uint64_t)1 << 33) + 8 &&
                most > ((uint64_t)1 << 33) - ((uint64_t)1 << 23));
}

TESTS("minhash/mt", cmocka_unit_test(test_standard), cmocka_unit_test(test_below))
