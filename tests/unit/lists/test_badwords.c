/* test_badwords.c - lists that are made up here: where a word counts, what lists may hold. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unicode/uchar.h>

#include "base/err.h"
#include "lists/badwords.h"
#include "text/utf8.h"

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

/* The plainest matcher: every word of a list at every place, its borders by ICU. */

struct plain {
    const char *label;
    const char *const *word;    // NULL ends them
    int anywhere, compat301;
};

static int is_letter(struct bytes s, size_t at, int before)
{
    int len;
    uint32_t c;

    if (before ? !at : at == s.n)
        return 0;
    c = before ? utf8_get_last(s.p, at, &len) : utf8_get(s.p + at, s.n - at, &len);
    return c == '_' || u_isalpha((UChar32)c) ||
           u_getIntPropertyValue((UChar32)c, UCHAR_NUMERIC_TYPE) > 0;
}

static size_t plain_at(const struct plain *l, const char *w, struct bytes s, size_t at)
{
    size_t i = at;
    int len;

    for (; *w; w++, i += (size_t)len) {
        len = 1;
        if (i == s.n)
            return 0;
        if (l->compat301 && *w == '.' && s.p[i] != '\n')
            utf8_get(s.p + i, s.n - i, &len);
        else if ((unsigned char)*w != s.p[i])
            return 0;
    }
    return !l->anywhere && (is_letter(s, at, 1) || is_letter(s, i, 0)) ? 0 : i - at;
}

static struct bytes plain_find(const struct plain *l, struct bytes s)
{
    struct bytes found = { NULL, 0 }, dotted;
    size_t at, n;
    int i, len;

    for (at = 0; at < s.n && !found.n; at += (size_t)len) {
        utf8_get(s.p + at, s.n - at, &len);
        dotted = found;
        for (i = 0; l->word[i]; i++) {
            n = plain_at(l, l->word[i], s, at);
            if (l->compat301 && strchr(l->word[i], '.')) {
                if (n && !dotted.n)
                    dotted = (struct bytes){ s.p + at, n };
            } else if (n && (!found.n || n < found.n)) {
                found = (struct bytes){ s.p + at, n };
            }
        }
        if (!found.n)
            found = dotted;
    }
    return found;
}

/* Words that begin, end and hold each other, with marks at their ends, across languages. */
static const char *const words_aa[] = { "ab",
                                        "abc",
                                        "abcab",
                                        "b c",
                                        "c-",
                                        "-a",
                                        "a.b",
                                        "a. b",
                                        "-",
                                        "bb bb",
                                        "b_a",
                                        "caab",
                                        "ab ab",
                                        "\xC3\xA9"
                                        "a",
                                        NULL };
static const char *const words_bb[] = { "a",
                                        "bcb",
                                        "\xE2\x82\xAC",
                                        "a\xE2\x82\xAC"
                                        "b",
                                        "abcabc",
                                        NULL };
static const char *const words_cc[] = { ".b", "a..", "ab.b", "-.", "c.\xC3\xA9", "a.a b", NULL };
static const char *const words_th[] = { "ab",  "bcb",           "\xE4\xBA\xBA\xE4\xBA\xBA",
                                        "a-b", "\xE4\xBA\xBA-", "cc.",
                                        NULL };

static const struct plain plain_lists[] = { { "aa", words_aa, 0, 0 },
                                            { "bb", words_bb, 0, 0 },
                                            { "cc", words_cc, 0, 0 },
                                            { "th", words_th, 1, 0 } };

enum { PLAIN_LISTS = sizeof(plain_lists) / sizeof(plain_lists[0]), TEXT_MAX = 40 };

/* A text of few different characters, so that words are near misses of each other. */
static struct bytes some_text(unsigned char *room, uint64_t *seed)
{
    static const char *const piece[] = { "a",
                                         "b",
                                         "c",
                                         "a",
                                         "b",
                                         " ",
                                         "-",
                                         ".",
                                         "_",
                                         "\n",
                                         "ab",
                                         "abc",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xE4\xBA\xBA",
                                         "B" };
    size_t n = 0, want;

    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    want = (size_t)(*seed >> 40) % TEXT_MAX;
    while (n < want) {
        const char *p;

        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        p = piece[*seed >> 60];
        memcpy(room + n, p, strlen(p));
        n += strlen(p);
    }
    return (struct bytes){ room, n };
}

static void check_text(const struct badwords *b, int compat301, struct bytes text, struct buf *low)
{
    unsigned char lower[TEXT_MAX + 8];
    struct bytes is = { NULL, 0 }, want;
    size_t i;
    int k, got;

    for (i = 0; i < text.n; i++)
        lower[i] = text.p[i] == 'B' ? 'b' : text.p[i];
    for (k = 0; k < PLAIN_LISTS; k++) {
        struct plain l = plain_lists[k];

        l.compat301 = compat301;
        want = plain_find(&l, (struct bytes){ lower, text.n });
        got = badwords_find(b, l.label, text, low, &is);
        if (got != (want.n > 0) || is.n != want.n ||
            (got && is.p - low->p != want.p - (const unsigned char *)lower))
            fail_msg("%s in '%.*s': '%.*s' for '%.*s'", l.label, (int)text.n, (const char *)text.p,
                     (int)is.n, got ? (const char *)is.p : "", (int)want.n, (const char *)want.p);
    }
}

static struct badwords *load_plain(int compat301)
{
    struct badwords *b;
    char path[16];
    struct err err;
    int i, k;

    mkdir("plain", 0777);
    for (i = 0; i < PLAIN_LISTS; i++) {
        struct buf text = { 0 };

        for (k = 0; plain_lists[i].word[k]; k++)
            buf_printf(&text, "%s\n", plain_lists[i].word[k]);
        snprintf(path, sizeof(path), "plain/%s", plain_lists[i].label);
        put(path, (const char *)text.p);
        buf_release(&text);
    }
    b = badwords_load("plain", compat301, &err);
    assert_non_null(b);
    return b;
}

static void finds_what_the_plainest_matcher_finds(void **state)
{
    unsigned char room[TEXT_MAX + 8];
    struct buf low = { 0 };
    int compat301, i;

    (void)state;
    for (compat301 = 0; compat301 < 2; compat301++) {
        struct badwords *b = load_plain(compat301);
        uint64_t seed = 1;

        for (i = 0; i < 60000; i++)
            check_text(b, compat301, some_text(room, &seed), &low);
        badwords_free(b);
    }
    buf_release(&low);
}

/* More lists than bits in a word, and a word of them all: each sees its own alone. */
static void lists_do_not_see_each_others_words(void **state)
{
    struct badwords *b;
    struct err err;
    char path[32], own[32], text[64];
    int i;

    (void)state;
    mkdir("many", 0777);
    for (i = 0; i < 130; i++) {
        snprintf(path, sizeof(path), "many/%c%c", 'a' + i / 26, 'a' + i % 26);
        snprintf(text, sizeof(text), "fig\nw%d\n", i);
        put(path, text);
    }
    b = badwords_load("many", 0, &err);
    assert_non_null(b);
    assert_int_equal(badwords_lists(b), 130);
    for (i = 0; i < 130; i++) {
        snprintf(path, sizeof(path), "%c%c", 'a' + i / 26, 'a' + i % 26);
        snprintf(text, sizeof(text), "w%d w%d w%d", (i + 64) % 130, i, (i + 1) % 130);
        snprintf(own, sizeof(own), "w%d", i);
        assert_string_equal(found(b, path, text), own);
        snprintf(text, sizeof(text), "w%d fig", (i + 64) % 130);
        assert_string_equal(found(b, path, text), "fig");
    }
    badwords_free(b);
}

TESTS("lists/badwords", cmocka_unit_test(words_stand_alone),
      cmocka_unit_test(some_languages_do_not_part_words), cmocka_unit_test(dots_were_any_character),
      cmocka_unit_test(lists_that_are_refused), cmocka_unit_test(one_in_a_thousand_is_spared),
      cmocka_unit_test(finds_what_the_plainest_matcher_finds),
      cmocka_unit_test(lists_do_not_see_each_others_words))
