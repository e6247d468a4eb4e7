/* test_train.c - what is learnt does not depend on how text comes; small cases by hand. Whole texts
 * against NLTK's trainer: tests/cmd/punkt-train.t. */
#include "../test.h"

#include <stdlib.h>

#include "punkt/params.h"
#include "punkt/train.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* Learn from lines, n times over, and what bars say. */
static struct punkt_params *learn(const char *const *line, size_t n_line, int n,
                                  struct punkt_bars bars)
{
    struct punkt_trainer *t = punkt_trainer_new();
    struct punkt_params *p;
    size_t i;

    while (n-- > 0)
        for (i = 0; i < n_line; i++)
            punkt_trainer_line(t, of(line[i]));
    p = punkt_trainer_learn(t, &bars);
    punkt_trainer_free(t);
    return p;
}

static void contexts(void **state)
{
    static const char *const line[] = {
        "First the Middle one? Then three.",
        "first line begins here, 5. Unsure then",
        "",
        "middle. lower",
    };
    struct punkt_params *p = learn(line, 4, 1, PUNKT_BARS);

    (void)state;
    assert_int_equal(punkt_known(p, of("first")), PUNKT_UPPER_UNSURE | PUNKT_LOWER_FIRST);
    assert_int_equal(punkt_known(p, of("the")), PUNKT_LOWER_MID);
    assert_int_equal(punkt_known(p, of("middle")), PUNKT_UPPER_MID | PUNKT_LOWER_FIRST);
    assert_int_equal(punkt_known(p, of("then")), PUNKT_UPPER_FIRST | PUNKT_LOWER_MID);
    assert_int_equal(punkt_known(p, of("three")), PUNKT_LOWER_MID);
    assert_int_equal(punkt_known(p, of("unsure")), 0);    // never in lower case
    assert_int_equal(punkt_known(p, of("lower")), PUNKT_LOWER_FIRST);
    punkt_params_free(p);
}

static void rare(void **state)
{
    static const char *const line[] = { "They saw qty. and esp., the",
                                        "And this was all of it here" };
    struct punkt_params *p = learn(line, 2, 1, (struct punkt_bars){ 1e9, 5, 7.88, 30, 1, 0 });

    (void)state;
    assert_true(punkt_known(p, of("esp")) & PUNKT_ABBREV);     // a comma follows
    assert_false(punkt_known(p, of("qty")) & PUNKT_ABBREV);    // "and" begins no sentence for sure
    punkt_params_free(p);
    p = learn(line, 2, 5, (struct punkt_bars){ 1e9, 5, 7.88, 30, 1, 0 });
    assert_false(punkt_known(p, of("esp")) & PUNKT_ABBREV);    // no longer rare
    punkt_params_free(p);
}

static void pairs(void **state)
{
    static const char *const line[] = {
        "On 5. May they came to us. But they did not stay for long there.",
        "But we had seen them, all of us, and we were glad of it then."
    };
    struct punkt_params *p = learn(line, 2, 30, PUNKT_BARS);
    struct buf room = { 0 };

    (void)state;
    assert_true(punkt_known_pair(p, of("##number##"), of("may"), &room));
    assert_int_equal(punkt_pairs(p), 1);
    assert_true(punkt_known(p, of("but")) & PUNKT_STARTER);
    assert_false(punkt_known(p, of("they")) & PUNKT_STARTER);
    buf_release(&room);
    punkt_params_free(p);
}

static void nothing(void **state)
{
    struct punkt_trainer *t = punkt_trainer_new();
    struct punkt_bars bars = PUNKT_BARS;
    struct punkt_params *p, *none = punkt_params_new();

    (void)state;
    punkt_trainer_line(t, of("  "));
    punkt_trainer_vote(t, &bars);
    p = punkt_trainer_learn(t, &bars);
    assert_true(punkt_fingerprint(p) == punkt_fingerprint(none));
    assert_int_equal(punkt_trainer_tokens(t), 0);
    punkt_params_free(p);
    punkt_params_free(none);
    punkt_trainer_free(t);
    punkt_trainer_free(NULL);
}

TESTS("punkt/train", cmocka_unit_test(contexts), cmocka_unit_test(rare), cmocka_unit_test(pairs),
      cmocka_unit_test(nothing))
