/* test_tokens.c - what is a token, by the lengths of all, in scripts with and without spaces. */
#include "../test.h"

#include <stdio.h>

#include "base/hash.h"
#include "rules/tokens.h"

static struct bytes bytes(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* text has just these tokens, given with '|' between them. */
static void check(const char *text, const char *want)
{
    struct tokens t = { 0 };
    size_t i = 0, n;

    tokens_split(&t, bytes(text));
    for (; *want; want += n + (want[n] == '|'), i++) {
        n = strcspn(want, "|");
        if (i >= t.n || t.hash[i] != hash_xx64(want, n, 0))
            fail_msg("%s: token %zu is not '%.*s'", text, i, (int)n, want);
    }
    if (i != t.n)
        fail_msg("%s: %zu tokens, not %zu", text, t.n, i);
    tokens_release(&t);
}

static void of_english(void **state)
{
    (void)state;
    check("", "");
    check(" \n\t\xC2\xA0", "");
    check("The end.", "The|end|.");
    check("Don't say it's John's; they'd've gone, I'm sure we'll.",
          "Do|n't|say|it|'s|John|'s|;|they|'d|'ve|gone|,|I|'m|sure|we|'ll|.");
    check("don\xE2\x80\x99t it\xE2\x80\x99s", "do|n\xE2\x80\x99t|it|\xE2\x80\x99s");
    check("o'clock 'quoted' rock'n'roll n't", "o'clock|'|quoted|'|rock'n'roll|n't");
    check("a well-known and/or 3.14 1,000 12:30", "a|well-known|and/or|3.14|1,000|12:30");
    check("so -- yes... no!? (a)", "so|--|yes|...|no|!|?|(|a|)");
    check("a,b c:d #tag $5 5%", "a|,|b|c|:|d|#|tag|$|5|5|%");
    check("http://www.a.example/b", "http|:|//|www.a.example/b");
    check("snake_case_1 x", "snake_case_1|x");
}

static void of_other_scripts(void **state)
{
    (void)state;
    check("\xD0\xB4\xD0\xB0, \xD0\xBD\xD0\xB5\xD1\x82!",
          "\xD0\xB4\xD0\xB0|,|\xD0\xBD\xD0\xB5\xD1\x82|!");
    check("l\xE2\x80\x99\xC3\xA9t\xC3\xA9", "l\xE2\x80\x99\xC3\xA9t\xC3\xA9");
    check("\xE0\xA4\xA6\xE0\xA4\xBF\xE0\xA4\xA8\xE0\xA5\xA4",
          "\xE0\xA4\xA6\xE0\xA4\xBF\xE0\xA4\xA8|\xE0\xA5\xA4");
    check("\xE4\xB8\xAD\xE5\x9B\xBD\xE4\xBA\xBA\xE6\xB0\x91\xE3\x80\x82",
          "\xE4\xB8\xAD\xE5\x9B\xBD|\xE4\xBA\xBA\xE6\xB0\x91|\xE3\x80\x82");
    check("\xE0\xB8\xA0\xE0\xB8\xB2\xE0\xB8\xA9\xE0\xB8\xB2\xE0\xB9\x84\xE0\xB8\x97\xE0\xB8\xA2",
          "\xE0\xB8\xA0\xE0\xB8\xB2\xE0\xB8\xA9\xE0\xB8\xB2|\xE0\xB9\x84\xE0\xB8\x97\xE0\xB8\xA2");
    check("\xF0\x9F\x98\x80\xF0\x9F\x98\x80 a", "\xF0\x9F\x98\x80\xF0\x9F\x98\x80|a");
}

static void counts(void **state)
{
    struct tokens t = { 0 };

    (void)state;
    tokens_split(&t, bytes("the 12 \xC3\xA9t\xC3\xA9s -- be."));
    assert_int_equal(t.n, 6);
    assert_int_equal(t.n_word, 4);
    assert_int_equal(t.n_letter, 3);
    assert_int_equal(t.word_chars, 3 + 2 + 4 + 2);
    assert_int_equal(t.stops, 3);
    tokens_split(&t, bytes("The of ofs"));    // nothing is left of the last text
    assert_int_equal(t.n, 3);
    assert_int_equal(t.stops, 1 << 3);
    tokens_split(&t, bytes("it's"));
    assert_int_equal(t.n_letter, 2);
    assert_int_equal(t.word_chars, 4);
    tokens_release(&t);
}

TESTS("rules/tokens", cmocka_unit_test(of_english), cmocka_unit_test(of_other_scripts),
      cmocka_unit_test(counts))
