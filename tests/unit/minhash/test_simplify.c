/* test_simplify.c - what becomes of a text, case by case; the fast lane against the definition, on
 * every code point and on noise. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "minhash/simplify.h"
#include "text/utf8.h"

/* The words of text with a bar between. */
static const char *words(const char *text, int dates)
{
    static char room[1000];
    struct simplify *s = simplify_new(dates);
    struct simple to;
    size_t i, n = 0;

    simplify_run(s, (struct bytes){ (const unsigned char *)text, strlen(text) }, &to);
    for (i = 0; i < to.n; i++) {
        struct bytes word = simple_shingle(&to, i, 1);

        n += (size_t)snprintf(room + n, sizeof(room) - n, "%s%.*s", i ? "|" : "", (int)word.n,
                              (const char *)word.p);
    }
    room[n] = 0;
    simplify_free(s);
    return room;
}

static void test_cases(void **state)
{
    static const char *const row[][2] = {
        { "", "" },
        { " \n\t ", "" },
        { "The  quick\nbrown\tFOX", "the|quick|brown|fox" },
        { "Don't stop-now, e.g. (this)!", "don|t|stop|now|e|g|this" },
        { "a$b|c`d^e~f+g=h<i>j_k", "a|b|c|d|e|f|g|h|i|j|k" },
        { "1,234.5 3.14 1.2.3 12 007 v2", "0|0|0|0|0|0|0|v0" },
        { "1|2|3 1..2 ,5 6,", "0|0|0|0|0|0|0" },
        { "\xD9\xA1\xD9\xA2\xD9\xAB\xD9\xA3 \xE0\xA5\xA7\xE0\xA5\xA8", "0|0" },
        { "Caf\xC3\xA9 Cafe\xCC\x81 \xC3\x85ngstr\xC3\xB6m", "cafe|cafe|angstrom" },
        { "\xCE\x9F\xCE\xB4\xCF\x8C\xCF\x82", "\xCE\xBF\xCE\xB4\xCE\xBF\xCF\x82" },
        { "\xE2\x80\x9Cna\xC3\xAFve\xE2\x80\x9D \xE2\x80\x94 \xC2\xABoui\xC2\xBB", "naive|oui" },
        { "a\xC2\xA0"
          "b\xE2\x80\x83"
          "c\xC2\x85"
          "d",
          "a|b|c|d" },
        { "x \xCC\x81 y", "x|y" },    // a mark alone is nothing
        { "\xE2\x82\xAC 5 \xC2\xA7", "\xE2\x82\xAC|0|\xC2\xA7" },
        { "a\xFF"
          "b \xC3",
          "a\xEF\xBF\xBD"
          "b|\xEF\xBF\xBD" },
        { "\xED\x95\x9C", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB" },    // Hangul, decomposed
        { "\xF0\x9F\x99\x82x \xF0\x9D\x9F\x8F\xF0\x9D\x9F\x90", "\xF0\x9F\x99\x82x|0" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_string_equal(words(row[i][0], 0), row[i][1]);
}

static void test_dates(void **state)
{
    (void)state;
    assert_string_equal(words("Monday, 5 May 2024; dismay", 0), "monday|0|may|0|dismay");
    assert_string_equal(words("Monday, 5 May 2024; dismay", 1),    // as datatrove: anywhere
                        "WEEKDAY|0|MONTH|0|disMONTH");
    assert_string_equal(words("SUNDAY September januar mond", 1), "WEEKDAY|MONTH|januar|mond");
}

/* Where there are no spaces, ICU's dictionaries part words; all that matters is that they do. */
static void test_scripts_without_spaces(void **state)
{
    (void)state;
    assert_string_equal(words("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xAE"
                              "\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88\xE3\x80\x82x",
                              0),
                        "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E|\xE3\x81\xAE|"
                        "\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88|x");
    assert_string_equal(words("\xE0\xB8\xA0\xE0\xB8\xB2\xE0\xB8\xA9\xE0\xB8\xB2"
                              "\xE0\xB9\x84\xE0\xB8\x97\xE0\xB8\xA2",
                              0),
                        "\xE0\xB8\xA0\xE0\xB8\xB2\xE0\xB8\xA9\xE0\xB8\xB2|"
                        "\xE0\xB9\x84\xE0\xB8\x97\xE0\xB8\xA2");
}

static void test_shingles(void **state)
{
    struct simplify *s = simplify_new(0);
    struct bytes shingle;
    struct simple to;

    (void)state;
    simplify_run(s, (struct bytes){ (const unsigned char *)"One, two -- three four", 22 }, &to);
    assert_int_equal(to.n, 4);
    shingle = simple_shingle(&to, 1, 3);
    assert_int_equal(shingle.n, 14);
    assert_memory_equal(shingle.p, "two three four", 14);
    simplify_free(s);
}

/* Do the two lanes agree? */
static int lanes_agree(struct simplify *s, struct bytes text)
{
    struct simple to;
    struct buf text_copy = { 0 }, start_copy = { 0 };
    size_t n;
    int same;

    simplify_run_plain(s, text, &to);
    buf_add(&text_copy, to.text.p, to.text.n);
    if (to.n)
        buf_add(&start_copy, to.start, (to.n + 1) * sizeof(*to.start));
    n = to.n;
    simplify_run(s, text, &to);
    same = n == to.n && to.text.n == text_copy.n &&
           (!n || (!memcmp(to.text.p, text_copy.p, text_copy.n) &&
                   !memcmp(to.start, start_copy.p, start_copy.n)));
    buf_release(&text_copy);
    buf_release(&start_copy);
    return same;
}

static void test_every_code_point(void **state)
{
    struct simplify *s = simplify_new(0);
    struct buf text = { 0 };
    unsigned char utf8[4];
    uint32_t c;
    size_t bad = 0;

    (void)state;
    for (c = 1; c < 0x30000; c++) {
        size_t n;

        if (c >= 0xD800 && c < 0xE000)
            continue;
        n = (size_t)utf8_put(utf8, c);
        buf_add(&text, utf8, n);
        buf_add_str(&text, "1");
        buf_add(&text, utf8, n);
        buf_add_str(&text, "2\xCC\x81");
        if (c % 64 == 0) {
            bad += !lanes_agree(s, buf_bytes(&text));
            buf_reset(&text);
        }
    }
    assert_int_equal(bad, 0);
    buf_release(&text);
    simplify_free(s);
}

static void test_noise(void **state)
{
    static const char *const part[] = {
        "1",
        ".",
        ",",
        "23",
        " ",
        "a",
        "\xD9\xA3",
        "\xD9\xAB",
        "\xCC\x81",
        "\xC3\xA9",
        "\xE1\xAD\x84",
        "\xE3\x80\xAE",
        "\xE6\x97\xA5",
        "\xE0\xB8\x81",
        "\xF0\x9F\x99\x82",
        "\xF0\x9D\x9F\x8F",
        "\xFF",
        "\xE2\x8E\x96",
        "\xEF\xBC\x91",
        "Monday",
        "may",
        "\xE2\x80\x94",
    };
    struct simplify *s = simplify_new(1);
    struct buf text = { 0 };
    struct rng r = rng_at(9, 1);
    size_t round, n, bad = 0;

    (void)state;
    for (round = 0; round < 3000; round++) {
        buf_reset(&text);
        for (n = rng_below(&r, 25); n; n--)
            if (round % 3)
                buf_add_str(&text, part[rng_below(&r, sizeof(part) / sizeof(part[0]))]);
            else
                buf_add_byte(&text, (unsigned char)rng_next(&r));
        bad += !lanes_agree(s, buf_bytes(&text));
    }
    assert_int_equal(bad, 0);
    buf_release(&text);
    simplify_free(s);
}

TESTS("minhash/simplify", cmocka_unit_test(test_cases), cmocka_unit_test(test_dates),
      cmocka_unit_test(test_scripts_without_spaces), cmocka_unit_test(test_shingles),
      cmocka_unit_test(test_every_code_point), cmocka_unit_test(test_noise))
