/* test_number.c - Pearson and Spearman, reckoned by hand; what is a number. */
#include "../test.h"

#include "sample.h"

#define S(said, want)                                                                              \
    {                                                                                              \
        said, { want }, NULL, NULL                                                                 \
    }

/* Deviations -1, 0, 1 and -1, 1, 0: 1 / sqrt(2 2). */
static void test_pearson(void **state)
{
    static const struct sample s[] = { S("1", "1"), S("3", "2"), S("2", "3") };
    static const struct sample line[] = { S("-7", "1"), S("-9", "2"), S("-13", "4") };
    /* the same deviations far from 0, where squares of the numbers would lose them */
    static const struct sample far[] = { S("1000000001", "1"), S("1000000003", "2"),
                                         S("1000000002", "3") };

    (void)state;
    near(score_of("pearson", s, 3), 50);
    near(score_of("spearman", s, 3), 50);    // they are their own ranks
    near(score_of("pearson", line, 3), -100);
    near(score_of("pearson", far, 3), 50);
}

/* Wanted 1 2 2 4: ranks 1, 2.5, 2.5, 4. Said 1 3 2 4. Deviations from 2.5: -1.5 0 0 1.5 and
 * -1.5 0.5 -0.5 1.5: 4.5 / sqrt(4.5 5). Three of one value: ranks 2, 2, 2 of 1 to 3. */
static void test_ties(void **state)
{
    static const struct sample s[] = { S("10", "1"), S("300", "2"), S("20", "2"), S("4000", "4") };
    static const struct sample three[] = { S("1", "5"), S("1", "6"), S("1", "7"), S("2", "8") };

    (void)state;
    near(score_of("spearman", s, 4), 450 / sqrt(4.5 * 5));
    /* said ranks 2 2 2 4, wanted 1 2 3 4: deviations -.5 -.5 -.5 1.5 and -1.5 -.5 .5 1.5:
     * (.75 + .25 - .25 + 2.25) / sqrt(3 5) */
    near(score_of("spearman", three, 4), 300 / sqrt(3 * 5));
}

static void test_constant(void **state)
{
    static const struct sample said[] = { S("0.1", "1"), S("0.1", "2"), S("0.1", "3") };
    static const struct sample want[] = { S("1", "0.1"), S("2", "0.1"), S("3", "0.1") };

    (void)state;
    assert_true(isnan(score_of("pearson", said, 3)) && isnan(score_of("pearson", want, 3)));
    assert_true(isnan(score_of("spearman", said, 3)) && isnan(score_of("spearman", want, 3)));
    assert_true(isnan(score_of("pearson", want, 1)));    // one alone
}

/* What is no number counts as -1: then these are 0 1 2 against -1 0 1. */
static void test_no_number(void **state)
{
    static const char *const none[] = { "",    "x",   "nan", "inf", "1e999",
                                        "0x1", "1,5", "1 2", "٣",   "1.5abc" };
    static const struct measure *m;
    double row[2];
    size_t i;

    (void)state;
    m = measure_find("pearson", 7);
    for (i = 0; i < N_OF(none); i++) {
        struct sample s[] = { { none[i], { "0" }, NULL, NULL }, S("0", "1"), S("1", "2") };
        struct sample turned = { "1", { none[i] }, NULL, NULL };

        near(score_of("pearson", s, 3), 100);
        assert_int_equal(sample_row(m, &turned, row), -1);
    }
    assert_int_equal(sample_row(m, &(struct sample)S(" 1e1\t", "\xC2\xA0-.5"), row), 0);
    assert_true(row[0] == -0.5 && row[1] == 10);
}

TESTS("score/number", WITH_HOW(test_pearson), WITH_HOW(test_ties), WITH_HOW(test_constant),
      WITH_HOW(test_no_number))
