/* test_sets.c - against labels that are painted over one by one. */
#include "../test.h"

#include "base/rng.h"
#include "minhash/sets.h"

enum { N = 300 };

static void test_against_labels(void **state)
{
    struct sets *s = sets_new(N);
    struct rng r = rng_at(2, 2);
    uint64_t label[N], a, b, i, old, size;
    int round;

    (void)state;
    for (i = 0; i < N; i++)
        label[i] = i;
    for (round = 0; round < 250; round++) {
        a = rng_below(&r, N);
        b = rng_below(&r, N);
        sets_join(s, a, b);
        old = label[a] < label[b] ? label[b] : label[a];
        b = label[a] < label[b] ? label[a] : label[b];
        for (i = 0; i < N; i++)
            label[i] = label[i] == old ? b : label[i];
    }
    for (i = 0; i < N; i++) {
        for (size = 0, a = 0; a < N; a++)
            size += label[a] == label[i];
        assert_int_equal(sets_find(s, i), label[i]);
        assert_int_equal(sets_alone(s, i), size == 1);
    }
    sets_free(s);
    sets_free(sets_new(0));
}

TESTS("minhash/sets", cmocka_unit_test(test_against_labels))
