/* test_words.c - where the tokenizers cut, against what their expressions say by hand. */
#include "../test.h"

#include "score/lexicon.h"
#include "score/words.h"

static struct lexicon *l;
static struct words w;

/* Whether s is cut into the words of want, parted by "|". */
static int cuts(enum words_cut how, const char *s, const char *want)
{
    struct buf got = { 0 };
    size_t i;
    int same;

    lexicon_reset(l);
    words_cut(&w, how, (struct bytes){ (const unsigned char *)s, strlen(s) }, l);
    for (i = 0; i < w.n; i++) {
        struct bytes t = lexicon_text(l, w.id[i]);

        if (i)
            buf_add_byte(&got, '|');
        buf_add(&got, t.p, t.n);
    }
    buf_add_byte(&got, 0);
    same = !strcmp((const char *)got.p, want);
    if (!same)
        print_message("%s: %s, not %s\n", s, (const char *)got.p, want);
    buf_release(&got);
    return same;
}

static void test_13a(void **state)
{
    (void)state;
    assert_true(cuts(WORDS_13A, "It's (5-3) 1,000.5, a.b.", "It's|(|5|-|3|)|1,000.5|,|a|.|b|."));
    assert_true(cuts(WORDS_13A, "well-known 1-x", "well-known|1|-|x"));
    assert_true(cuts(WORDS_13A, "a&amp;lt;b <skipped>&quot;", "a|<|b|\""));
    assert_true(cuts(WORDS_13A, "so... 5. .5", "so|.|.|.|5|.|.|5"));
    assert_true(cuts(WORDS_13A, "\xC2\xABoui\xC2\xBB", "\xC2\xABoui\xC2\xBB"));
    assert_true(cuts(WORDS_13A, " \t", ""));
}

static void test_intl(void **state)
{
    (void)state;
    assert_true(cuts(WORDS_INTL, "It's (5-3) 1,000.5, a.b.", "It|'|s|(|5-3|)|1,000.5|,|a|.|b|."));
    assert_true(cuts(WORDS_INTL, "in 2020.", "in|2020."));    // mteval-v14's known error
    assert_true(cuts(WORDS_INTL, "in 2020. ", "in|2020."));
    assert_true(cuts(WORDS_INTL, "\xC2\xABoui\xC2\xBB 5\xE2\x82\xAC+",
                     "\xC2\xAB|oui|\xC2\xBB|5|"
                     "\xE2\x82\xAC|+"));
    assert_true(cuts(WORDS_INTL, "\xE4\xBD\xA0\xE3\x80\x82", "\xE4\xBD\xA0|\xE3\x80\x82"));
}

static void test_others(void **state)
{
    (void)state;
    assert_true(cuts(WORDS_ROUGE, "The \xC3\x89t\xC3\xA9-2 X_y", "the|t|2|x|y"));
    assert_true(cuts(WORDS_UNICODE, "The \xC3\x89t\xC3\xA9-2 X_y", "the|\xC3\xA9t\xC3\xA9|2|x|y"));
    /* Han one by one, Latin beside it whole; Thai KO KAI with its mark stays one */
    assert_true(cuts(WORDS_UNICODE,
                     "\xE5\x8C\x97\xE4\xBA\xAC"
                     "ab\xE5\x8C\x97",
                     "\xE5\x8C\x97|\xE4\xBA\xAC|ab|\xE5\x8C\x97"));
    assert_true(cuts(WORDS_UNICODE, "\xE0\xB8\x81\xE0\xB8\xB4\xE0\xB8\x81",
                     "\xE0\xB8\x81\xE0\xB8\xB4|\xE0\xB8\x81"));
    assert_true(cuts(WORDS_CHRF, "(hi) hi. . 'x ..", "(hi|)|hi|.|.|'|x|.|."));
    assert_true(cuts(WORDS_CHRF, "\xC3\xA9. \xC3\xA9", "\xC3\xA9|.|\xC3\xA9"));
    assert_true(cuts(WORDS_SPACE,
                     " a\xC2\xA0"
                     "b\n",
                     "a|b"));
    words_cut(&w, WORDS_CHRF, (struct bytes){ (const unsigned char *)"a\0 \0b", 5 }, l);
    assert_int_equal(w.n, 2);    // a NUL is no punctuation
    words_cut(&w, WORDS_CHAR, (struct bytes){ (const unsigned char *)"a \xC3\xA9", 4 }, l);
    assert_int_equal(w.n, 2);
    assert_int_equal(w.id[1], 0xE9);
}

static void test_blind(void **state)
{
    (void)state;
    assert_false(words_rouge_is_blind((struct bytes){ (const unsigned char *)"caf\xC3\xA9", 5 }));
    assert_true(
        words_rouge_is_blind((struct bytes){ (const unsigned char *)"a\xC3\xA9\xC3\xA9", 5 }));
    assert_false(words_rouge_is_blind((struct bytes){ NULL, 0 }));
}

static int setup(void **state)
{
    (void)state;
    l = lexicon_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lexicon_free(l);
    words_release(&w);
    return 0;
}

TESTS("score/words", cmocka_unit_test_setup_teardown(test_13a, setup, teardown),
      cmocka_unit_test_setup_teardown(test_intl, setup, teardown),
      cmocka_unit_test_setup_teardown(test_others, setup, teardown), cmocka_unit_test(test_blind))
