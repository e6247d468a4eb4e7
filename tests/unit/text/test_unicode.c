/* test_unicode.c - against tests/data/text/str.tsv, which is Python's str, and against ICU. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "text/unicode.h"
#include "text/utf8.h"

static FILE *open_vectors(void)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/text/str.tsv", test_data);
    f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

static int listed(const char *kind, uint32_t from[512])
{
    static char line[8192];
    FILE *f = open_vectors();
    int n = 0;

    while (fgets(line, sizeof(line), f))
        if (!strncmp(line, kind, strlen(kind)) && line[strlen(kind)] == '\t') {
            char *p = line + strlen(kind), *end;

            while (n < 512 && (from[n] = (uint32_t)strtoul(p, &end, 16), end != p)) {
                p = end;
                n++;
            }
        }
    fclose(f);
    return n;
}

static void check_set(const char *kind, int is(uint32_t), uint32_t span)
{
    uint32_t from[512], c;
    int n = listed(kind, from), i = 0;

    assert_true(n > 0);
    for (c = 0; c <= 0x110000; c++) {
        int want;

        while (i < n && c >= from[i] + span)
            i++;
        want = i < n && c >= from[i];
        if (!!is(c) != want)
            fail_msg("%s: U+%X", kind, (unsigned)c);
    }
}

static void sets(void **state)
{
    uint32_t c[512];

    (void)state;
    assert_int_equal(listed("space", c), 29);
    check_set("space", unicode_is_space, 1);
    check_set("line", unicode_is_line_end, 1);
    assert_false(unicode_is_space(UTF8_BAD) || unicode_is_line_end(UTF8_BAD));
}

/* ICU may be younger than the list: every digit of it is one, and no listed block's neighbour. */
static void digits(void **state)
{
    uint32_t zero[512];
    int n = listed("digit", zero), i;
    uint32_t d;

    (void)state;
    assert_true(n > 60);
    for (i = 0; i < n; i++)
        for (d = 0; d < 10; d++)
            assert_true(unicode_is_digit(zero[i] + d));
    assert_false(unicode_is_digit('/') || unicode_is_digit(':') || unicode_is_digit(0xB2) ||
                 unicode_is_digit(0x2460) || unicode_is_digit(UTF8_BAD));
}

static size_t unhex(const char *p, unsigned char *to)
{
    size_t n = 0;
    unsigned x;

    for (; sscanf(p, "%2x", &x) == 1; p += 2)
        to[n++] = (unsigned char)x;
    return n;
}

static void lower_as_python(void **state)
{
    static char line[8192], in[1024], out[1024];
    unsigned char s[512], want[512];
    struct buf got = { 0 };
    FILE *f = open_vectors();
    size_t n_s, n_want;
    int n = 0;

    (void)state;
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "lower\t%1000s\t%1000s", in, out) != 2)
            continue;
        n_s = unhex(in, s);
        n_want = unhex(out, want);
        buf_reset(&got);
        unicode_lower(&got, (struct bytes){ s, n_s });
        if (got.n != n_want || memcmp(got.p, want, n_want))
            fail_msg("lower case of %s", in);
        n++;
    }
    fclose(f);
    assert_in_range(n, 1400, 2000);
    buf_release(&got);
}

static void check_icu(struct bytes s)
{
    static struct buf a, b;

    buf_reset(&a);
    buf_reset(&b);
    unicode_lower(&a, s);
    unicode_lower_icu(&b, s);
    if (a.n != b.n || memcmp(a.p, b.p, a.n))
        fail_msg("not as ICU: %.*s", (int)s.n, (const char *)s.p);
}

static void lower_as_icu(void **state)
{
    static const uint32_t odd[] = { 0x3A3, 0x3A3, 0x130, 0x27, 0xAD, 0x301, 'A', 0x391, ' ', '.' };
    struct rng r = rng_at(1, 2);
    unsigned char b[512];
    uint32_t c;
    size_t n, i;
    int turn;

    (void)state;
    for (c = 1; c <= 0x10FFFF; c += 32) {    // every code point, 32 at a time
        for (n = i = 0; i < 32; i++)
            if (c + i < 0xD800 || (c + i >= 0xE000 && c + i <= 0x10FFFF))
                n += (size_t)utf8_put(b + n, c + (uint32_t)i);
        check_icu((struct bytes){ b, n });
    }
    for (turn = 0; turn < 20000; turn++) {
        for (n = 0, i = rng_below(&r, 12); i; i--)
            n += (size_t)utf8_put(b + n, odd[rng_below(&r, 10)]);
        check_icu((struct bytes){ b, n });
    }
}

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void same(struct bytes got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

static void strips(void **state)
{
    (void)state;
    same(unicode_strip(of(" \t\xE3\x80\x80 a b \xC2\xA0\xE2\x80\xA9\x1F\n")), "a b");
    same(unicode_strip(of("\xE2\x80\x8B"
                          "a\xEF\xBB\xBF")),
         "\xE2\x80\x8B"
         "a\xEF\xBB\xBF");
    same(unicode_strip(of(" \xC2\x85 ")), "");
    same(unicode_strip(of("\xFF a \x80 ")), "\xFF a \x80");
    same(unicode_strip(of("")), "");
}

static void lines(void **state)
{
    struct bytes rest = of("a\r\nb\rc\n\nd\x0B"
                           "e\x0C"
                           "f\x1C"
                           "g\x1D"
                           "h\x1E"
                           "i\xC2\x85"
                           "j\xE2\x80\xA8"
                           "k\xE2\x80\xA9"
                           "l\x1Fm\xE2\x80\x99n\xC2\xA0o\n"),
                 line;
    static const char *const want[] = {
        "a", "b", "c", "", "d", "e", "f", "g", "h", "i", "j", "k", "l\x1Fm\xE2\x80\x99n\xC2\xA0o"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(unicode_line(&rest, &line));
        same(line, want[i]);
    }
    assert_false(unicode_line(&rest, &line));
}

static void words(void **state)
{
    struct bytes rest = of("  one\xE3\x80\x80two\n three\xE2\x80\x8B-\xC2\xA0 "), word;

    (void)state;
    assert_true(unicode_word(&rest, &word));
    same(word, "one");
    assert_true(unicode_word(&rest, &word));
    same(word, "two");
    assert_true(unicode_word(&rest, &word));
    same(word, "three\xE2\x80\x8B-");
    assert_false(unicode_word(&rest, &word));
}

TESTS("text/unicode", cmocka_unit_test(sets), cmocka_unit_test(digits),
      cmocka_unit_test(lower_as_python), cmocka_unit_test(lower_as_icu), cmocka_unit_test(strips),
      cmocka_unit_test(lines), cmocka_unit_test(words))
