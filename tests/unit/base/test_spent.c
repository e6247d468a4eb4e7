/* test_spent.c - every second is of one part, the inner one; other threads keep out of it. */
#include "../test.h"

#include <pthread.h>

#include "base/progress.h"
#include "base/spent.h"

static void pass(double seconds)
{
    double end = clock_seconds() + seconds;

    while (clock_seconds() < end)
        ;
}

static double all(void)
{
    double sum = 0;
    int i;

    for (i = 0; i < SPENT_PARTS; i++)
        sum += spent_seconds(i);
    return sum;
}

static void test_inner_part(void **state)
{
    double before[2], start, outer, inner;
    int was, again;

    (void)state;
    spent_on(SPENT_OTHER);
    start = clock_seconds();
    before[0] = spent_seconds(SPENT_ROUTER);
    before[1] = all();
    was = spent_on(SPENT_ROUTER);
    assert_int_equal(was, SPENT_OTHER);
    pass(0.01);
    again = spent_on(SPENT_GEMM);
    assert_int_equal(again, SPENT_ROUTER);
    pass(0.02);
    spent_on(again);
    spent_on(was);
    outer = spent_seconds(SPENT_ROUTER) - before[0];
    inner = spent_seconds(SPENT_GEMM);
    assert_true(outer >= 0.01 && inner >= 0.02);
    assert_true(outer + inner <= all() - before[1] + 1e-9);
    assert_true(all() - before[1] <= clock_seconds() - start + 1e-9);
}

static void test_move(void **state)
{
    double gemm = spent_seconds(SPENT_GEMM), before;

    (void)state;
    before = all();
    spent_move(SPENT_GEMM, 5);
    assert_float_equal(spent_seconds(SPENT_GEMM), gemm + 5, 1e-9);
    assert_true(all() - before < 1);
}

static void *stranger(void *p)
{
    (void)p;
    assert_int_equal(spent_on(SPENT_WAIT), SPENT_WAIT);    // so that going back is nothing too
    spent_move(SPENT_WAIT, 5);
    return NULL;
}

static void test_other_threads(void **state)
{
    double wait = spent_seconds(SPENT_WAIT);
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, stranger, NULL), 0);
    pthread_join(t, NULL);
    assert_float_equal(spent_seconds(SPENT_WAIT), wait, 1e-12);
}

TESTS("base/spent", cmocka_unit_test(test_inner_part), cmocka_unit_test(test_move),
      cmocka_unit_test(test_other_threads))
