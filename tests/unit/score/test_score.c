/* test_score.c - rows to scores: by language, their mean, all; groups; resamples. */
#include "../test.h"

#include <math.h>

#include "base/err.h"
#include "score/measure.h"
#include "score/score.h"
#include "score/trials.h"

static struct measure_how how;

static struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static struct score *begin(const char *metric)
{
    const struct measure *m = measure_find(metric, strlen(metric));

    assert_non_null(m);
    measure_how_init(&how);
    return score_new(&how, &m, 1);
}

static void end(struct score *s)
{
    score_free(s);
    measure_how_release(&how);
}

static int add(struct score *s, const char *lang, const char *group, const char *want,
               const char *said)
{
    struct bytes ref = text(want);
    struct trial t = {
        .lang = text(lang), .group = text(group), .prediction = text(said), .ref = &ref, .n_ref = 1
    };
    struct err err;

    return score_add(s, &t, &err);
}

static void test_languages(void **state)
{
    struct score *s = begin("accuracy");
    struct score_value v;

    (void)state;
    add(s, "sw", "", "a", "a");
    add(s, "fi", "", "a", "b");
    add(s, "sw", "", "a", "a");
    add(s, "sw", "", "a", "b");
    score_compute(s, 0, 0, 95);
    assert_true(score_get(s, 0, &v) && !strcmp(v.lang, "fi") && v.n == 1 && v.score == 0);
    assert_true(isnan(v.low) && isnan(v.high));
    assert_true(score_get(s, 1, &v) && !strcmp(v.lang, "sw") && fabs(v.score - 200. / 3) < 1e-9);
    assert_true(score_get(s, 2, &v) && !strcmp(v.lang, "mean") && fabs(v.score - 100. / 3) < 1e-9);
    assert_true(score_get(s, 3, &v) && !strcmp(v.lang, "all") && v.n == 4 && v.score == 50);
    assert_false(score_get(s, 4, &v));
    end(s);
}

static void test_groups(void **state)
{
    struct score *s = begin("group-accuracy");
    struct score_value v;

    (void)state;
    assert_int_equal(add(s, "fi", "q", "a", "a"), 0);
    assert_int_equal(add(s, "sw", "q", "a", "b"), 0);    // another group: of another language
    assert_int_equal(add(s, "fi", "r", "a", "a"), 0);
    assert_int_equal(add(s, "fi", "r", "a", "b"), 0);
    assert_int_equal(add(s, "fi", "r", "a", "a"), 0);
    assert_int_equal(add(s, "fi", "", "a", "a"), -1);
    score_compute(s, 0, 0, 95);
    assert_true(score_get(s, 0, &v) && v.n == 2 && v.score == 50);
    assert_true(score_get(s, 3, &v) && v.n == 3 && fabs(v.score - 100. / 3) < 1e-9);
    end(s);
}

static void test_resamples(void **state)
{
    struct score *s = begin("accuracy");
    struct score_value v;
    int i;

    (void)state;
    for (i = 0; i < 100; i++)
        add(s, "fi", "", "a", i < 30 ? "a" : "b");
    score_compute(s, 4000, 7, 95);
    assert_true(score_get(s, 0, &v));
    /* binomial(100, 0.3): its 2.5 % and 97.5 % points are 21 and 39; a resample's own error */
    assert_true(fabs(v.low - 21) <= 1 && fabs(v.high - 39) <= 1);
    end(s);
    s = begin("accuracy");
    add(s, "fi", "", "a", "a");
    score_compute(s, 10, 7, 95);
    assert_true(score_get(s, 0, &v) && v.low == 100 && v.high == 100);
    end(s);
}

TESTS("score/score", cmocka_unit_test(test_languages), cmocka_unit_test(test_groups),
      cmocka_unit_test(test_resamples))
