/* test_rouge.c - ROUGE of small texts, reckoned by hand: F = 2 common / (said + wanted). */
#include "../test.h"

#include "sample.h"

static void test_ngrams(void **state)
{
    static const struct sample refs = { "the cat", { "dog", "the cat sat", "a cat" }, NULL, NULL };

    (void)state;
    /* the, cat of 3 and 3, "the" once; "the cat" of 2 and 2 */
    near(score_pair("rouge1", "the cat the", "the cat sat"), 400. / 6);
    near(score_pair("rouge2", "the cat the", "the cat sat"), 200. / 4);
    near(score_pair("rouge1", "The CAT-sat!", "the cat sat"), 100);
    near(score_pair("rouge2", "cat", "cat"), 0);     // a word is no pair
    near(score_of("rouge1", &refs, 1), 400. / 5);    // the best of 0, 4/5, 2/4
    near(score_of("rouge2", &refs, 1), 200. / 3);
}

/* a b d or a c d. */
static void test_subsequence(void **state)
{
    (void)state;
    near(score_pair("rougeL", "a c b d", "a b c d"), 600. / 8);
    near(score_pair("rougeL", "d c b a", "a b c d"), 200. / 8);
    near(score_pair("rougeL", "a b", "a x b y"), 400. / 6);
    near(score_pair("rougeL", "a a a", "a"), 200. / 4);
}

/* Lin's example: against w1..w5 the two sentences give w1 w2 and w1 w3 w5, together 4 of 5 and
 * 10. In the order of the whole text there are but 3 in sequence, w1 w3 w5. */
static void test_summary(void **state)
{
    static const char said[] = "w1 w3 w8 w9 w5\nw1 w2 w6 w7 w8", want[] = "w1 w2 w3 w4 w5";

    (void)state;
    near(score_pair("rougeLsum", said, want), 800. / 15);
    near(score_pair("rougeL", said, want), 600. / 15);
    near(score_pair("rougeLsum", "w1 w3 w8 w9 w5 . w1 w2 w6 w7 w8", want), 800. / 15);    // as T5
    near(score_pair("rougeLsum", "w1 w3 w8 w9 w5. w1 w2 w6 w7 w8", want), 600. / 15);
    near(score_pair("rougeLsum", "a", "a a"), 200. / 3);     // one of two hits
    near(score_pair("rougeLsum", "a\na", "a"), 200. / 3);    // the union is one word
    near(score_pair("rougeLsum", "a", "a\na"), 200. / 3);    // said once, it is hit once
    near(score_pair("rougeLsum", "b\na", "a\nb"), 100);
    near(score_pair("rougeLsum", "\n\na\n", "a"), 100);
}

static void test_nothing(void **state)
{
    static const char *const names[] = { "rouge1", "rouge2", "rougeL", "rougeLsum" };
    size_t i;

    (void)state;
    for (i = 0; i < N_OF(names); i++) {
        near(score_pair(names[i], "", "a b"), 0);
        near(score_pair(names[i], "a b", ""), 0);
        near(score_pair(names[i], "", ""), 0);
        near(score_pair(names[i], "...", "..."), 0);    // no word on either side
    }
}

/* The package's words are of a-z and 0-9; ours with Unicode of any letters, Han one by one. */
static void test_scripts(void **state)
{
    (void)state;
    near(score_pair("rouge1", "это кот", "это кот"), 0);
    near(score_pair("rouge1", "caf\xC3\xA9 noir", "caf\xC3\xA8 noir"), 100);    // "caf" and "noir"
    how.rouge = WORDS_UNICODE;
    near(score_pair("rouge1", "Это КОТ", "это кот"), 100);
    near(score_pair("rouge1", "caf\xC3\xA9 noir", "caf\xC3\xA8 noir"), 200. / 4);
    near(score_pair("rougeL", "我们去北京", "我们去东京"), 800. / 10);
    near(score_pair("rouge2", "我们去北京", "我们去东京"), 400. / 8);
}

/* The score of a corpus is the mean of its examples'. */
static void test_corpus(void **state)
{
    static const struct sample s[] = { { "a", { "a" }, NULL, NULL },
                                       { "b", { "c" }, NULL, NULL },
                                       { "d e", { "d" }, NULL, NULL } };

    (void)state;
    near(score_of("rouge1", s, 3), 100 * (1 + 0 + 2. / 3) / 3);
}

TESTS("score/rouge", WITH_HOW(test_ngrams), WITH_HOW(test_subsequence), WITH_HOW(test_summary),
      WITH_HOW(test_nothing), WITH_HOW(test_scripts), WITH_HOW(test_corpus))
