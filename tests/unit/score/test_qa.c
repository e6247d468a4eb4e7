/* test_qa.c - exact match and F1 of answers, reckoned by hand: F = 2 common / (said + wanted). */
#include "../test.h"

#include "sample.h"

static void test_squad(void **state)
{
    static const struct sample refs = {
        "Paris, France", { "Lyon", "in Paris", "paris france!" }, NULL, NULL
    };

    (void)state;
    near(score_pair("em", "The  Eiffel Tower.", "eiffel tower"), 100);
    near(score_pair("em", "Eiffel", "eiffel tower"), 0);
    near(score_pair("f1", "Eiffel", "eiffel tower"), 200. / 3);
    /* b once, c twice in common of 4 and 3 words */
    near(score_pair("f1", "b c c d", "c b c"), 600. / 7);
    near(score_pair("f1", "c c c", "c"), 200. / 4);    // one counts once
    near(score_of("em", &refs, 1), 100);
    near(score_of("f1", &refs, 1), 100);
    near(score_pair("em", "É", "é"), 100);
    near(score_pair("f1", "北京", "北 京"), 0);    // one word against two
}

/* What nothing is left of is equal to nothing, but shares no word with it: as SQuAD's script. */
static void test_nothing(void **state)
{
    (void)state;
    near(score_pair("em", "", ""), 100);
    near(score_pair("em", "the", "..."), 100);
    near(score_pair("f1", "the", "..."), 0);
    near(score_pair("em", "", "x"), 0);
    near(score_pair("f1", "", "x"), 0);
    near(score_pair("f1", "x", ""), 0);
}

static void test_corpus(void **state)
{
    static const struct sample s[] = { { "a b", { "b" }, NULL, NULL },    // one word: 1 and 1
                                       { "x y", { "x" }, NULL, NULL },    // 0 and 2/3
                                       { "x", { "z" }, NULL, NULL } };

    (void)state;
    near(score_of("em", s, 3), 100. / 3);
    near(score_of("f1", s, 3), 100 * (1 + 2. / 3) / 3);
}

/* Articles go by the language of the row. */
static void test_mlqa(void **state)
{
    static const struct sample s[] = {
        { "das Haus", { "haus" }, "de", NULL },   { "das Haus", { "haus" }, "de-AT", NULL },
        { "das Haus", { "haus" }, "en", NULL },   { "los gatos", { "gatos" }, "es", NULL },
        { "的北京", { "的 北 京" }, "zh", NULL }, { "«oui»", { "oui" }, "fr", NULL }
    };
    static const double want[] = { 100, 100, 0, 100, 100, 100 };
    size_t i;

    (void)state;
    how.norm = ANSWER_MLQA;
    for (i = 0; i < N_OF(s); i++)
        near(score_of("em", s + i, 1), want[i]);
    near(score_of("f1", s + 2, 1), 200. / 3);    // "das" is a word to English
}

TESTS("score/qa", WITH_HOW(test_squad), WITH_HOW(test_nothing), WITH_HOW(test_corpus),
      WITH_HOW(test_mlqa))
