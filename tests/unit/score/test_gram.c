/* test_gram.c - n-grams counted, compared and united. */
#include "../test.h"

#include "score/gram.h"

static void test_counts(void **state)
{
    static const uint32_t a[] = { 7, 7, 7, 1 }, b[] = { 7, 7, 2 };
    struct grams x = { 0 }, y = { 0 };

    (void)state;
    grams_count(&x, a, 4, 1);
    grams_count(&y, b, 3, 1);
    assert_int_equal(x.n, 2);
    assert_int_equal(grams_total(&x), 4);
    assert_int_equal(grams_common(&x, &y), 2);
    assert_int_equal(grams_common(&y, &x), 2);
    grams_max(&y, &x);    // 7: 3, 1: 1, 2: 1
    assert_int_equal(y.n, 3);
    assert_int_equal(grams_total(&y), 5);
    grams_count(&x, a, 4, 2);    // 7 7 twice, 7 1
    assert_int_equal(x.n, 2);
    assert_int_equal(grams_total(&x), 3);
    grams_count(&x, a, 4, 5);
    assert_int_equal(x.n, 0);
    assert_int_equal(grams_common(&x, &y), 0);
    grams_max(&x, &y);
    assert_int_equal(grams_total(&x), 5);
    grams_count(&x, NULL, 0, 1);
    assert_int_equal(grams_total(&x), 0);
    grams_release(&x);
    grams_release(&y);
}

TESTS("score/gram", cmocka_unit_test(test_counts))
