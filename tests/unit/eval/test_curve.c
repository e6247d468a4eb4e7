/* test_curve.c - thinning, smoothing, and where a curve comes down to a level. */
#include "../test.h"

#include <math.h>

#include "eval/curve.h"

static struct curve line(size_t n, double from, double slope)
{
    struct curve c = { 0 };
    size_t i;

    for (i = 0; i < n; i++)
        curve_add(&c, (double)i, from + slope * (double)i);
    return c;
}

static void test_thin(void **state)
{
    struct curve c = line(1000, 5, -0.001), thin = { 0 };
    double sum = 0;
    size_t i;

    (void)state;
    curve_thin(&c, 10, &thin);
    assert_int_equal(thin.n, 10);
    for (i = 0; i < thin.n; i++)
        sum += thin.y[i] / 10;
    assert_true(fabs(sum - (5 - 0.4995)) < 1e-9);    // means of equal parts keep the mean
    curve_release(&thin);
    curve_thin(&c, 5000, &thin);
    assert_int_equal(thin.n, 1000);
    curve_release(&thin);
    curve_release(&c);
}

static void test_smooth(void **state)
{
    struct curve flat = line(50, 3, 0), smooth = { 0 };
    size_t i;

    (void)state;
    curve_smooth(&flat, 10, &smooth);
    for (i = 0; i < smooth.n; i++)    // a constant stays one from the first point on
        assert_true(fabs(smooth.y[i] - 3) < 1e-12);
    curve_release(&smooth);
    curve_release(&flat);
}

static void test_reach(void **state)
{
    struct curve c = { 0 };

    (void)state;
    assert_true(isnan(curve_reach(&c, 1)));
    curve_add(&c, 100, 5);
    curve_add(&c, 200, 4);
    curve_add(&c, 300, 4.5);
    assert_true(curve_reach(&c, 6) == 100);
    assert_true(fabs(curve_reach(&c, 4.25) - 175) < 1e-9);
    assert_true(curve_reach(&c, 4) == 200);
    assert_true(isnan(curve_reach(&c, 3.9)));
    curve_release(&c);
}

TESTS("eval/curve", cmocka_unit_test(test_thin), cmocka_unit_test(test_smooth),
      cmocka_unit_test(test_reach))
