/* test_charset.c - which encoding it is, and what its bytes mean. */
#include "../test.h"

#include "crawl/charset.h"

static struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void test_labels(void **state)
{
    static const char *const rows[][2] = {
        { "utf8", "UTF-8" },
        { "ISO-8859-1", "windows-1252" },
        { "US-ASCII", "windows-1252" },
        { "gb2312", "gb18030" },
        { "GBK", "gb18030" },
        { "x-sjis", "windows-31j" },
        { "ks_c_5601-1987", "windows-949" },
        { "iso-8859-9", "windows-1254" },
        { "koi8-ru", "KOI8-U" },
        { "utf-16", "UTF-16LE" },
        { "big5", "Big5-HKSCS" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(charset_find(text(rows[i][0])), rows[i][1]);
    assert_null(charset_find(text("utf")));
    assert_null(charset_find(text("utf-8 ")));
    assert_null(charset_find(text("")));
}

static void test_order(void **state)
{
    static const char meta[] = "<html><META http-equiv=x content='text/html; charset=koi8-r'>";

    (void)state;
    assert_string_equal(charset_of(text("\xef\xbb\xbf x"), text("a; charset=koi8-r")), "UTF-8");
    assert_string_equal(charset_of(text("\xff\xfe x"), text("a; charset=koi8-r")), "UTF-16LE");
    assert_string_equal(charset_of(text(meta), text("a; charset=\"Shift_JIS\"")), "windows-31j");
    assert_string_equal(charset_of(text(meta), text("a; charset=what")), "KOI8-R");
    assert_string_equal(charset_of(text("<meta name=a><meta charset = 'gbk'>"), text("")),
                        "gb18030");
    assert_string_equal(charset_of(text("<meta charset=utf-16>"), text("")), "UTF-8");
    assert_string_equal(charset_of(text("<p>charset=koi8-r \xc3\xa9"), text("")), "UTF-8");
    assert_string_equal(charset_of(text(""), text("")), "UTF-8");
    assert_string_equal(charset_of(text("Une journ\xe9"
                                        "e d'\xe9t\xe9, o\xf9 le gar\xe7on mangeait une cr\xeape "
                                        "\xe0 la fen\xeatre de la for\xeat."),
                                   text("")),
                        "windows-1252");
}

static void decode(const char *label, struct bytes body, const char *want, uint64_t bad)
{
    struct buf b = { 0 };

    assert_int_equal(charset_decode(charset_find(text(label)), body, &b), bad);
    buf_add_byte(&b, 0);
    assert_string_equal((const char *)b.p, want);
    buf_release(&b);
}

static void test_decode(void **state)
{
    static const unsigned char zero[] = { 'a', 0, 'b' },
                               utf16[] = { 0xff, 0xfe, 'a', 0, 0x3d, 0xd8, 0, 0xde, 0x3d, 0xd8 };

    (void)state;
    decode("utf-8", text("\xef\xbb\xbf\xc3\xa9"), "\xc3\xa9", 0);
    decode("utf-8",
           text("a\xc3"
                "b\xff"),
           "a\xef\xbf\xbd"
           "b\xef\xbf\xbd",
           2);
    decode("utf-8", (struct bytes){ zero, 3 }, "ab", 0);
    decode("latin1", text("\x80\xe9"), "\xe2\x82\xac\xc3\xa9", 0);
    decode("koi8-r", text("\xf0\xd2"), "\xd0\x9f\xd1\x80", 0);
    decode("shift_jis", text("\x93\xfa\x96\x7b"), "\xe6\x97\xa5\xe6\x9c\xac", 0);
    decode("euc-jp", text("\xc6\xfc\xcb\xdc"), "\xe6\x97\xa5\xe6\x9c\xac", 0);
    decode("iso-2022-jp", text("\x1b$BF|K\\\x1b(B."), "\xe6\x97\xa5\xe6\x9c\xac.", 0);
    decode("gb2312", text("\xd6\xd0\xce\xc4"), "\xe4\xb8\xad\xe6\x96\x87", 0);
    decode("big5", text("\xa4\xa4\xa4\xe5"), "\xe4\xb8\xad\xe6\x96\x87", 0);
    decode("euc-kr", text("\xc7\xd1"), "\xed\x95\x9c", 0);
    decode("windows-1251", text("\xcf\xf0"), "\xd0\x9f\xd1\x80", 0);
    decode("utf-16le", (struct bytes){ utf16, 8 }, "a\xf0\x9f\x98\x80", 0);
    decode("gbk", text("a\xff."), "a\xef\xbf\xbd.", 1);
}

/* Every encoding there is can be opened, and takes any bytes. */
static void test_all(void **state)
{
    static const char *const labels[] = {
        "866",         "l2",     "l3",        "l4",          "cyrillic",    "arabic",
        "greek",       "hebrew", "l6",        "iso-8859-13", "iso-8859-14", "l9",
        "iso-8859-16", "koi8-u", "macintosh", "windows-874", "cp1250",      "cp1253",
        "cp1254",      "cp1255", "cp1256",    "cp1257",      "cp1258",      "x-mac-cyrillic",
        "utf-16be"
    };
    unsigned char bytes[256];
    size_t i;

    (void)state;
    for (i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        const char *name = charset_find(text(labels[i]));
        struct buf b = { 0 };

        assert_non_null(name);
        charset_decode(name, (struct bytes){ bytes, 256 }, &b);
        if (strcmp(name, "UTF-16BE"))    // all the others agree on ASCII
            assert_true(b.n > 250 && !memcmp(b.p + 31, bytes + 32, 95));
        buf_release(&b);
    }
}

TESTS("crawl/charset", cmocka_unit_test(test_labels), cmocka_unit_test(test_order),
      cmocka_unit_test(test_decode), cmocka_unit_test(test_all))
