/* Routers of more than one choice, and those that draw: the choices by the words of the contract,
 * and slopes of a double-precision twin with the choices held fixed. */
#include "../nn/check.h"

#include "kernel/kernel.h"
#include "moe/choice.h"
#include "moe/router.h"

/* Groups of 10 tokens, 5 experts, real and padded. */
enum { N = 50, SG = 10, E = 5, M = 7, K = 3, ROW = 5 };

struct arrays {
    struct route r;
    struct route_sums sums;
    float *a, *w, *d_gate, *d_logits, *da, *dw;
    int32_t segment[N];
    uint64_t number[N / ROW];
};

static void arrays_init(struct arrays *x)
{
    size_t i;

    kernel_init();
    *x = (struct arrays){ .r = { xcalloc(N * E, 4), xcalloc(N * E, 4), xcalloc(N * K, 4),
                                 xcalloc(N * K, 4), xcalloc(N * K, 4), xcalloc(N * K, 4) } };
    x->a = random_floats(N * M, 1, 1);
    x->w = random_floats(E * M, 2, 1);
    x->d_gate = random_floats(N * K, 3, 1);
    x->d_logits = xcalloc(N * E, 4);
    x->da = xcalloc(N * M, 4);
    x->dw = xcalloc(E * M, 4);
    for (i = 0; i < N; i++)
        x->segment[i] = i < SG ? 0 : i % 10 < 8;    // the first group is all padding
    for (i = 0; i < N / ROW; i++)
        x->number[i] = 100 + i;
}

static void arrays_release(struct arrays *x)
{
    free(x->r.logits), free(x->r.probs), free(x->r.expert), free(x->r.slot), free(x->r.kept);
    free(x->r.gate), free(x->a), free(x->w), free(x->d_gate), free(x->d_logits);
    free(x->da), free(x->dw);
}

static struct route_input input(const struct arrays *x)
{
    return (struct route_input){ .a = x->a,
                                 .w = x->w,
                                 .segment = x->segment,
                                 .n = N,
                                 .m = M,
                                 .number = x->number,
                                 .length = ROW };
}

static struct route_rule make_rule(enum route_kind kind)
{
    return (struct route_rule){ .n_expert = E,
                                .group_tokens = SG,
                                .capacity_factor = 1.0,
                                .min_capacity = 1,
                                .kind = kind,
                                .n_choice = K,
                                .second = SECOND_ALL,
                                .threshold = 0.4,
                                .key = 9 };
}

struct twin {
    const struct route_rule *rule;
    const struct arrays *x;
    double *a, *w;
};

static double probabilities(const struct twin *t, int i, double *p)
{
    double sum = 0;
    int e, j;

    for (e = 0; e < E; e++) {
        double h = 0;

        for (j = 0; j < M; j++)
            h += t->a[i * M + j] * t->w[e * M + j];
        sum += p[e] = exp(h);
    }
    for (e = 0; e < E; e++)
        p[e] /= sum;
    return log(sum);
}

static double gate(const struct twin *t, const int32_t *expert, const double *p, int k)
{
    double both = t->rule->kind == ROUTE_TOP2 ? p[expert[0]] + p[expert[1]] + 1e-9 : 1;

    return p[expert[k]] / both;
}

/* Balance of a group, of first choices (k = 0) or of second ones. */
static double balance(const struct twin *t, int from, int k)
{
    double f[E] = { 0 }, share[E] = { 0 }, p[E], n = 0, sum = 0;
    int n_choice = route_choices(t->rule), i, e;

    for (i = from; i < from + SG; i++) {
        const int32_t *expert = t->x->r.expert + i * n_choice;
        double rest = 1;

        if (expert[0] < 0)
            continue;
        probabilities(t, i, p);
        n++;
        f[expert[k]]++;
        if (k) {
            rest = 1 - p[expert[0]] + 1e-9;
            p[expert[0]] = 0;
        }
        for (e = 0; e < E; e++)
            share[e] += p[e] / rest;
    }
    for (e = 0; n > 0 && e < E; e++)
        sum += E * (f[e] / n) * (share[e] / n);
    return k ? 0.5 * sum : sum;
}

static double total(void *ctx)
{
    struct twin *t = ctx;
    double sum = 0, p[E];
    int n_choice = route_choices(t->rule), g, i, k;

    for (g = 0; g < N; g += SG) {
        double n = 0, z = 0;

        for (i = g; i < g + SG; i++) {
            const int32_t *expert = t->x->r.expert + i * n_choice;
            double log_z;

            if (expert[0] < 0)
                continue;
            log_z = probabilities(t, i, p);
            z += log_z * log_z;
            n++;
            for (k = 0; k < n_choice && expert[k] >= 0; k++)
                sum += t->x->d_gate[i * n_choice + k] * gate(t, expert, p, k);
        }
        sum += 0.3 * balance(t, g, 0) + (n > 0 ? 0.2 * z / n : 0);
        if (t->rule->second_loss)
            sum += 0.3 * balance(t, g, 1);
    }
    return sum;
}

static void check_slopes(const struct route_rule *rule)
{
    struct arrays x;
    struct twin t = { .rule = rule, .x = &x };
    struct route_input in;
    double *want, aux = 0;
    int i, n_choice = route_choices(rule);

    arrays_init(&x);
    in = input(&x);
    route_forward(rule, &in, &x.r, &x.sums);
    for (i = 0; i < N * n_choice; i++)
        if (!x.r.kept[i])
            x.d_gate[i] = 0;
    route_backward(rule, &in, &x.r, x.d_gate, 0.3, 0.2, x.d_logits, x.da, x.dw);
    t.a = doubles(x.a, N * M);
    t.w = doubles(x.w, E * M);
    for (i = 0; i < N; i += SG)
        aux += balance(&t, i, 0) + (rule->second_loss ? balance(&t, i, 1) : 0);
    check_close(&x.sums.aux, &aux, 1, 1e-5, 1e-6);
    want = slopes(total, &t, t.a, N * M);
    check_gradient(x.da, want, N * M);
    free(want);
    want = slopes(total, &t, t.w, E * M);
    check_gradient(x.dw, want, E * M);
    free(want), free(t.a), free(t.w);
    arrays_release(&x);
}

static void test_slopes(void **state)
{
    struct route_rule rule = make_rule(ROUTE_TOP2);
    int second;

    (void)state;
    for (second = SECOND_RANDOM; second <= SECOND_NONE; second++) {
        rule.second = (enum route_second)second;
        rule.second_loss = second % 2;
        check_slopes(&rule);
        rule.sample = 1;
        check_slopes(&rule);
        rule.sample = 0;
    }
    rule = make_rule(ROUTE_NTLB);
    check_slopes(&rule);
    rule = make_rule(ROUTE_TOP1);
    rule.sample = 1;
    check_slopes(&rule);
    rule.cap = CAP_NONE;
    check_slopes(&rule);
}

/* Every kept choice has its own slot below the capacity; a token that an expert with room left
 * would have had is not without one (ntlb with all choices). */
static void test_slots(void **state)
{
    static const enum route_kind kinds[] = { ROUTE_TOP1, ROUTE_TOP2, ROUTE_NTLB };
    struct arrays x;
    struct route_input in;
    int kind, g, i, k;

    (void)state;
    arrays_init(&x);
    in = input(&x);
    for (kind = 0; kind < 3; kind++) {
        struct route_rule rule = make_rule(kinds[kind]);
        int n_choice = route_choices(&rule), capacity = route_capacity(&rule);
        uint64_t dropped = 0, routed = 0;

        route_forward(&rule, &in, &x.r, &x.sums);
        for (g = 0; g < N; g += SG) {
            int taken[E][SG] = { { 0 } }, first[E] = { 0 };

            for (i = g; i < g + SG; i++) {
                int some = 0;

                for (k = 0; k < n_choice; k++) {
                    int at = i * n_choice + k, e = x.r.expert[at];

                    if (!x.r.kept[at])
                        continue;
                    assert_true(x.segment[i] && x.r.slot[at] < capacity);
                    assert_int_equal(taken[e][x.r.slot[at]]++, 0);
                    first[e] += k == 0;
                    some++;
                }
                assert_true(kinds[kind] == ROUTE_TOP2 || some <= 1);
                routed += x.segment[i] != 0;
                dropped += x.segment[i] && !some;
            }
            for (i = g; i < g + SG; i++)    // no second choice before a first one
                for (k = 1; k < n_choice; k++) {
                    int at = i * n_choice + k;

                    if (x.r.kept[at])
                        assert_true(x.r.slot[at] >= first[x.r.expert[at]]);
                }
        }
        assert_true(x.sums.routed == routed && x.sums.dropped == dropped && routed == 32);
    }
    arrays_release(&x);
}

static void test_seconds(void **state)
{
    struct route_rule rule = make_rule(ROUTE_TOP2);
    size_t tried[4] = { 0 }, above = 0, i;
    struct arrays x;
    struct route_input in;
    int second;

    (void)state;
    arrays_init(&x);
    in = input(&x);
    for (second = SECOND_RANDOM; second <= SECOND_NONE; second++) {
        rule.second = (enum route_second)second;
        route_forward(&rule, &in, &x.r, &x.sums);
        for (i = 0; i < N; i++) {
            float *g = x.r.gate + 2 * i;

            if (!x.segment[i])
                continue;
            assert_true(fabs(g[0] + g[1] - 1) < 1e-6 && g[0] >= g[1]);    // whatever the policy
            tried[second] += x.r.slot[2 * i + 1] >= 0;
            above += second == SECOND_THRESHOLD && g[1] > rule.threshold;
            if (second == SECOND_RANDOM && g[1] >= rule.threshold)
                assert_true(x.r.slot[2 * i + 1] >= 0);
        }
    }
    assert_true(tried[SECOND_ALL] == 32 && tried[SECOND_NONE] == 0);
    assert_true(tried[SECOND_THRESHOLD] == above && above > 0 && above < 32);
    assert_true(tried[SECOND_RANDOM] > above && tried[SECOND_RANDOM] < 32);
    arrays_release(&x);
}

/* Shares of many draws are the probabilities, and a draw is its token's whatever comes with it. */
static void test_draws(void **state)
{
    enum { MANY = 20000 };
    static const float p[4] = { 0.5f, 0.0f, 0.3f, 0.2f };
    struct route_rule rule = make_rule(ROUTE_TOP1);
    struct arrays x;
    struct route_input in;
    int count[4] = { 0 }, i, apart = 0;
    int32_t expert[N];

    (void)state;
    for (i = 0; i < MANY; i++)
        count[choice_drawn(p, 4, rng_uniform(1, (uint64_t)i, 0))]++;
    for (i = 0; i < 4; i++)    // 5 deviations
        assert_true(fabs(count[i] - MANY * p[i]) <= 5 * sqrt(MANY * p[i] * (1 - p[i])));
    assert_int_equal(choice_drawn(p, 4, 0.99999999999), 3);
    arrays_init(&x);
    in = input(&x);
    rule.sample = 1;
    route_forward(&rule, &in, &x.r, &x.sums);
    memcpy(expert, x.r.expert, sizeof(expert));
    for (i = SG; i < N; i++)
        apart += x.segment[i] && expert[i] != choice_best(x.r.probs + i * E, E);
    assert_true(apart > 0);
    in.a += SG * M, in.segment += SG, in.number += SG / ROW, in.n -= SG;
    route_forward(&rule, &in, &x.r, &x.sums);
    assert_memory_equal(x.r.expert, expert + SG, (N - SG) * sizeof(*expert));
    arrays_release(&x);
}

/* Two of four without replacement: p_i p_j / (1 - p_i) for i, then j; gates sum to 1; each
 * coin is its own. */
static void test_two_draws(void **state)
{
    enum { MANY = 20000 };
    static const float p[4] = { 0.5f, 0.0f, 0.3f, 0.2f }, sure[3] = { 0, 1, 0 };
    struct route_rule rule = make_rule(ROUTE_TOP2);
    int count[4][4] = { { 0 } }, i, j, best = 0, tried = 0, lower = 0;
    struct arrays x;
    struct route_input in;

    (void)state;
    for (i = 0; i < MANY; i++) {
        int first = choice_drawn(p, 4, rng_uniform(1, (uint64_t)i, 0));

        count[first][choice_drawn_next(p, 4, first, rng_uniform(2, (uint64_t)i, 0))]++;
    }
    for (i = 0; i < 4; i++)
        for (j = 0; j < 4; j++) {
            double want = i == j ? 0 : (double)p[i] * p[j] / (1 - (double)p[i]);

            assert_true(fabs(count[i][j] - MANY * want) <= 5 * sqrt(MANY * want * (1 - want)));
        }
    assert_int_equal(choice_drawn_next(p, 4, 3, 0.99999999999), 2);
    assert_int_equal(choice_drawn_next(sure, 3, 1, 0.5), 0);    // nothing left: the next best
    arrays_init(&x);
    in = input(&x);
    rule.sample = 1;
    rule.second = SECOND_RANDOM;
    route_forward(&rule, &in, &x.r, &x.sums);
    for (i = 0; i < N; i++) {
        const float *prob = x.r.probs + i * E, *g = x.r.gate + 2 * i;
        const int32_t *expert = x.r.expert + 2 * i;

        if (!x.segment[i])
            continue;
        assert_true(expert[0] >= 0 && expert[1] >= 0 && expert[0] != expert[1]);
        assert_true(fabs(g[0] + g[1] - 1) < 1e-6);
        assert_true(fabs(g[0] * prob[expert[1]] - g[1] * prob[expert[0]]) < 1e-6);
        best += expert[0] == choice_best(prob, E) && expert[1] == choice_next(prob, E, expert[0]);
        tried += x.r.slot[2 * i + 1] >= 0;
        lower += g[0] < g[1];
    }
    assert_true(best > 0 && best < 32 && tried > 0 && tried < 32 && lower > 0 && lower < 32);
    arrays_release(&x);
}

static void test_capacity_rules(void **state)
{
    struct route_rule rule = { .n_expert = 4, .group_tokens = 27, .capacity_factor = 1.0 };

    (void)state;
    rule.min_capacity = 1;
    assert_int_equal(route_capacity(&rule), 6);
    rule.cap = CAP_ROUND;
    assert_int_equal(route_capacity(&rule), 7);
    rule.capacity_factor = 5;
    assert_int_equal(route_capacity(&rule), 34);    // more than the group
    rule.cap = CAP_FLOOR;
    assert_int_equal(route_capacity(&rule), 27);
    rule.cap = CAP_NONE;
    assert_int_equal(route_capacity(&rule), INT32_MAX);
}

static float rounded(float x)    // to 8 bits of significand, by scaling
{
    int exponent;
    double m = frexp(x, &exponent);

    return (float)ldexp(rint(m * 256), exponent - 8);
}

static void test_bf16(void **state)
{
    struct route_rule rule = make_rule(ROUTE_TOP2);
    struct arrays x, y;
    struct route_input in;
    int i, other = 0;

    (void)state;
    arrays_init(&x), arrays_init(&y);
    in = input(&x);
    route_forward(&rule, &in, &x.r, &x.sums);
    rule.bf16 = 1;
    route_forward(&rule, &in, &y.r, &y.sums);
    for (i = 0; i < N * E; i++) {
        assert_true(y.r.logits[i] == rounded(x.r.logits[i]));
        assert_true(y.r.probs[i] == rounded(y.r.probs[i]));
        assert_true(fabs(y.r.probs[i] - x.r.probs[i]) <= 0.02 * x.r.probs[i]);
        other += y.r.probs[i] != x.r.probs[i];
    }
    for (i = 0; i < N * 2; i++)
        assert_true(y.r.gate[i] == rounded(y.r.gate[i]));
    assert_true(other > N);
    arrays_release(&x), arrays_release(&y);
}

TESTS("moe/choice", cmocka_unit_test(test_slopes), cmocka_unit_test(test_slots),
      cmocka_unit_test(test_seconds), cmocka_unit_test(test_draws),
      cmocka_unit_test(test_two_draws), cmocka_unit_test(test_capacity_rules),
      cmocka_unit_test(test_bf16))
