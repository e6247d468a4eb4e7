/* test_answer.c - the normal forms of answers, done by hand in the order of their scripts. */
#include "../test.h"

#include "base/mem.h"
#include "score/answer.h"

static void becomes(enum answer_norm how, const char *lang, const char *s, const char *want)
{
    struct buf out = { 0 };

    answer_normal(how, (struct bytes){ (const unsigned char *)lang, strlen(lang) },
                  (struct bytes){ (const unsigned char *)s, strlen(s) }, &out);
    buf_add_byte(&out, 0);
    assert_string_equal((const char *)out.p, want);
    buf_release(&out);
}

/* Lower case; punctuation is deleted, so that words may join; then a, an, the as whole words. */
static void test_squad(void **state)
{
    (void)state;
    becomes(ANSWER_SQUAD, "", " The  Cat's\tan (apple)! ", "cats apple");
    becomes(ANSWER_SQUAD, "", "U.S.A. a.n x", "usa x");    // "a.n" has become an article
    becomes(ANSWER_SQUAD, "", "another theatre a_b", "another theatre ab");
    becomes(ANSWER_SQUAD, "", "a the an", "");
    becomes(ANSWER_SQUAD, "", "«L’État» — 3 €", "«l’état» — 3 €");    // ASCII alone
    becomes(ANSWER_SQUAD, "",
            "the\xC2\xA0"
            "cat",
            "cat");
    becomes(ANSWER_SQUAD, "", "à a", "à");    // "à" is no article
    becomes(ANSWER_SQUAD, "", "", "");
}

static void test_trivia(void **state)
{
    (void)state;
    becomes(ANSWER_TRIVIA, "", "O'Neill-Smith, the U.S.", "o neill smith u s");
    becomes(ANSWER_TRIVIA, "", "it\xE2\x80\x99s \xC2\xB4x\xC2\xB4", "it s x");
}

static void test_mlqa(void **state)
{
    (void)state;
    becomes(ANSWER_MLQA, "en", "The «cat» — it", "cat it");
    becomes(ANSWER_MLQA, "de", "Der, die; das Ein-Haus", "einhaus");
    becomes(ANSWER_MLQA, "es",
            "El ni\xC3\xB1o y la ni\xC3\xB1"
            "a",
            "niño y niña");
    becomes(ANSWER_MLQA, "vi", "của những người", "người");
    becomes(ANSWER_MLQA, "ar", "البيت", "بيت");
    becomes(ANSWER_MLQA, "zh", "ab北京cd。", "ab 北 京 cd");
    becomes(ANSWER_MLQA, "hi", "the घर।", "the घर");      // no articles known
    becomes(ANSWER_MLQA, "english", "the x", "the x");    // not "en"
}

static void test_none(void **state)
{
    (void)state;
    becomes(ANSWER_NONE, "en", "  The\n cat. ", "The cat.");
}

TESTS("score/answer", cmocka_unit_test(test_squad), cmocka_unit_test(test_trivia),
      cmocka_unit_test(test_mlqa), cmocka_unit_test(test_none))
