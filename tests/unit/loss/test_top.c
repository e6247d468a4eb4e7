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

/* Of slices, each by itself: what is found of whole rows. */
static void check_merged(size_t m, size_t v, size_t k, double tau, int steps)
{
    enum { N = 5 };
    size_t all = m * v, of = k < v ? k : v, i, s;
    float *x = random_floats(N * all, k, 8), *part = xcalloc(N * v, sizeof(*part)), rest[N];
    float *logits = xcalloc(m * N * of, sizeof(*logits)), *rests = xcalloc(m * N, sizeof(*rests));
    float *logit = xcalloc(N * k, sizeof(*logit));
    int32_t *ids = xcalloc(m * N * of, sizeof(*ids)), *id = xcalloc(N * k, sizeof(*id));
    int32_t target[N] = { 3, 0, 1, 1, 1 };
    struct top_parts from = { m, of, ids, logits, rests };

    for (i = 0; steps && i < N * all; i++)
        x[i] = rintf(x[i] * (float)steps) / (float)steps;
    for (s = 0; s < m; s++) {
        for (i = 0; i < N; i++)
            memcpy(part + i * v, x + i * all + s * v, v * sizeof(*x));
        top_rows(part, target, N, v, of, tau, ids + s * N * of, logits + s * N * of, rests + s * N);
        for (i = 0; i < N * of; i++)
            ids[s * N * of + i] += (int32_t)(s * v);
    }
    rest[1] = 42;
    top_merge(&from, target, N, k, tau, id, logit, rest);
    for (i = 0; i < N; i++)
        if (target[i])
            check_row(x + i * all, all, k, tau, id + i * k, logit + i * k, rest[i]);
    assert_true(rest[1] == 42 && id[k] == 0);
    free(x), free(part), free(logits), free(rests), free(logit), free(ids), free(id);
}

static void test_merged(void **state)
{
    (void)state;
    kernel_init();
    check_merged(2, 1500, 64, 1, 0);
    check_merged(4, 300, 1, 0.5, 0);
    check_merged(3, 100, 77, 2, 2);     // ties between slices
    check_merged(3, 100, 170, 2, 2);    // more than one of them has
    check_merged(3, 100, 300, 1, 0);    // all
    check_merged(1, 30, 7, 1, 1);
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

TESTS("loss/top", cmocka_unit_test(test_against_a_sort), cmocka_unit_test(test_merged))
