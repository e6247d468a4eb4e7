/* test_measure.c - metrics and tasks by name, labels, means. */
#include "../test.h"

#include "base/err.h"
#include "score/lexicon.h"
#include "score/measure.h"

static struct err err;

static void test_names(void **state)
{
    const struct measure *m, *got[3];
    size_t i, k;

    (void)state;
    for (i = 0; (m = measure_at(i)); i++) {
        assert_ptr_equal(measure_find(m->name, strlen(m->name)), m);    // no name twice
        assert_true(m->width > 0 && m->width <= MEASURE_WIDTH && m->row && m->value && m->about);
    }
    assert_true(i > 15);
    for (k = 0; k < 3; k++)
        assert_null(measure_at(i + k));
    assert_null(measure_find("accuracy", 3));
    assert_null(measure_find("accuracyx", 9));
    assert_null(measure_find("", 0));
    assert_int_equal(measure_parse("em", got, 3, &err), 1);
    assert_int_equal(measure_parse("mcc,chrf++,em", got, 3, &err), 3);
    assert_string_equal(got[1]->name, "chrf++");
}

static void test_refusals(void **state)
{
    const struct measure *got[2];

    (void)state;
    assert_int_equal(measure_parse("em,f1,mcc", got, 2, &err), -1);
    assert_int_equal(measure_parse("em,blue", got, 2, &err), -1);
    assert_non_null(strstr(err.msg, "'blue'"));
    assert_int_equal(measure_parse("", got, 2, &err), -1);
    assert_int_equal(measure_parse("em,", got, 2, &err), -1);
}

/* What a task names is there. */
static void test_tasks(void **state)
{
    const struct measure_task *t;
    const struct measure *m[8];
    size_t i;

    (void)state;
    for (i = 0; (t = measure_task_at(i)); i++) {
        assert_ptr_equal(measure_task(t->name), t);
        assert_true(measure_parse(t->measures, m, 8, &err) > 0);
    }
    assert_true(i > 30);
    assert_null(measure_task_at(i));
    assert_null(measure_task("col"));
    assert_string_equal(measure_task("cola")->measures, "mcc");
    assert_int_equal(measure_task("triviaqa")->norm, ANSWER_TRIVIA);
}

static void test_labels(void **state)
{
    struct measure_how how;

    (void)state;
    measure_how_init(&how);
    assert_int_equal(how.n_fixed, 0);
    measure_set_labels(&how, "False,True,a b");
    assert_int_equal(how.n_fixed, 3);
    assert_int_equal(how.is_label.n, 3);
    assert_int_equal(lexicon_add(how.label, (struct bytes){ (const unsigned char *)"a b", 3 }), 2);
    measure_how_release(&how);
}

/* 2 + 8 + 2, a row picked twice counting twice; the mean of column 0 alone: (1 + 7 + 1) / 3. */
static void test_sums(void **state)
{
    static const double row[] = { 1, 2, 4, 5, 7, 8 }, one[] = { 1, 4, 7 };
    static const size_t pick[] = { 0, 2, 0 };

    (void)state;
    assert_true(measure_sum(row, 2, pick, 3, 1) == 12);
    assert_true(measure_mean(NULL, one, pick, 3) == 300);
}

TESTS("score/measure", cmocka_unit_test(test_names), cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_tasks), cmocka_unit_test(test_labels), cmocka_unit_test(test_sums))
