/* train/guard: which losses diverge; what is remembered is what is written. */
#include <math.h>
#include <stdio.h>

#include "../test.h"
#include "base/err.h"
#include "comm/comm.h"
#include "train/guard.h"

static const struct guard_rule rule = { .spike = 3, .max_rollbacks = 5 };

static struct guard fresh(void)
{
    return (struct guard){ .rule = &rule, .lr_scale = 1 };
}

static void test_few(void **state)
{
    struct guard g = fresh();
    int i;

    (void)state;
    for (i = 0; i < GUARD_FEW - 1; i++)
        assert_int_equal(guard_judge(&g, (uint64_t)i, 1), 0);
    assert_true(isnan(guard_median(&g)));
    assert_int_equal(guard_judge(&g, 7, 100), 0);    // no median yet: it cannot be high
    assert_int_equal(g.high, 0);
    assert_true(guard_median(&g) == 1);
    assert_int_equal(guard_judge(&g, 8, INFINITY), 1);    // that is never right
    assert_int_equal(g.high_from, 8);
    assert_int_equal(guard_judge(&g, 8, NAN), 1);
}

static void test_high(void **state)
{
    struct guard g = fresh();
    uint64_t i;

    (void)state;
    for (i = 0; i < 20; i++)
        assert_int_equal(guard_judge(&g, i, i % 2 ? 0.1 : 0.3), 0);
    assert_true(guard_median(&g) > 0.19 && guard_median(&g) < 0.21);
    for (; i < 60; i++)
        assert_int_equal(guard_judge(&g, i, 1.1), 0);    // three times, but not a nat more
    for (; i < 150; i++)
        assert_int_equal(guard_judge(&g, i, 2), 0);
    assert_int_equal(g.high, 0);    // the window has moved
    assert_int_equal(guard_judge(&g, 150, 7), 0);
    assert_int_equal(guard_judge(&g, 151, 7), 0);
    assert_int_equal(guard_judge(&g, 152, 5.9), 0);    // not three in a row
    assert_int_equal(guard_judge(&g, 153, 7), 0);
    assert_int_equal(guard_judge(&g, 154, 70), 0);
    assert_int_equal(guard_judge(&g, 155, 7), 1);
    assert_int_equal(g.high_from, 153);
    assert_true(guard_median(&g) == 2);    // high ones do not count
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_files(void **state)
{
    struct comm *comm = comm_init();
    struct guard g, again;
    struct err err;
    FILE *f;
    int i;

    (void)state;
    assert_int_equal(guard_begin(&g, &rule, ".", 0, comm, &err), 0);
    assert_true(g.n_rollback == 0 && g.skip == 0 && g.lr_scale == 1 && g.n == 0);
    f = fopen("metrics.tsv", "w");
    fprintf(f, "step\tseconds\ttokens\tloss\tnlp\n");
    for (i = 0; i < 100; i++) {
        double loss = 1.0 / (3 + i % 7) + 1e-12;    // more digits than the table keeps

        fprintf(f, "%d\t1\t1\t%.9g\t1\n", i, loss);
        guard_judge(&g, (uint64_t)i, loss);
    }
    fclose(f);
    assert_int_equal(guard_begin(&again, &rule, ".", 100, comm, &err), 0);
    assert_memory_equal(&g, &again, sizeof(g));
    assert_int_equal(guard_begin(&again, &rule, ".", 50, comm, &err), 0);
    assert_int_equal(again.n, 50);

    assert_int_equal(guard_record(&g, ".", 90, 99, 8, &err), 0);
    assert_int_equal(guard_begin(&g, &rule, ".", 90, comm, &err), 0);
    assert_true(g.n_rollback == 1 && g.skip == 10);
    assert_int_equal(guard_record(&g, ".", 90, 91, 8, &err), 0);    // from the same again
    assert_int_equal(guard_begin(&g, &rule, ".", 95, comm, &err), 0);
    assert_true(g.n_rollback == 2 && g.skip == 12);
    assert_int_equal(guard_begin(&g, &rule, ".", 89, comm, &err), 0);    // before it all
    assert_true(g.n_rollback == 0 && g.skip == 0);
    assert_int_equal(guard_begin(&g, &rule, ".", 95, comm, &err), 0);    // and so it is gone
    assert_true(g.n_rollback == 0);
    put("rollbacks.tsv", "something else\n");
    assert_int_equal(guard_begin(&g, &rule, ".", 95, comm, &err), -1);
    comm_end(comm);
}

TESTS("train/guard", cmocka_unit_test(test_few), cmocka_unit_test(test_high),
      cmocka_unit_test(test_files))
