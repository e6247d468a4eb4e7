/* test_evidence.c - numbers that decided, as they are shown. */
#include "../test.h"

#include <stdio.h>

#include "rules/evidence.h"

static const char *shown(double is, const char *sense, double limit)
{
    static char text[128];
    struct buf why = { 0 };

    evidence_number(&why, is, sense, limit, "words");
    snprintf(text, sizeof(text), "%.*s", (int)why.n, (const char *)why.p);
    buf_release(&why);
    return text;
}

static void what_decided_never_looks_like_the_limit(void **state)
{
    (void)state;
    assert_string_equal(shown(47, "<", 50), "47 < 50 words");
    assert_string_equal(shown(100001, ">", 100000), "100001 > 100000 words");
    assert_string_equal(shown(123456789, ">", 123456788), "123456789 > 123456788 words");
    assert_string_equal(shown(0.34, ">", 0.3), "0.34 > 0.3 words");
    assert_string_equal(shown(0.3001, ">", 0.3), "0.3001 > 0.3 words");
    assert_string_equal(shown(0.79999, "<", 0.8), "0.79999 < 0.8 words");
    assert_string_equal(shown(0.3 + 1e-13, ">", 0.3), "0.3000000000001 > 0.3 words");
    assert_string_equal(shown(2, ">=", 2), "2 >= 2 words");
    assert_string_equal(shown(1, ">", 0.9), "1 > 0.9 words");
}

static void shares(void **state)
{
    struct buf why = { 0 };

    (void)state;
    evidence_share(&why, 17, 50, ">", 0.3, "lines");
    evidence_word(&why, "; ");
    evidence_share(&why, 3, 0, ">", 0.3, "tokens");
    evidence_share(NULL, 3, 0, ">", 0.3, "tokens");
    evidence_text(&why, (struct bytes){ (const unsigned char *)"!?", 1 });
    buf_add_byte(&why, 0);
    assert_string_equal((char *)why.p, "0.34 > 0.3: 17 of 50 lines; inf > 0.3: 3 of 0 tokens!");
    assert_true(evidence_ratio(0, 0) == 0);
    buf_release(&why);
}

TESTS("rules/evidence", cmocka_unit_test(what_decided_never_looks_like_the_limit),
      cmocka_unit_test(shares))
