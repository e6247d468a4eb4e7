/* test_pick.c - the best ids, and what is drawn among them. */
#include "../test.h"

#include <math.h>

#include "base/rng.h"
#include "generate/pick.h"
#include "kernel/kernel.h"

enum { N = 12, DRAWS = 10000 };

/* Of rank 0 is the likeliest: no two are equal. */
static const float logit[N] = { 0.5f, -1, 2, 1.5f, -3, 0, 1, -0.5f, 1.25f, -2, 0.25f, 0.75f };

static int rank(int id)
{
    int i, n = 0;

    for (i = 0; i < N; i++)
        n += logit[i] > logit[id];
    return n;
}

/* The law of draw d, plainly. */
static void law(const struct draw *d, double *p)
{
    double all = 0, sum = 0;
    int i, r, n_kept;

    for (i = 0; i < N; i++) {
        p[i] = d->top_k && rank(i) >= (int)d->top_k ? 0 : exp((double)logit[i] / d->temperature);
        all += p[i];
    }
    for (r = 0, n_kept = 0; r < N; r++)
        for (i = 0; i < N; i++)
            if (rank(i) == r && (r == 0 || sum < d->top_p * all)) {
                sum += p[i];
                n_kept = r + 1;
            }
    for (i = 0, all = 0; i < N; i++) {
        p[i] = rank(i) < n_kept ? p[i] : 0;
        all += p[i];
    }
    for (i = 0; i < N; i++)
        p[i] /= all;
}

/* 99.9 % points of chi-square with 1 to 11 degrees of freedom. */
static const double limit[] = { 0,     10.83, 13.82, 16.27, 18.47, 20.52,
                                22.46, 24.32, 26.12, 27.88, 29.59, 31.26 };

static void check_law(struct draw d)
{
    struct pick work[N];
    double p[N], chi = 0;
    int seen[N] = { 0 }, i, n_class = 0;

    law(&d, p);
    for (i = 0; i < DRAWS; i++)
        seen[pick_draw(&d, logit, N, rng_uniform(rng_key(5, "test"), 0, (uint64_t)i), work)]++;
    for (i = 0; i < N; i++) {
        if (p[i] == 0) {
            assert_int_equal(seen[i], 0);
            continue;
        }
        chi += (seen[i] - DRAWS * p[i]) * (seen[i] - DRAWS * p[i]) / (DRAWS * p[i]);
        n_class++;
    }
    assert_true(n_class == 1 || chi < limit[n_class - 1]);
}

static void test_draw(void **state)
{
    (void)state;
    kernel_init();
    check_law((struct draw){ 1, 0, 1 });
    check_law((struct draw){ 0.5, 0, 1 });
    check_law((struct draw){ 2, 0, 1 });
    check_law((struct draw){ 1, 4, 1 });
    check_law((struct draw){ 1, 1, 1 });
    check_law((struct draw){ 1, 0, 0.7 });
    check_law((struct draw){ 1.3, 7, 0.8 });
    check_law((struct draw){ 1, 100, 0.99 });
    check_law((struct draw){ 1, 0, 1e-6 });
}

/* Many ids, among which the way to few is another: only they come, and the bounds of u do too. */
static void test_large(void **state)
{
    enum { MANY = 5000 };
    static float x[MANY];
    static struct pick work[MANY], best[2000];
    struct draw k = { 1, 2000, 1 }, p = { 1, 0, 0.5 };
    double sum = 0, all = 0, u;
    int i, nucleus;

    (void)state;
    kernel_init();
    for (i = 0; i < MANY; i++) {
        x[i] = (float)(rng_uniform(1, 2, (uint64_t)i) * 8);
        all += exp((double)x[i]);
    }
    assert_int_equal(pick_best(x, MANY, best, 2000), 2000);
    for (i = 1; i < 2000; i++)
        assert_true(best[i - 1].logit >= best[i].logit);
    for (nucleus = 0; sum < 0.5 * all; nucleus++)
        sum += exp((double)best[nucleus].logit);
    for (u = 0; u < 1; u += 0.01) {
        assert_true(x[pick_draw(&k, x, MANY, u, work)] >= best[1999].logit);
        assert_true(x[pick_draw(&p, x, MANY, u, work)] >= best[nucleus - 1].logit);
    }
    assert_int_equal(pick_draw(&p, x, MANY, 0, work), best[0].id);
    assert_int_equal(pick_draw(&p, x, MANY, 1 - 0x1p-53, work), best[nucleus - 1].id);
}

static void test_odd_numbers(void **state)
{
    float same[5] = { 1, 1, NAN, 1, -INFINITY }, none[3] = { NAN, NAN, NAN };
    struct draw d = { 1, 0, 1 };
    struct pick best[5];
    int i;

    (void)state;
    kernel_init();
    assert_int_equal(pick_best(same, 5, best, 2), 2);
    assert_int_equal(best[0].id, 0);    // of equals the lower
    assert_int_equal(best[1].id, 1);
    assert_int_equal(pick_best(same, 5, best, 5), 4);
    assert_int_equal(pick_best(none, 3, best, 2), 0);
    assert_int_equal(pick_best(same, 0, best, 2), 0);
    for (i = 0; i < 100; i++) {
        int32_t id = pick_draw(&d, same, 5, i / 100.0, best);

        assert_true(id == 0 || id == 1 || id == 3);
    }
    assert_int_equal(pick_draw(&d, none, 3, 0.5, best), 0);
}

static void test_log_sum(void **state)
{
    static float x[3001];
    double sum = 0;
    int i;

    (void)state;
    kernel_init();
    for (i = 0; i < 3001; i++) {
        x[i] = (float)(i % 17) - 30;
        sum += exp((double)x[i]);
    }
    assert_true(fabs(pick_log_sum(x, 3001) - log(sum)) < 1e-5);
}

TESTS("generate/pick", cmocka_unit_test(test_draw), cmocka_unit_test(test_large),
      cmocka_unit_test(test_odd_numbers), cmocka_unit_test(test_log_sum))
