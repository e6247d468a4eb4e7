/* plans.h - plans of a few languages. */
#ifndef TEST_SEQ_PLANS_H
#define TEST_SEQ_PLANS_H

#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "seq/plan.h"

static inline void add(struct plan *p, const char *lang, uint64_t rows)
{
    struct plan_facts facts = {
        .rows = rows, .tokens = rows * 600, .inputs = 512, .targets = 114, .vocab = 32100
    };
    char file[100];
    struct err err;

    snprintf(file, sizeof(file), "%s.ex", lang);
    snprintf(facts.lang, sizeof(facts.lang), "%s", lang);
    memset(facts.sha256, 'a', 64);
    assert_int_equal(plan_add(p, file, &facts, &err), 0);
}

static inline int weigh(struct plan *p, double alpha, uint64_t cap, int by_tokens, uint64_t period)
{
    struct plan_rule rule = { .alpha = alpha, .cap = cap, .by_tokens = by_tokens };
    struct err err;

    return plan_weigh(p, &rule, period, &err);
}

static inline struct plan *three(uint64_t seed, uint64_t period)
{
    struct plan *p = plan_new(seed);

    add(p, "sw", 7);
    add(p, "en", 1000);
    add(p, "fi", 60);
    assert_int_equal(weigh(p, 0.3, 0, 0, period), 0);
    return p;
}

/* en and fi for 1,024 rows, then fi and sw: counts and epochs go on where the first left them. */
static inline struct plan *staged(void)
{
    struct plan *p[2] = { plan_new(3), plan_new(3) }, *all;
    const uint64_t rows[2] = { 1024, 0 };
    struct err err;

    add(p[0], "fi", 60);
    add(p[0], "en", 1000);
    add(p[1], "fi", 60);
    add(p[1], "sw", 7);
    assert_int_equal(weigh(p[0], 0.5, 0, 0, 512), 0);
    assert_int_equal(weigh(p[1], 0.5, 0, 0, 512), 0);
    all = plan_join(p, rows, 2, &err);
    assert_non_null(all);
    plan_free(p[0]);
    plan_free(p[1]);
    return all;
}

#endif
