/* test_corpus.c - words and letters: where words end, weights of languages, and that memory does
 * not change what is counted. */
#include "../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "vocab/corpus.h"

#define SP "\xE2\x96\x81"

static struct corpus *count(const struct corpus_plan *plan, const char *const *text, int n)
{
    struct corpus *c = corpus_new(plan);
    struct err err;
    int i;

    for (i = 0; i < n; i++)
        assert_int_equal(
            corpus_add(c, (struct bytes){ (const unsigned char *)text[i], strlen(text[i]) }, i % 2,
                       &err),
            0);
    assert_int_equal(corpus_end(c, &err), 0);
    return c;
}

static struct corpus_plan plan_of(double alpha, double coverage)
{
    return (struct corpus_plan){
        .rule = { .max_chars = 16, .split_scripts = 1, .split_numbers = 1, .split_spaces = 1 },
        .coverage = coverage,
        .alpha = alpha,
        .mem = 64 << 20
    };
}

/* The words of c as "word count" lines. */
static void check(const struct corpus *c, const char *want)
{
    struct buf b = { 0 };
    const struct word *w;
    size_t n, i;

    w = corpus_words(c, &n);
    for (i = 0; i < n; i++)
        buf_printf(&b, "%.*s %g\n", (int)w[i].n, (const char *)w[i].p,
                   (double)w[i].count / CORPUS_ONE);
    buf_add_byte(&b, 0);
    assert_string_equal((char *)b.p, want);
    buf_release(&b);
}

static void words_end_where_pieces_must(void **state)
{
    const char *const text[] = { SP "ab" SP "ab12," SP "\xD0\xB4"
                                    "a" SP "\xE3\x81\x8B\xE3\x83\xBC\xE6\xBC\xA2" };
    struct corpus_plan plan = plan_of(1, 1);
    struct corpus *c = count(&plan, text, 1);

    (void)state;
    check(c, "12, 1\na 1\n" SP "ab 2\n" SP "\xD0\xB4 1\n" SP
             "\xE3\x81\x8B\xE3\x83\xBC\xE6\xBC\xA2 1\n");
    assert_int_equal(corpus_chars(c), 16);
    corpus_free(c);
    plan.rule.split_digits = 1;
    c = count(&plan, text, 1);
    check(c, ", 1\n1 1\n2 1\na 1\n" SP "ab 2\n" SP "\xD0\xB4 1\n" SP
             "\xE3\x81\x8B\xE3\x83\xBC\xE6\xBC\xA2 1\n");
    corpus_free(c);
    plan.rule.split_digits = plan.rule.split_scripts = 0;
    c = count(&plan, text, 1);
    check(c, SP "ab 1\n" SP "ab12, 1\n" SP "\xD0\xB4"
                "a 1\n" SP "\xE3\x81\x8B\xE3\x83\xBC\xE6\xBC\xA2 1\n");
    corpus_free(c);
}

static void letters_that_are_not_covered_part_words(void **state)
{
    const char *const text[] = { SP "aaaaaaaa" SP "aaxaa", SP "aaaaaaaaa" };
    struct corpus_plan plan = plan_of(1, 0.9);
    struct corpus *c = count(&plan, text, 2);
    size_t n;

    (void)state;
    check(c, "aa 1\n" SP "aa 1\n" SP "aaaaaaaa 1\n" SP "aaaaaaaaa 1\n");
    corpus_letters(c, &n);
    assert_int_equal(n, 2);    // a and U+2581
    assert_true(fabs(corpus_covered(c) - 24 / 25.0) < 1e-9);
    corpus_free(c);
}

/* 9 characters and 1 of two languages: by their roots, 3 to 1 of 10. */
static void languages_count_by_alpha(void **state)
{
    const char *const text[] = { SP "aaaaaaaa", SP };
    struct corpus_plan plan = plan_of(0.5, 1);
    struct corpus *c = count(&plan, text, 2);
    const struct word *w;
    size_t n;

    (void)state;
    w = corpus_words(c, &n);
    assert_int_equal(n, 2);
    assert_true(fabs((double)w[0].count / CORPUS_ONE - 2.5) < 1e-3);    // of 10: 2.5 and 7.5 / 9
    assert_true(fabs((double)w[1].count / CORPUS_ONE - 7.5 / 9) < 1e-3);
    corpus_free(c);
}

/* A hundred thousand words in no order: the same with memory for all and for few. */
static void memory_does_not_count(void **state)
{
    struct corpus_plan plan = plan_of(0.7, 0.999);
    struct corpus *c[2];
    struct rng r = rng_at(rng_key(1, "words"), 0);
    const struct word *w[2];
    struct err err;
    size_t n[2], i;
    int k, word;

    (void)state;
    for (k = 0; k < 2; k++) {
        plan.mem = k ? 4 << 20 : 256 << 20;
        c[k] = corpus_new(&plan);
    }
    for (word = 0; word < 100000; word++) {
        char text[40];
        int len = snprintf(text, sizeof(text), SP "%x", (unsigned)rng_below(&r, 60000));

        for (k = 0; k < 2; k++)
            assert_int_equal(corpus_add(c[k],
                                        (struct bytes){ (const unsigned char *)text, (size_t)len },
                                        word % 7, &err),
                             0);
    }
    for (k = 0; k < 2; k++) {
        assert_int_equal(corpus_end(c[k], &err), 0);
        w[k] = corpus_words(c[k], &n[k]);
    }
    assert_true(corpus_rare(c[0]) == 0);
    assert_int_equal(n[0] - n[1], corpus_rare(c[1]));
    for (i = 0; i < n[0] && !corpus_rare(c[1]); i++) {
        assert_int_equal(w[0][i].n, w[1][i].n);
        assert_memory_equal(w[0][i].p, w[1][i].p, w[0][i].n);
        assert_int_equal(w[0][i].count, w[1][i].count);
    }
    assert_true(corpus_spilled(c[1]) > 0);
    corpus_free(c[0]);
    corpus_free(c[1]);
}

TESTS("vocab/corpus", cmocka_unit_test(words_end_where_pieces_must),
      cmocka_unit_test(letters_that_are_not_covered_part_words),
      cmocka_unit_test(languages_count_by_alpha), cmocka_unit_test(memory_does_not_count))
