/* test_badwords.c - lists that are made up here: where a word counts, what lists may hold. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "lists/badwords.h"

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct badwords *load(int compat301)
{
    struct badwords *b;
    struct err err;

    mkdir("lists", 0777);
    put("lists/en", "plum\nripe fig\n  c++x \n1up\n");
    put("lists/fr", "prune\r\n");
    put("lists/fr-CA-u-sd-caqc", "atoca\n");
    put("lists/th", "\xE0\xB8\xAA\xE0\xB9\x89\xE0\xB8\xA1\n");
    put("lists/ja", "sm\nnashi\n");
    put("lists/zh", compat301 ? "13.\n" : "13.\n\xE6\x80\xA7\n");
    put("lists/README.md", "none of these\n\n");
    put("lists/LICENSE", "\n");
    if (compat301)
        put("lists/en", "plum\nripe fig\n1up\n");
    b = badwords_load("lists", compat301, &err);
    assert_non_null(b);
    return b;
}

static const char *found(const struct badwords *b, const char *label, const char *text)
{
    static char word[64];
    struct buf low = { 0 };
    struct bytes w;

    if (!badwords_find(b, label, (struct bytes){ (const unsigned char *)text, strlen(text) }, &low,
                       &w)) {
        buf_release(&low);
        return NULL;
    }
    snprintf(word, sizeof(word), "%.*s", (int)w.n, (const char *)w.p);
    buf_release(&low);
    return word;
}

static void words_stand_alone(void **state)
{
    struct badwords *b = load(0);

    (void)state;
    assert_int_equal(badwords_lists(b), 5);
    assert_true(badwords_has(b, "en") && badwords_has(b, "zh-Latn") && !badwords_has(b, "de"));
    assert_string_equal(found(b, "en", "plum"), "plum");
    assert_string_equal(found(b, "en", "A PLUM."), "plum");
    assert_string_equal(found(b, "en", "a\nRipe Fig\nb"), "ripe fig");
    assert_null(
        found(b, "en", "ripe  fig, plums, aplum, plum_, plum\xC3\xA9, \xCE\xB1plum, plum5"));
    assert_null(found(b, "en", "plum\xE2\x91\xA0"));                // a circled 1 is a number
    assert_string_equal(found(b, "en", "plum\xCC\x81"), "plum");    // a mark is no letter
    assert_string_equal(found(b, "en", "\xE3\x80\x8Cplum\xE3\x80\x8D"), "plum");
    assert_string_equal(found(b, "en", "x c++x"), "c++x");
    assert_string_equal(found(b, "en", "plu plum"), "plum");
    assert_null(found(b, "en", ""));
    assert_null(found(b, "de", "plum"));
    assert_string_equal(found(b, "fr", "un atoca"), "atoca");
    assert_string_equal(found(b, "fr", "prune"), "prune");
    badwords_free(b);
    badwords_free(NULL);
}

static void some_languages_do_not_part_words(void **state)
{
    struct badwords *b = load(0);

    (void)state;
    assert_non_null(found(b, "th", "x\xE0\xB8\xAA\xE0\xB9\x89\xE0\xB8\xA1y"));
    assert_non_null(found(b, "ja", "onashiro"));
    assert_null(found(b, "ja", "sm"));              // let go by 3.1.0
    assert_null(found(b, "zh", "\xE6\x80\xA7"));    // this too
    assert_null(found(b, "zh", "135"));             // a dot is a dot
    assert_string_equal(found(b, "zh-Latn", "a13.b"), "13.");
    badwords_free(b);
}

static void dots_were_any_character(void **state)
{
    struct badwords *b = load(1);

    (void)state;
    assert_string_equal(found(b, "zh", "a135"), "135");
    assert_string_equal(found(b, "zh", "13\xE5\xB9\xB4"), "13\xE5\xB9\xB4");
    assert_null(found(b, "zh", "13"));
    assert_null(found(b, "zh", "13\n1"));
    assert_string_equal(found(b, "ja", "a sm b"), "sm");
    assert_null(found(b, "ja", "asm"));    // words stand alone in 3.0.1
    badwords_free(b);
}

static void lists_that_are_refused(void **state)
{
    static const struct {
        const char *text, *said;
        int compat301;
    } bad[] = {
        { "a\n\nb\n", "bad/en: line 2: an empty entry matches everything", 0 },
        { "a\n \t\n", "bad/en: line 2: an empty entry matches everything", 0 },
        { "a\xFF\n", "bad/en: line 1: not UTF-8", 0 },
        { "ok\na(b|c)\n", "bad/en: line 2: '(' makes a pattern that is not known here", 1 },
    };
    struct err err;
    size_t i;

    (void)state;
    mkdir("bad", 0777);
    assert_null(badwords_load("bad", 0, &err));
    assert_string_equal(err.msg, "bad: no list of words (files named by language)");
    assert_null(badwords_load("absent", 0, &err));
    assert_string_equal(err.msg, "absent: No such file or directory");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put("bad/en", bad[i].text);
        assert_null(badwords_load("bad", bad[i].compat301, &err));
        assert_string_equal(err.msg, bad[i].said);
    }
}

/* The last 53 bits decide: 8,998,192,055,486,251 of 2^53. */
static void one_in_a_thousand_is_spared(void **state)
{
    unsigned char key[16] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    uint64_t x;
    int i, d;

    (void)state;
    for (d = -1; d < 2; d++) {
        x = UINT64_C(8998192055486251) + (uint64_t)d;
        for (i = 0; i < 8; i++)
            key[8 + i] = (unsigned char)(x >> (56 - 8 * i));
        assert_int_equal(badwords_spares(key), d >= 0);
        key[8] |= 0xE0;    // above the 53
        assert_int_equal(badwords_spares(key), d >= 0);
    }
}

TESTS("lists/badwords", cmocka_unit_test(words_stand_alone),
      cmocka_unit_test(some_languages_do_not_part_words), cmocka_unit_test(dots_were_any_character),
      cmocka_unit_test(lists_that_are_refused), cmocka_unit_test(one_in_a_thousand_is_spared))
