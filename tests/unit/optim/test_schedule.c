/* train/schedule: against the reference table. */
#include <math.h>
#include <stdio.h>

#include "../test.h"
#include "optim/schedule.h"

static void test_reference(void **state)
{
    static const struct schedule rsqrt = { SCHEDULE_RSQRT, 1.0, 10000, 0, 1000000 };
    static const struct schedule ramp = { SCHEDULE_RSQRT, 1.0, 10000, 0.1, 1000000 };
    static const struct schedule flat = { SCHEDULE_CONSTANT, 1e-3, 10000, 0, 1000000 };
    const struct schedule *s[] = { &rsqrt, &ramp, &flat };
    char path[4096], line[512];
    double step, want[3];
    int i, n = 0;
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/golden/adafactor/lr_schedules.tsv", test_data);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    while (fgets(line, sizeof(line), f)) {
        assert_int_equal(sscanf(line, "%lf %lf %lf %lf", &step, &want[0], &want[1], &want[2]), 4);
        for (i = 0; i < 3; i++) {    // the table has 9 digits
            double got = schedule_lr(s[i], (uint64_t)step);

            if (!(fabs(got - want[i]) <= 1e-8 * want[i]))
                fail_msg("schedule %d, step %.0f: %.12g, not %.12g", i, step, got, want[i]);
        }
        n++;
    }
    fclose(f);
    assert_int_equal(n, 15);
}

static void test_short(void **state)
{
    static const struct schedule s = { SCHEDULE_RSQRT, 1.0, 0, 0.5, 100 };

    (void)state;
    assert_true(schedule_lr(&s, 0) == 1.0);
    assert_true(fabs(schedule_lr(&s, 25) - 0.2) < 1e-15);
    assert_true(fabs(schedule_lr(&s, 64) - 0.125 * 36 / 50) < 1e-15);
    assert_true(schedule_lr(&s, 1000) == 0.0);
}

TESTS("optim/schedule", cmocka_unit_test(test_reference), cmocka_unit_test(test_short))
