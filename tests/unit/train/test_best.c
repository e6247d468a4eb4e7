/* train/best: the highest score, the first of equals, and the link to it. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "../test.h"
#include "base/err.h"
#include "train/best.h"

static struct err err;

static void links_to(const char *want)
{
    char got[256];
    ssize_t n = readlink("best", got, sizeof(got) - 1);

    if (!want) {
        assert_true(n < 0);
        return;
    }
    assert_true(n > 0);
    got[n] = 0;
    assert_string_equal(got, want);
}

static void test_best(void **state)
{
    struct best b;

    (void)state;
    assert_int_equal(best_open(&b, ".", 0, &err), 0);
    links_to(NULL);
    assert_int_equal(best_add(&b, 10, "acc", 1, NAN, &err), 0);
    assert_true(!b.has_best && b.n == 1 && b.n_since == 1);
    links_to(NULL);
    assert_int_equal(best_row(&b, 20, "dev", "acc", "all", 7, 99, &err), 0);    // decides nothing
    assert_int_equal(best_add(&b, 20, "acc", 1, 50.1234564, &err), 0);
    assert_true(b.has_best && b.step == 20 && b.n_since == 0);
    links_to("step-00000020");
    assert_int_equal(best_add(&b, 30, "acc", 1, 50.1234560, &err), 0);    // as written, equal
    assert_int_equal(best_add(&b, 40, "acc", 1, 49, &err), 0);
    assert_true(b.step == 20 && b.n_since == 2 && b.n == 4 && b.last == 40);
    links_to("step-00000020");
    best_close(&b);

    assert_int_equal(best_open(&b, ".", 35, &err), 0);    // resumed
    assert_true(b.step == 20 && b.n_since == 1 && b.n == 3 && b.last == 30);
    assert_int_equal(best_add(&b, 40, "acc", 1, 51, &err), 0);
    assert_true(b.step == 40 && b.n_since == 0);
    links_to("step-00000040");
    best_close(&b);
    assert_int_equal(best_open(&b, ".", 15, &err), 0);    // back to before there was any
    assert_true(!b.has_best && b.n == 1);
    links_to(NULL);
    best_close(&b);
    assert_int_equal(best_open(&b, "nowhere", 15, &err), -1);
}

TESTS("train/best", cmocka_unit_test(test_best))
