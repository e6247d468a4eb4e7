/* test_bleu.c - BLEU, chrF and chrF++ of small corpora, reckoned by hand from their definitions.
 *
 * BLEU: brevity * (p1 p2 p3 p4)^(1/4), p the right n-grams (each at most as often as any one
 * reference has it) over those said, summed over the corpus; the k-th order without a right one
 * has 2^-k of one. chrF: P and R are means over the orders that both texts have, F = 5 P R /
 * (4 P + R). */
#include "../test.h"

#include "sample.h"

static double root4(double x)
{
    return 100 * sqrt(sqrt(x));
}

/* Papineni's: 2 of 7 "the" count, as the first reference has two. Of "the the" there are 6 and
 * none is right, 5 of three, 4 of four: 1/2, 1/4 and 1/8 of one. The nearest reference has 7. */
static void test_clipped(void **state)
{
    static const struct sample s = {
        "the the the the the the the",
        { "the cat is on the mat", "there is a cat on the mat" },
        NULL,
        NULL,
    };

    (void)state;
    how.bleu = WORDS_SPACE;
    near(score_of("bleu", &s, 1), root4(2. / 7 * (1. / 2 / 6) * (1. / 4 / 5) * (1. / 8 / 4)));
}

/* Everything said is right, so only the length counts. */
static void test_brevity(void **state)
{
    static const struct sample tie = { "a b c d e", { "a b c d e f", "a b c d" }, NULL, NULL };
    static const struct sample near_long = {
        "a b c d e", { "a b c d e f", "a b c", "a b c d e f g h" }, NULL, NULL
    };

    (void)state;
    near(score_pair("bleu", "a b c d", "a b c d e f"), 100 * exp(1 - 6. / 4));
    near(score_pair("bleu", "a b c d", "a b c d"), 100);
    near(score_of("bleu", &tie, 1), 100);                            // 4 and 6 are as near: 4
    near(score_of("bleu", &near_long, 1), 100 * exp(1 - 6. / 5));    // 6, not 3 or 8
    /* longer than the reference: no penalty, but 2 of 6, 1 of 5, 0 of 4, 0 of 3 are right */
    near(score_pair("bleu", "a b x y z w", "a b"), root4(2. / 6 * 1 / 5 * 1 / 8 * 1 / 12));
}

/* 5 of 6 words are right, 3 of 4 pairs, 2 of 2, 1 of 1; said 6 words, wanted 4 + 6. */
static void test_corpus(void **state)
{
    static const struct sample s[] = {
        { "a b c d", { "a b c d" }, NULL, NULL },
        { "x y", { "x z z z z z" }, NULL, NULL },
    };

    (void)state;
    near(score_of("bleu", s, 2), exp(1 - 10. / 6) * root4(5. / 6 * 3 / 4));
}

static void test_no_bleu(void **state)
{
    (void)state;
    near(score_pair("bleu", "", "a b c d"), 0);
    near(score_pair("bleu", "a b c d", ""), 0);
    near(score_pair("bleu", "", ""), 0);
    near(score_pair("bleu", "a b c", "a b c"), 0);        // no four words were said
    near(score_pair("bleu", "A B C D", "a b c d"), 0);    // case counts
    near(score_pair("bleu", "e f g h", "a b c d"), 0);
}

/* Five characters each, 4 are right; of pairs 2 of 4, of three 1 of 3, of four 0 of 2. As words
 * they are one each, which is wrong; a full stop of theirs is a word of its own with intl alone. */
static void test_cjk(void **state)
{
    static const char said[] = "我们去北京", want[] = "我们去东京";

    (void)state;
    how.bleu = WORDS_CHAR;
    near(score_pair("bleu", said, want), root4(4. / 5 * 2 / 4 * 1 / 3 * 1 / 4));
    near(score_pair("bleu", "我们 去 北京", want), root4(4. / 5 * 2 / 4 * 1 / 3 * 1 / 4));
    how.bleu = WORDS_INTL;
    near(score_pair("bleu", said, want), 0);
    near(score_pair("bleu", "我。我。", "我。我。"), 100);
    how.bleu = WORDS_13A;
    near(score_pair("bleu", "我。我。", "我。我。"), 0);    // one word
}

/* 13a: "It's" stays whole, "." and "," go: It's | 5 | , | he | said | . */
static void test_tokenizer(void **state)
{
    (void)state;
    how.bleu = WORDS_13A;
    near(score_pair("bleu", "It's 5, he said.", "It's 5 , he said ."), 100);
    how.bleu = WORDS_SPACE;    // "It's" and "he" of 4 are right: no pair of 3, three of 2, one
    near(score_pair("bleu", "It's 5, he said.", "It's 5 , he said ."),
         exp(1 - 6. / 4) * root4(2. / 4 * 1 / 6 * 1 / 8 * 1 / 8));
}

static void test_chrf(void **state)
{
    static const struct sample refs = { "ab", { "zz", "ab" }, NULL, NULL };
    static const struct sample corpus[] = {
        { "ab", { "ab" }, NULL, NULL },
        { "c", { "d" }, NULL, NULL },
    };

    (void)state;
    near(score_pair("chrf", "ab", "ab"), 100);    // the orders 3 to 6 do not count
    /* 2/3, 1/2, 0/1 of each side: P = R = 7/18 */
    near(score_pair("chrf", "abc", "abd"), 700. / 18);
    /* P = 1, R = (2/4 + 1/3) / 2 = 5/12: F = (25/12) / (4 + 5/12) */
    near(score_pair("chrf", "ab", "abcd"), 2500. / 53);
    /* the other way round: P = 5/12, R = 1: F = (25/12) / (20/12 + 1) */
    near(score_pair("chrf", "abcd", "ab"), 2500. / 32);
    near(score_of("chrf", &refs, 1), 100);    // the best reference
    /* sums over the corpus: 2 of 3, 1 of 1 */
    near(score_of("chrf", corpus, 2), 500. / 6);
    near(score_pair("chrf", "a b", "ab"), 100);    // white space is no character
    near(score_pair("chrf",
                    "a\xC2\xA0"
                    "b",
                    "ab"),
         100);                                // no-break space neither
    near(score_pair("chrf", "é", "è"), 0);    // whole characters, though one byte is the same
    near(score_pair("chrf", "日本", "日本"), 100);
    near(score_pair("chrf", "", "ab"), 0);
    near(score_pair("chrf", "ab", ""), 0);
    near(score_pair("chrf", "", ""), 0);
}

/* Two orders of words besides those of characters. */
static void test_chrf_words(void **state)
{
    (void)state;
    /* characters 1 and 0 of 1, words 1 and 0 of 1: P = R = 2/4 */
    near(score_pair("chrf++", "b a", "a b"), 50);
    /* characters all right, 0 of 2 words against 1; the reference has no pair of words */
    near(score_pair("chrf++", "a b", "ab"), 200. / 3);
    near(score_pair("chrf++", "(a b.", "( a b ."), 100);    // one sign apart at an end
    /* three orders of characters all right, and one of words, none of 1 and 3: P = R = 3/4 */
    near(score_pair("chrf++", "a.b", "a . b"), 300. / 4);
    near(score_pair("chrf++", "a b c d", "a b c d"), 100);
    near(score_pair("chrf++", "", "a b"), 0);
    near(score_pair("chrf++", "a b", ""), 0);
}

TESTS("score/bleu", WITH_HOW(test_clipped), WITH_HOW(test_brevity), WITH_HOW(test_corpus),
      WITH_HOW(test_no_bleu), WITH_HOW(test_cjk), WITH_HOW(test_tokenizer), WITH_HOW(test_chrf),
      WITH_HOW(test_chrf_words))
