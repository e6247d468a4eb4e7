/* The likeliest words: against a full sort, with ties, and the weight of the rest in double. */
#include "../nn/check.h"

#include "kernel/kernel.h"
#include "loss/top.h"

struct word {
    float x;
    int32_t id;
};

static int likelier(const void *a, const void *b)
{
    const struct word *p = a, *q = b;

    return p->x != q->x ? (p->x < q->x) - (p->x > q->x) : p->id - q->id;
}

static int by_id(const void *a, const void *b)
{
    return ((const struct word *)a)->id - ((const struct word *)b)->id;
}

static void check_row(const float *x, size_t v, size_t k, double tau, const int32_t *id,
                      const float *logit, float rest)
{
    struct word *w = xcalloc(v, sizeof(*w));
    double sum = 0, got = (double)rest;
    size_t i;

    for (i = 0; i < v; i++)
        w[i] = (struct word){ x[i], (int32_t)i };
    qsort(w, v, sizeof(*w), likelier);
    for (i = k; i < v; i++)
        sum += exp((double)w[i].x / tau);
    qsort(w, k, sizeof(*w), by_id);
    for (i = 0; i < k; i++) {
        assert_int_equal(id[i], w[i].id);
        assert_true(logit[i] == w[i].x);
    }
    sum = log(sum);
    if (k < v)
        check_close(&got, &sum, 1, 1e-5, 1e-6);
    else
        assert_true(rest == -INFINITY);
    free(w);
}

static void check(size_t v, size_t k, double tau, int steps)
{
    enum { N = 5 };
    float *x = random_floats(N * v, k, 8), *logit = xcalloc(N * k, sizeof(*logit)), rest[N];
    int32_t *id = xcalloc(N * k, sizeof(*id)), target[N] = { 3, 0, 1, 1, 1 };
    size_t i;

    for (i = 0; steps && i < N * v; i++)
        x[i] = rintf(x[i] * (float)steps) / (float)steps;    // many are equal
    rest[1] = 42;
    top_rows(x, target, N, v, k, tau, id, logit, rest);
    for (i = 0; i < N; i++)
        if (target[i])
            check_row(x + i * v, v, k, tau, id + i * k, logit + i * k, rest[i]);
    assert_true(rest[1] == 42 && id[k] == 0);    // passed over
    free(x), free(logit), free(id);
}

static void test_against_a_sort(void **state)
{
    (void)state;
    kernel_init();
    check(3000, 1, 1, 0);
    check(3000, 64, 1, 0);
    check(1025, 1024, 2, 0);
    check(1025, 1025, 2, 0);
    check(3000, 77, 0.5, 2);
    check(7, 2, 1, 1);
}

TESTS("nn/top", cmocka_unit_test(test_against_a_sort))
