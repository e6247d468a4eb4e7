/* test_url.c - normal forms, and the number of a key. */
#include "../test.h"

#include "lists/url.h"

static void forms(void **state)
{
    static const char *const pair[][2] = {
        { "http://www.a.example/b", "a.example/b" },
        { "https://a.example/b/", "a.example/b" },
        { "http://a.example///", "a.example" },
        { "http://www.www.a.example/", "www.a.example" },
        { "HTTP://a.example", "HTTP://a.example" },
        { "http://a.example/r?u=http://www.b.example/", "a.example/r?u=b.example" },
        { "a.example/?utm_source=x&y=1", "a.example" },
        { "a.example/p?ref=1", "a.example/p" },
        { "a.example/p?reference=9", "a.example/p" },
        { "a.example/p?feed", "a.example/p" },
        { "a.example/p?x=1&utm_source=y", "a.example/p?x=1&utm_source=y" },
        { "a.example/p?x=?ref", "a.example/p?x=" },
        { "a?ref\nb?refc\nd", "a\nb\nd" },
        { "hhttp://ttp://a", "http://a" },
        { "https:/a", "https:/a" },
        { "http://", "" },
        { "", "" },
        { "///", "" },
    };
    struct buf b = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        url_normal(&b, (struct bytes){ (const unsigned char *)pair[i][0], strlen(pair[i][0]) });
        buf_add_byte(&b, 0);
        assert_string_equal((char *)b.p, pair[i][1]);
    }
    buf_release(&b);
}

static void numbers(void **state)
{
    unsigned char key[16] = { 0 };

    (void)state;
    assert_int_equal(url_modulo(key, 1000), 0);
    key[15] = 7;
    assert_int_equal(url_modulo(key, 1000), 7);
    key[13] = 1;    // 65536 + 7
    assert_int_equal(url_modulo(key, 1000), 543);
    memset(key, 0xFF, 16);    // 2^128 - 1 = ...768211455
    assert_int_equal(url_modulo(key, 1000), 455);
    assert_int_equal(url_modulo(key, 1), 0);
    url_key((struct bytes){ (const unsigned char *)"", 0 }, key);
    assert_memory_equal(key, "\xD4\x1D\x8C\xD9\x8F\x00\xB2\x04\xE9\x80\x09\x98\xEC\xF8\x42\x7E",
                        16);
}

TESTS("lists/url", cmocka_unit_test(forms), cmocka_unit_test(numbers))
