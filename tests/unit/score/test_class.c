/* test_class.c - scores of labels, reckoned by hand from tables of what was said and wanted. */
#include "../test.h"

#include "sample.h"

#define S(said, want)                                                                              \
    {                                                                                              \
        said, { want }, NULL, NULL                                                                 \
    }

static void test_accuracy(void **state)
{
    static const struct sample s[] = {
        S("a", "a"), S("a ", "a"), S("", ""), S("", "a"), { "b", { "a", "b" }, NULL, NULL }
    };

    (void)state;
    near(score_of("accuracy", s, 5), 60);                        // to the byte; any reference
    near(score_pair("accuracy", "\xC3\xA9", "e\xCC\x81"), 0);    // nothing is composed
}

/* Right 2, wrong 1 (and "maybe" of a negative, which counts as positive), missed 1: 2 2 / (4 + 3).
 * "maybe" of a positive counts as negative: missed. */
static void test_f1_binary(void **state)
{
    static const struct sample s[] = { S("yes", "yes"),  S("yes", "yes"), S("yes", "no"),
                                       S("maybe", "no"), S("no", "no"),   S("maybe", "yes") };
    static const struct sample none[] = { S("no", "no"), S("no", "no") };
    double row[2];

    (void)state;
    assert_int_equal(sample_row(measure_find("f1-binary", 9), s, row), -1);    // which is it?
    measure_set_labels(&how, "no,yes");
    near(score_of("f1-binary", s, 6), 400. / 7);
    near(score_of("f1-binary", none, 2), 0);    // 0 / 0
    assert_int_equal(sample_row(measure_find("f1-binary", 9), &(struct sample)S("yes", "?"), row),
                     -1);
    assert_non_null(strstr(sample_err.msg, "'?'"));
}

/* a: right 1 of 2 said, 2 wanted: 1/2. b: right 1 of 1 said, 1 wanted: 1. c: 0 of 1 and 1: 0.
 * With d among the labels, which never comes, a fourth 0. */
static void test_f1_mean(void **state)
{
    static const struct sample s[] = { S("a", "a"), S("c", "a"), S("b", "b"), S("a", "c") };

    (void)state;
    near(score_of("f1-mean", s, 4), 50);
    how_end(NULL);
    how_begin(NULL);
    measure_set_labels(&how, "a,b,c,d");
    near(score_of("f1-mean", s, 4), 37.5);
}

/* 3 right positives, 2 right negatives, 1 wrong positive, 2 missed:
 * (3 2 - 1 2) / sqrt((3 + 1) (3 + 2) (2 + 1) (2 + 2)). */
static void test_mcc(void **state)
{
    static const struct sample s[] = { S("1", "1"), S("1", "1"), S("1", "1"), S("0", "0"),
                                       S("0", "0"), S("1", "0"), S("0", "1"), S("0", "1") };
    static const struct sample turned[] = { S("0", "1"), S("1", "0"), S("0", "1") };
    static const struct sample said_one[] = { S("0", "1"), S("0", "0"), S("0", "1") };
    static const struct sample want_one[] = { S("0", "1"), S("1", "1"), S("0", "1") };

    (void)state;
    near(score_of("mcc", s, 8), 400 / sqrt(4 * 5 * 3 * 4));
    near(score_of("mcc", turned, 3), -100);
    near(score_of("mcc", said_one, 3), 0);
    near(score_of("mcc", want_one, 3), 0);
    near(score_of("mcc", s, 3), 0);    // all right, but one class alone: 0 / 0
    near(score_of("mcc", s + 2, 2), 100);
}

/* Gorodkin: s = 6 of which 4 are right; said a 2, b 3, c 1; wanted 2 each.
 * (4 6 - (4 + 6 + 2)) / sqrt((36 - 14) (36 - 12)). */
static void test_mcc_three(void **state)
{
    static const struct sample s[] = { S("a", "a"), S("b", "a"), S("b", "b"),
                                       S("b", "b"), S("c", "c"), S("a", "c") };

    (void)state;
    near(score_of("mcc", s, 6), 1200 / sqrt(22 * 24));
}

/* "x" and "y" are one class more: said a 1, b 1, that one 2; wanted a 3, b 1; 2 right of 4:
 * (2 4 - (3 + 1)) / sqrt((16 - 6) (16 - 10)). */
static void test_mcc_other(void **state)
{
    static const struct sample s[] = { S("a", "a"), S("x", "a"), S("y", "a"), S("b", "b") };

    (void)state;
    near(score_of("mcc", s, 4), 400 / sqrt(10 * 6));
}

/* One's words without determiners among the other's, and not one of them a possessive. */
static void test_wsc(void **state)
{
    static const struct sample s[] = {
        S("The City", "the city councilmen"),               // fewer words
        S("the big city councilmen", "city councilmen"),    // more
        S("city hall", "city councilmen"),                  // neither
        S("", "city"),                                      // nothing said
        S("the", "city"),                                   // nothing but a determiner
        S("Bob's dog", "Bob's dog"),
        S("Bob", "Bob's"),
    };
    static const double want[] = { 100, 100, 0, 0, 0, 100, 0 };
    static const struct sample wrong[] = {
        { "city", { "city" }, NULL, "False" },
        { "hall", { "city" }, NULL, "0" },
        { "city", { "city" }, NULL, "1" },
        { "", { "city" }, NULL, "0" },    // nothing is never right
    };
    double row[1];
    size_t i;

    (void)state;
    for (i = 0; i < N_OF(s); i++)
        near(score_of("wsc", s + i, 1), want[i]);
    near(score_of("wsc", wrong, 4), 50);
    assert_int_equal(
        sample_row(measure_find("wsc", 3), &(struct sample){ "a", { "b" }, NULL, "no" }, row), -1);
}

TESTS("score/class", WITH_HOW(test_accuracy), WITH_HOW(test_f1_binary), WITH_HOW(test_f1_mean),
      WITH_HOW(test_mcc), WITH_HOW(test_mcc_three), WITH_HOW(test_mcc_other), WITH_HOW(test_wsc))
