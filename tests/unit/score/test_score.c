/* test_score.c - rows to scores: by language, their mean, all; groups; resamples. */
#include "../test.h"

#include <math.h>

#include "base/err.h"
#include "base/rng.h"
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

/* The accuracies of n_sample resamples of right[n], drawn as score.h says: from the seed and the
 * language's tag. Sorted. */
static void draw(const int *right, size_t n, const char *purpose, uint64_t seed, double *to,
                 size_t n_sample)
{
    size_t b, i, k;

    for (b = 0; b < n_sample; b++) {
        struct rng rng = rng_at(rng_key(seed, purpose), b);
        double sum = 0;

        for (i = 0; i < n; i++)
            sum += right[rng_below(&rng, n)];
        for (k = b; k && to[k - 1] > 100 * sum / (double)n; k--)
            to[k] = to[k - 1];
        to[k] = 100 * sum / (double)n;
    }
}

/* Of 5 sorted resamples the points of 80 % are at 0.1 4 and 0.9 4: 0.4 of the way from the first to
 * the second, 0.6 of that from the fourth to the fifth. */
static void test_quantiles(void **state)
{
    static const int right[] = { 1, 0, 0, 1, 0, 1, 1 };
    static const uint64_t seeds[] = { 0, 7 };
    double x[5];
    size_t i, k;

    (void)state;
    for (k = 0; k < 2; k++) {
        struct score *s = begin("accuracy");
        struct score_value v;

        for (i = 0; i < 7; i++)
            add(s, "fi", "", "a", right[i] ? "a" : "b");
        score_compute(s, 5, seeds[k], 80);
        draw(right, 7, "bootstrap language fi", seeds[k], x, 5);
        assert_true(score_get(s, 0, &v) && !strcmp(v.lang, "fi"));
        assert_true(fabs(v.low - (0.6 * x[0] + 0.4 * x[1])) < 1e-9);
        assert_true(fabs(v.high - (0.4 * x[3] + 0.6 * x[4])) < 1e-9);
        draw(right, 7, "bootstrap all", seeds[k], x, 5);
        assert_true(score_get(s, 1, &v) && !strcmp(v.lang, "all"));
        assert_true(fabs(v.low - (0.6 * x[0] + 0.4 * x[1])) < 1e-9);
        assert_true(fabs(v.high - (0.4 * x[3] + 0.6 * x[4])) < 1e-9);
        end(s);
    }
}

/* Numbers for 40 examples of fi, and as many of sw if it is there. */
static struct score_value interval_of_fi(uint64_t seed, int with_sw)
{
    struct score *s = begin("accuracy");
    struct score_value v;
    int i;

    for (i = 0; i < 40; i++) {
        add(s, "fi", "", "a", i % 3 ? "a" : "b");
        if (with_sw)
            add(s, "sw", "", "a", "b");
    }
    score_compute(s, 20, seed, 50);
    assert_true(score_get(s, 0, &v) && !strcmp(v.lang, "fi"));
    end(s);
    return v;
}

static void test_seeds(void **state)
{
    struct score_value a = interval_of_fi(1, 0), b = interval_of_fi(1, 1), c = interval_of_fi(2, 0);

    (void)state;
    assert_true(a.low < a.high && a.low == b.low && a.high == b.high);
    assert_true(a.low != c.low || a.high != c.high);
}

/* Pearson of two examples is 100, or not defined where both draws are of one: those are left
 * out. Where all are, there is no interval. */
static void test_undefined(void **state)
{
    struct score *s = begin("pearson");
    struct score_value v;

    (void)state;
    assert_int_equal(add(s, "fi", "", "1", "10"), 0);
    assert_int_equal(add(s, "fi", "", "2", "20"), 0);
    assert_int_equal(add(s, "fi", "", "x", "20"), -1);
    assert_int_equal(score_examples(s), 2);
    score_compute(s, 30, 0, 95);
    assert_true(score_get(s, 0, &v) && fabs(v.score - 100) < 1e-9);
    assert_true(fabs(v.low - 100) < 1e-9 && fabs(v.high - 100) < 1e-9);
    end(s);
    s = begin("pearson");
    add(s, "fi", "", "1", "10");
    score_compute(s, 30, 0, 95);
    assert_true(score_get(s, 0, &v) && isnan(v.score) && isnan(v.low) && isnan(v.high));
    end(s);
}

/* The best of a group's rows; its prediction must be one. */
static void test_best(void **state)
{
    struct score *s = begin("group-f1");
    struct score_value v;

    (void)state;
    assert_int_equal(add(s, "fi", "q", "x y", "x"), 0);    // 2/3
    assert_int_equal(add(s, "fi", "q", "z", "x"), 0);
    assert_int_equal(add(s, "fi", "r", "z", "x"), 0);
    assert_int_equal(add(s, "fi", "q", "x", "other"), -1);
    score_compute(s, 0, 0, 95);
    assert_true(score_get(s, 0, &v) && v.n == 2 && fabs(v.score - 100. / 3) < 1e-9);
    end(s);
}

TESTS("score/score", cmocka_unit_test(test_languages), cmocka_unit_test(test_groups),
      cmocka_unit_test(test_resamples), cmocka_unit_test(test_quantiles),
      cmocka_unit_test(test_seeds), cmocka_unit_test(test_undefined), cmocka_unit_test(test_best))
