/* Shares, whole weights, the order of rows. */
#include "plans.h"

#include <math.h>

#include "base/mem.h"

static void test_weights(void **state)
{
    struct plan *p = three(0, 65536);
    double sum = pow(1000, 0.3) + pow(60, 0.3) + pow(7, 0.3);
    uint64_t weights = 0;
    int i;

    (void)state;
    assert_string_equal(p->lang[0].is.lang, "en");
    assert_string_equal(p->lang[1].is.lang, "fi");
    assert_string_equal(p->lang[2].is.lang, "sw");
    for (i = 0; i < 3; i++) {
        const struct plan_lang *l = &p->lang[i];

        assert_true(fabs(l->share - (double)l->is.rows / 1067) < 1e-12);
        assert_true(fabs(l->probability - pow((double)l->is.rows, 0.3) / sum) < 1e-12);
        assert_true(fabs((double)p->stage[0].draw[i].weight - l->probability * 65536) < 1);
        assert_int_equal(p->stage[0].draw[i].before, weights);
        weights += p->stage[0].draw[i].weight;
    }
    assert_int_equal(weights, 65536);
    plan_free(p);
}

/* mC4's own counts against the published shares, which are rounded to six digits. */
static void test_mc4(void **state)
{
    char path[4200], head[200], lang[32];
    double rows, share, p[3], over;
    struct plan *plan = plan_new(0);
    FILE *f;
    int pass, i, n;

    (void)state;
    snprintf(path, sizeof(path), "%s/spec/mc4_mixing.tsv", test_shared);
    f = fopen(path, "r");
    if (!f) {
        plan_free(plan);
        skip();
    }
    for (pass = 0; pass < 2; pass++) {
        rewind(f);
        assert_non_null(fgets(head, sizeof(head), f));
        for (n = 0; fscanf(f, "%31s%lf%lf%lf%lf%lf%lf", lang, &rows, &share, &p[0], &p[1], &p[2],
                           &over) == 7;
             n++) {
            if (pass == 0) {
                add(plan, lang, (uint64_t)rows);
                continue;
            }
            for (i = 0; strcmp(plan->lang[i].is.lang, lang) != 0;)
                i++;
            assert_true(fabs(plan->lang[i].share - share) < 1e-6);
            assert_true(fabs(plan->lang[i].probability - p[0]) < 1e-6);
            assert_true(fabs(plan->lang[i].probability / plan->lang[i].share - over) <
                        1e-4 + 1e-3 * over);
        }
        assert_true(n > 100);
        assert_int_equal(weigh(plan, 0.3, 0, 0, PLAN_PERIOD), 0);
    }
    fclose(f);
    plan_free(plan);
}

static void test_cap_before_power(void **state)
{
    struct plan *p = three(0, 65536);

    (void)state;
    assert_int_equal(weigh(p, 0.5, 100, 0, 65536), 0);
    assert_true(fabs(p->lang[0].probability / p->lang[1].probability - sqrt(100 / 60.0)) < 1e-12);
    assert_int_equal(weigh(p, 1, 0, 1, 65536), 0);    // by tokens
    assert_true(fabs(p->lang[0].share - 1000 / 1067.0) < 1e-12);
    assert_int_equal(weigh(p, 0, 0, 0, 3), 0);
    assert_int_equal(p->stage[0].draw[2].weight, 1);
    assert_int_equal(weigh(p, 0, 0, 0, 2), -1);
    plan_free(p);
}

static void test_one_for_each(void **state)
{
    struct plan *p = plan_new(0);

    (void)state;
    add(p, "en", 3000000000u);
    add(p, "la", 0);
    add(p, "yo", 2);
    add(p, "zu", 1);
    assert_int_equal(weigh(p, 1, 0, 0, 1000), 0);
    assert_int_equal(p->stage[0].draw[0].weight, 998);
    assert_int_equal(p->stage[0].draw[1].weight, 0);    // it has no row
    assert_int_equal(p->stage[0].draw[2].weight, 1);
    assert_int_equal(p->stage[0].draw[3].weight, 1);
    plan_free(p);
    p = plan_new(0);
    add(p, "en", 0);
    assert_int_equal(weigh(p, 1, 0, 0, 1000), -1);
    plan_free(p);
}

static void test_refuses(void **state)
{
    struct plan *p = three(0, 100);
    struct plan_facts other = p->lang[0].is;
    struct err err;

    (void)state;
    assert_int_equal(plan_add(p, "again.ex", &other, &err), -1);
    assert_non_null(strstr(err.msg, "again.ex"));
    assert_non_null(strstr(err.msg, "en.ex"));
    strcpy(other.lang, "de");
    other.targets = 115;
    assert_int_equal(plan_add(p, "de.ex", &other, &err), -1);
    other.targets = 114;
    other.vocab++;
    assert_int_equal(plan_add(p, "de.ex", &other, &err), -1);
    other.vocab--;
    memset(other.vocab_sha256, 'b', 64);
    assert_int_equal(plan_add(p, "de.ex", &other, &err), -1);
    assert_int_equal(p->n_lang, 3);
    plan_free(p);
}

static double drawn_with(const struct plan *p, int lang)
{
    return (double)p->stage[0].draw[lang].weight / (double)p->period;
}

/* Rows 1000, 60, 7: what a floor or a limit takes or leaves goes to the others in proportion. */
static void test_bounds(void **state)
{
    struct plan *p = three(0, 65536);
    struct plan_rule rule = { .alpha = 1, .floor = 0.05 };
    struct err err;

    (void)state;
    assert_int_equal(plan_weigh(p, &rule, 1 << 20, &err), 0);
    assert_true(fabs(p->lang[2].probability - 0.05) < 1e-12);
    assert_true(fabs(p->lang[1].probability - 60 / 1060.0 * 0.95) < 1e-12);
    assert_true(fabs(drawn_with(p, 0) - 1000 / 1060.0 * 0.95) < 2e-6);
    rule = (struct plan_rule){ .epochs = 2, .rows = 500 };    // alpha 0: UniMax
    assert_int_equal(plan_weigh(p, &rule, 1 << 20, &err), 0);
    assert_true(fabs(p->lang[2].probability - 14 / 500.0) < 1e-12);
    assert_true(fabs(p->lang[1].probability - 120 / 500.0) < 1e-12);
    assert_true(fabs(p->lang[0].probability - 366 / 500.0) < 1e-12);
    assert_true(drawn_with(p, 1) <= 120 / 500.0 && drawn_with(p, 2) <= 14 / 500.0);
    rule.floor = 0.1;    // more than two epochs of sw: those come first
    assert_int_equal(plan_weigh(p, &rule, 1 << 20, &err), 0);
    assert_true(fabs(p->lang[2].probability - 14 / 500.0) < 1e-12);
    rule = (struct plan_rule){ .epochs = 1, .rows = 1067 };    // just enough
    assert_int_equal(plan_weigh(p, &rule, 65536, &err), 0);
    assert_true(fabs(drawn_with(p, 0) - 1000 / 1067.0) < 1 / 65536.0);
    rule.rows = 1068;
    assert_int_equal(plan_weigh(p, &rule, 65536, &err), -1);
    assert_string_equal(err.msg, "1068 rows are more than 1 epochs of all languages");
    rule = (struct plan_rule){ .floor = 0.34 };
    assert_int_equal(plan_weigh(p, &rule, 65536, &err), -1);
    plan_free(p);
}

static void test_stages(void **state)
{
    static unsigned char seen[3][1000][600];
    struct plan *p = staged();
    uint64_t n, count[3] = { 0 }, told[3];
    int i;

    (void)state;
    memset(seen, 0, sizeof(seen));
    for (n = 0; n < 5000; n++) {
        struct plan_place at = plan_at(p, n);

        assert_true(n < 1024 ? at.lang < 2 : at.lang > 0);
        assert_true(at.epoch < 600);
        assert_int_equal(seen[at.lang][at.row][at.epoch]++, 0);
        count[at.lang]++;
        if (n % 97 == 0 || n == 1023 || n == 1024) {
            plan_count(p, n + 1, told);
            for (i = 0; i < 3; i++)
                assert_int_equal(told[i], count[i]);
        }
    }
    plan_count(p, 0, told);
    assert_true(told[0] + told[1] + told[2] == 0);
    assert_true(plan_draws(p, 0) && plan_draws(p, 2));
    plan_free(p);
}

static void test_join_refuses(void **state)
{
    struct plan *p[2] = { three(1, 512), three(2, 512) };
    const uint64_t rows[2] = { 1024, 0 };
    struct err err;

    (void)state;
    assert_null(plan_join(p, rows, 2, &err));    // seeds differ
    plan_free(p[1]);
    p[1] = three(1, 256);
    assert_null(plan_join(p, rows, 2, &err));
    assert_string_equal(err.msg, "stage 2: another seed or period than in stage 1");
    plan_free(p[1]);
    p[1] = three(1, 512);
    assert_null(plan_join(p, (const uint64_t[]){ 700, 0 }, 2, &err));
    assert_string_equal(err.msg, "stage 2 does not begin with a period of 512 rows");
    memset(p[1]->lang[1].is.sha256, 'b', 64);
    assert_null(plan_join(p, rows, 2, &err));
    assert_string_equal(err.msg, "fi: another shard in stage 2 than before");
    plan_free(p[0]);
    plan_free(p[1]);
}

/* In each period a language comes exactly weight times, and each of its rows once an epoch. */
static void test_order(void **state)
{
    enum { PERIOD = 512, PERIODS = 20 };
    struct plan *p = three(3, PERIOD);
    static unsigned char seen[3][1000][4000];
    uint64_t n, count[3] = { 0 }, told[3];
    int i;

    (void)state;
    memset(seen, 0, sizeof(seen));
    for (n = 0; n < PERIOD * PERIODS; n++) {
        struct plan_place at = plan_at(p, n);

        assert_true(at.row < p->lang[at.lang].is.rows && at.epoch < 4000);
        assert_int_equal(seen[at.lang][at.row][at.epoch]++, 0);
        count[at.lang]++;
        if ((n + 1) % PERIOD == 0)
            for (i = 0; i < 3; i++)
                assert_int_equal(count[i], (n + 1) / PERIOD * p->stage[0].draw[i].weight);
        if (n % 97 == 0) {
            plan_count(p, n + 1, told);
            for (i = 0; i < 3; i++)
                assert_int_equal(told[i], count[i]);
        }
    }
    for (i = 0; i < 3; i++) {    // whole epochs are whole
        uint64_t row, epoch;

        for (epoch = 0; epoch < count[i] / p->lang[i].is.rows; epoch++)
            for (row = 0; row < p->lang[i].is.rows; row++)
                assert_int_equal(seen[i][row][epoch], 1);
    }
    plan_free(p);
}

/* Languages are interleaved: the number of changes from a row to the next is what a random
 * order has, 1 - sum p^2 of them, within 5 deviations (those of independent pairs). */
static void test_interleaved(void **state)
{
    struct plan *p = three(11, 65536);
    double same = 0, expect, n = 65535;
    uint64_t i, back = 0;
    int k;

    (void)state;
    for (k = 0; k < 3; k++)
        same += pow((double)p->stage[0].draw[k].weight / 65536, 2);
    expect = n * (1 - same);
    for (k = 0, i = 0; i < n; i++)
        k += plan_at(p, i).lang != plan_at(p, i + 1).lang;
    assert_true(fabs(k - expect) < 5 * sqrt(n * same * (1 - same)));
    for (i = 0; i < 2000; i++)    // rows of one language: neighbours are far apart in the shard
        back += plan_at(p, i).row > plan_at(p, i + 1).row;
    assert_true(back > 800 && back < 1200);
    plan_free(p);
}

static void test_shuffle_distance(void **state)
{
    enum { ROWS = 30000 };
    struct plan *p = plan_new(5);
    double sum = 0;
    uint64_t i;

    (void)state;
    add(p, "en", ROWS);
    assert_int_equal(weigh(p, 0.3, 0, 0, ROWS), 0);
    for (i = 0; i + 1 < ROWS; i++)
        sum += fabs((double)plan_at(p, i).row - (double)plan_at(p, i + 1).row);
    /* mean |x - y| is ROWS / 3; its deviation for independent pairs is ROWS sqrt(1/18 / n) */
    assert_true(fabs(sum / (ROWS - 1) - ROWS / 3.0) < 5 * ROWS * sqrt(1 / 18.0 / ROWS));
    plan_free(p);
}

static void test_seed(void **state)
{
    struct plan *a = three(1, 4096), *b = three(1, 4096), *c = three(2, 4096);
    char fa[65], fb[65], fc[65];
    uint64_t n, same = 0;

    (void)state;
    for (n = 5000; n-- > 0;) {    // backwards: nothing but n counts
        struct plan_place x = plan_at(a, n), y = plan_at(b, n), z = plan_at(c, n);

        assert_true(x.lang == y.lang && x.row == y.row && x.epoch == y.epoch);
        same += x.lang == z.lang && x.row == z.row;
    }
    assert_true(same < 500);
    plan_fingerprint(a, fa);
    plan_fingerprint(b, fb);
    plan_fingerprint(c, fc);
    assert_string_equal(fa, fb);
    assert_string_not_equal(fa, fc);
    plan_free(a);
    plan_free(b);
    plan_free(c);
}

static void test_far(void **state)
{
    struct plan *p = three(1, 65536);
    struct plan_place at = plan_at(p, UINT64_MAX);

    (void)state;
    assert_true(at.row < p->lang[at.lang].is.rows);
    plan_free(p);
}

TESTS("seq/plan", cmocka_unit_test(test_weights), cmocka_unit_test(test_mc4),
      cmocka_unit_test(test_cap_before_power), cmocka_unit_test(test_one_for_each),
      cmocka_unit_test(test_refuses), cmocka_unit_test(test_bounds), cmocka_unit_test(test_stages),
      cmocka_unit_test(test_join_refuses), cmocka_unit_test(test_order),
      cmocka_unit_test(test_interleaved), cmocka_unit_test(test_shuffle_distance),
      cmocka_unit_test(test_seed), cmocka_unit_test(test_far))
