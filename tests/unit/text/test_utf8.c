/* test_utf8.c - the fast lanes say what the definitions say, and both what Unicode says. */
#include "../test.h"

#include "base/rng.h"
#include "text/utf8.h"

static struct bytes of(const char *s, size_t n)
{
    return (struct bytes){ (const unsigned char *)s, n };
}

static void every_code_point(void **state)
{
    unsigned char b[4];
    uint32_t c;
    int n, len;

    (void)state;
    for (c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        n = utf8_put(b, c);
        if (utf8_get(b, (size_t)n, &len) != c || len != n ||
            utf8_get_last(b, (size_t)n, &len) != c || len != n)
            fail_msg("U+%X does not come back", (unsigned)c);
        if (n > 1 && utf8_get(b, (size_t)n - 1, &len) != UTF8_BAD)
            fail_msg("U+%X: a cut one is taken", (unsigned)c);
    }
}

static void what_is_invalid(void **state)
{
    static const char *const bad[] = { "\x80",
                                       "\xC0\x80",
                                       "\xC1\xBF",
                                       "\xC3",
                                       "\xE0\x80\x80",
                                       "\xE0\x9F\xBF",
                                       "\xED\xA0\x80",
                                       "\xED\xBF\xBF",
                                       "\xF0\x80\x80\x80",
                                       "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80",
                                       "\xF8\x88\x80\x80\x80",
                                       "\xFF",
                                       "\xFE",
                                       "\xE2\x82",
                                       "\xF0\x9F\x98",
                                       "\xC3\x28" };
    char line[64];
    size_t i, pre, post, n;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (pre = 0; pre < 18; pre++)
            for (post = 0; post < 18; post++) {
                memset(line, 'a', sizeof(line));
                n = strlen(bad[i]);
                memcpy(line + pre, bad[i], n);
                assert_false(utf8_valid(of(line, pre + n + post)));
                assert_false(utf8_valid_plain(of(line, pre + n + post)));
            }
    assert_true(utf8_valid(of("", 0)));
    assert_true(utf8_valid(of("\0\x7F\xEF\xBF\xBF\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80", 15)));
}

/* Texts of whole code points of all lengths with, half the time, a byte changed. */
static void lanes_agree(void **state)
{
    static const uint32_t top[] = { 0x80, 0x80, 0x80, 0x800, 0x10000, 0x110000 };
    struct rng r = rng_at(7, 7);
    unsigned char b[256];
    int turn, valid = 0;

    (void)state;
    for (turn = 0; turn < 40000; turn++) {
        size_t n = 0, max = rng_below(&r, 240), kinds = 1 + rng_below(&r, 6);
        struct bytes s;

        while (n < max) {
            uint32_t c = (uint32_t)rng_below(&r, top[rng_below(&r, kinds)]);

            if (c < 0xD800 || c >= 0xE000)
                n += (size_t)utf8_put(b + n, c);
        }
        if (n && rng_below(&r, 2))
            b[rng_below(&r, n)] = (unsigned char)rng_below(&r, 256);
        s = (struct bytes){ b, n };
        assert_int_equal(utf8_valid(s), utf8_valid_plain(s));
        assert_int_equal(utf8_count(s), utf8_count_plain(s));
        valid += utf8_valid(s);
    }
    assert_in_range(valid, 10000, 39000);
}

static void counts_long_runs(void **state)
{
    enum { N = 190001 };
    static unsigned char b[3 * N];
    size_t i;

    (void)state;
    for (i = 0; i < N; i++)
        memcpy(b + 3 * i, "\xE0\xB8\x81", 3);
    assert_int_equal(utf8_count((struct bytes){ b, sizeof(b) }), N);
}

TESTS("text/utf8", cmocka_unit_test(every_code_point), cmocka_unit_test(what_is_invalid),
      cmocka_unit_test(lanes_agree), cmocka_unit_test(counts_long_runs))
