/* test_span.c - F1 of spans, reckoned by hand: 2 right / (said + wanted), over all examples. */
#include "../test.h"

#include "sample.h"

static void test_spans(void **state)
{
    static const struct sample refs = { "A: x", { "B: y", "A: x $$ B: y", "A: x" }, NULL, NULL };

    (void)state;
    near(score_pair("span-f1", "LOC: Paris $$ PER: Ann", "PER: Ann $$ LOC: Paris"), 100);
    near(score_pair("span-f1", "LOC: Paris $$ PER: Ann", "LOC: Paris $$ ORG: Ann"), 200. / 4);
    near(score_pair("span-f1", "LOC: Paris", "LOC: Paris $$ LOC: Paris"), 200. / 3);    // twice
    near(score_pair("span-f1", " LOC :Paris ", "LOC: Paris"), 100);
    near(score_pair("span-f1", "LOC: a: b $$ LOC: c $$ d", "LOC: c"),
         100);    // no pairs at the ends
    near(score_pair("span-f1", "LOC: 北京", "LOC: 北京"), 100);
    near(score_of("span-f1", &refs, 1), 100);
    near(score_pair("span-f1", "", "LOC: a"), 0);
    near(score_pair("span-f1", "LOC: a", ""), 0);
    near(score_pair("span-f1", "", ""), 0);
}

/* 1 of 1 and 1, then 1 of 3 said and 2 wanted: 2 2 / (4 + 3), not the mean of 1 and 2/5. */
static void test_micro(void **state)
{
    static const struct sample s[] = { { "A: x", { "A: x" }, NULL, NULL },
                                       { "A: x $$ A: y $$ B: z", { "A: x $$ A: w" }, NULL, NULL } };

    (void)state;
    near(score_of("span-f1", s, 2), 400. / 7);
}

TESTS("score/span", WITH_HOW(test_spans), WITH_HOW(test_micro))
