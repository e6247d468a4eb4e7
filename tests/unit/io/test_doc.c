/* test_doc.c - documents as JSON lines, held against jansson. */
#include "../test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "io/doc.h"

static struct bytes b(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void same(struct bytes got, const char *want)
{
    if (!want) {
        assert_null(got.p);
        return;
    }
    if (!got.p || got.n != strlen(want) || memcmp(got.p, want, got.n) != 0)
        fail_msg("'%.*s' is not '%s'", (int)got.n, (const char *)got.p, want);
}

static void test_fields(void **state)
{
    struct doc_parser *p = doc_parser_new();
    struct err err;
    struct doc d;

    (void)state;
    assert_int_equal(
        doc_parse(p, b("{\"text\":\"a\\nb\",\"timestamp\":\"t\",\"url\":\"u\"}\n"), &d, &err), 0);
    same(d.text, "a\nb");
    same(d.timestamp, "t");
    same(d.url, "u");
    same(d.lang, NULL);
    same(d.extra, NULL);
    assert_int_equal(doc_parse(p,
                               b(" { \"n\" : [ 1 , {\"text\":2} ], \"text\":\"\" ,\"lang\" :"
                                 " \"fi\", \"x\":-0.5e+3,\"url\":null } \r\n"),
                               &d, &err),
                     0);
    same(d.text, "");
    same(d.url, NULL);
    same(d.lang, "fi");
    same(d.extra, "\"n\" : [ 1 , {\"text\":2} ],\"x\":-0.5e+3,\"url\":null");
    doc_parser_free(p);
    doc_parser_free(NULL);
}

static void test_last_of_equals(void **state)
{
    struct doc_parser *p = doc_parser_new();
    struct buf line = { 0 };
    struct err err;
    struct doc d;
    int i;

    (void)state;
    assert_int_equal(doc_parse(p,
                               b("{\"text\":\"a\",\"x\":1,\"t\\u0065xt\":\"b\",\"url\":\"u\","
                                 "\"x\":2,\"url\":3}"),
                               &d, &err),
                     0);
    same(d.text, "b");
    same(d.url, NULL);
    same(d.extra, "\"x\":2,\"url\":3");
    buf_add_str(&line, "{\"text\":\"first\"");
    for (i = 0; i < 100; i++)
        buf_printf(&line, ",\"k%d\":%d,\"text\":\"%d\"", i % 3, i, i);
    buf_add_str(&line, "}");
    assert_int_equal(doc_parse(p, buf_bytes(&line), &d, &err), 0);
    same(d.text, "99");
    same(d.extra, "\"k1\":97,\"k2\":98,\"k0\":99");
    buf_release(&line);
    doc_parser_free(p);
}

static void test_escapes(void **state)
{
    static const char *const pair[][2] = {
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t" },
        { "\\u0041\\u00e4\\u4e2d\\uFFFF", "A\xc3\xa4\xe4\xb8\xad\xef\xbf\xbf" },
        { "\\ud83d\\ude00\\uD83D\\uDE00!", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80!" },
        { "\\ud83d", "\xef\xbf\xbd" },
        { "\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\\ud83d\\u0041", "\xef\xbf\xbd"
                            "A" },
        { "\\ud83d\\n", "\xef\xbf\xbd\n" },
        { "\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
        { "plain \x7f \xc3\xa4 \xff\xc0\xaf", "plain \x7f \xc3\xa4 \xff\xc0\xaf" },
    };
    struct doc_parser *p = doc_parser_new();
    struct buf line = { 0 };
    struct err err;
    struct doc d;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        buf_reset(&line);
        buf_printf(&line, "{\"text\":\"%s\"}", pair[i][0]);
        assert_int_equal(doc_parse(p, buf_bytes(&line), &d, &err), 0);
        same(d.text, pair[i][1]);
    }
    assert_int_equal(doc_parse(p, b("{\"text\":\"a\\u0000b\"}"), &d, &err), 0);
    assert_int_equal(d.text.n, 3);
    assert_memory_equal(d.text.p, "a\0b", 3);
    buf_release(&line);
    doc_parser_free(p);
}

static void test_refused(void **state)
{
    static const char *const pair[][2] = {
        { "", "byte 0: '{' was expected" },
        { "[]", "byte 0: '{' was expected" },
        { "{}", "byte 0: no string called \"text\"" },
        { "{\"text\":5}", "byte 0: no string called \"text\"" },
        { "{\"text\":\"a\",\"text\":5}", "byte 0: no string called \"text\"" },
        { "{\"text\":\"a\"", "byte 11: ',' or '}' was expected" },
        { "{\"text\":\"a\"} x", "byte 13: something follows the object" },
        { "{\"text\":\"a\",}", "byte 12: a string was expected" },
        { "{\"text\" \"a\"}", "byte 8: ':' was expected" },
        { "{\"text\":\"a", "byte 10: string without end" },
        { "{\"text\":\"a\\", "byte 11: string without end" },
        { "{\"text\":\"a\\u12\"}", "byte 12: bad \\u escape" },
        { "{\"text\":\"a\\u12g4\"}", "byte 12: bad \\u escape" },
        { "{\"text\":\"\\x\"}", "byte 10: unknown escape" },
        { "{\"text\":\"a\tb\"}", "byte 10: control character in a string" },
        { "{\"text\":\"\",\"n\":01}", "byte 16: ',' or '}' was expected" },
        { "{\"text\":\"\",\"n\":1.}", "byte 17: bad number" },
        { "{\"text\":\"\",\"n\":+1}", "byte 15: a value was expected" },
        { "{\"text\":\"\",\"n\":1e}", "byte 17: bad number" },
        { "{\"text\":\"\",\"n\":nul}", "byte 15: a value was expected" },
        { "{\"text\":\"\",\"n\":[1,]}", "byte 18: a value was expected" },
        { "{\"text\":\"\",\"n\":[1}", "byte 17: ',' or ']' was expected" },
        { "{\"text\":\"\",\"n\":}", "byte 15: a value was expected" },
        { "{'text':''}", "byte 1: a string was expected" },
    };
    struct doc_parser *p = doc_parser_new();
    struct err err;
    struct doc d;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        if (doc_parse(p, b(pair[i][0]), &d, &err) != -1)
            fail_msg("taken: %s", pair[i][0]);
        assert_string_equal(err.msg, pair[i][1]);
    }
    doc_parser_free(p);
}

static void test_depth(void **state)
{
    struct doc_parser *p = doc_parser_new();
    struct buf line = { 0 };
    struct err err;
    struct doc d;
    int n, i;

    (void)state;
    for (n = 500; n < 1000000; n *= 10) {
        buf_reset(&line);
        buf_add_str(&line, "{\"text\":\"\",\"n\":");
        for (i = 0; i < n; i++)
            buf_add_str(&line, "[");
        for (i = 0; i < n; i++)
            buf_add_str(&line, "]");
        buf_add_str(&line, "}");
        assert_int_equal(doc_parse(p, buf_bytes(&line), &d, &err), n == 500 ? 0 : -1);
    }
    assert_non_null(strstr(err.msg, ": nested too deep"));
    buf_release(&line);
    doc_parser_free(p);
}

static void test_format(void **state)
{
    struct doc d = { .text = b("a\"\\\n\t\x01\x7f\b\f\r\v\xe4\xb8\xad/"),
                     .url = b("u"),
                     .extra = b("\"k\":[1]") };
    struct buf out = { 0 };

    (void)state;
    doc_format(&out, &d);
    same(buf_bytes(&out), "{\"text\":\"a\\\"\\\\\\n\\t\\u0001\x7f\\b\\f\\r\\u000b\xe4\xb8\xad/\","
                          "\"url\":\"u\",\"k\":[1]}\n");
    d = (struct doc){ .text = b(""), .timestamp = b("t"), .url = b(""), .lang = b("fi") };
    buf_reset(&out);
    doc_format(&out, &d);
    same(buf_bytes(&out), "{\"text\":\"\",\"timestamp\":\"t\",\"url\":\"\",\"lang\":\"fi\"}\n");
    buf_release(&out);
}

/* As Python's errors="replace" and browsers: one U+FFFD for each piece that could have begun
 * a character. */
static void test_invalid_utf8(void **state)
{
#define R "\xef\xbf\xbd"
    static const char *const pair[][2] = {
        { "\xff", R },
        { "\x80\x80", R R },
        { "\xc3", R },
        { "\xc3(", R "(" },
        { "\xc0\xaf", R R },
        { "\xe4\xb8", R },
        { "\xe4\xb8z", R "z" },
        { "\xed\xa0\x80", R R R },
        { "\xf0\x9f\x98", R },
        { "\xf0\x80\x80\x80", R R R R },
        { "\xf4\x90\x80\x80", R R R R },
        { "\xf5z", R "z" },
        { "\xe4\xe4\xb8\xad\xff\xe4\xb8\xad", R "\xe4\xb8\xad" R "\xe4\xb8\xad" },
        { "\xf4\x8f\xbf\xbf\xed\x9f\xbf", "\xf4\x8f\xbf\xbf\xed\x9f\xbf" },
    };
    struct buf out = { 0 }, want = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        struct doc d = { .text = b(pair[i][0]) };

        buf_reset(&out);
        buf_reset(&want);
        doc_format(&out, &d);
        buf_printf(&want, "{\"text\":\"%s\"}\n", pair[i][1]);
        buf_add_byte(&want, 0);
        same(buf_bytes(&out), (const char *)want.p);
    }
    buf_release(&out);
    buf_release(&want);
}

/* ---- random documents ---- */

static json_t *random_string(struct rng *r)
{
    static const char *const piece[] = {
        "a",
        "word ",
        "\"",
        "\\",
        "\n",
        "\t",
        "\x01",
        "/",
        "\xc3\xa4",
        "\xe0\xa4\xb9",
        "\xe4\xb8\xad",
        "\xf0\x9f\x98\x80",
        "0123456789abcdef",
        "\\u0041",
        "\x7f",
        "\xef\xbf\xbf",
    };
    struct buf s = { 0 };
    size_t n = rng_below(r, 30);
    json_t *j;

    while (n--)
        buf_add_str(&s, piece[rng_below(r, sizeof(piece) / sizeof(piece[0]))]);
    j = json_stringn(s.p ? (char *)s.p : "", s.n);
    buf_release(&s);
    assert_non_null(j);
    return j;
}

static json_t *random_value(struct rng *r, int depth)
{
    size_t n = rng_below(r, 4), kind = rng_below(r, depth > 3 ? 6 : 8);
    char key[20];
    json_t *j;

    switch (kind) {
    case 0:
        return json_integer((json_int_t)rng_next(r));
    case 1:
        return json_real(((double)rng_below(r, 1000000) - 5e5) * 1.25e-3);
    case 2:
        return json_boolean(rng_below(r, 2));
    case 3:
        return json_null();
    case 6:
        for (j = json_array(); n; n--)
            json_array_append_new(j, random_value(r, depth + 1));
        return j;
    case 7:
        for (j = json_object(); n; n--) {
            snprintf(key, sizeof(key), "k\n%d", (int)rng_below(r, 5));
            json_object_set_new(j, key, random_value(r, depth + 1));
        }
        return j;
    default:
        return random_string(r);
    }
}

static json_t *random_doc(struct rng *r)
{
    static const char *const key[] = { "timestamp", "url", "lang", "lang_p", "x", "\xc3\xa4\"" };
    json_t *root = json_object();
    size_t n = rng_below(r, 8), text_at = rng_below(r, 8), i;

    for (i = 0; i < 8; i++) {
        if (i == text_at)
            json_object_set_new(root, "text", random_string(r));
        else if (i < n)
            json_object_set_new(root, key[rng_below(r, 6)], random_value(r, 0));
    }
    return root;
}

static void check_field(json_t *root, const char *key, struct bytes got)
{
    json_t *j = json_object_get(root, key);

    if (!json_is_string(j)) {
        assert_null(got.p);
        return;
    }
    assert_non_null(got.p);
    assert_int_equal(got.n, json_string_length(j));
    assert_memory_equal(got.p, json_string_value(j), got.n);
}

/* jansson's line, parsed by us, written by us, read by jansson: the same document. */
static void test_against_jansson(void **state)
{
    static const size_t how[] = { JSON_COMPACT, JSON_ENSURE_ASCII, JSON_INDENT(2),
                                  JSON_ESCAPE_SLASH | JSON_ENSURE_ASCII | JSON_COMPACT };
    struct doc_parser *p = doc_parser_new();
    struct rng r = rng_at(rng_key(1, "docs"), 0);
    struct buf out = { 0 }, again = { 0 };
    struct err err;
    int i;

    (void)state;
    for (i = 0; i < 3000; i++) {
        json_t *root = random_doc(&r), *back;
        char *line = json_dumps(root, how[rng_below(&r, 4)]);
        struct doc d;

        if (doc_parse(p, b(line), &d, &err) < 0)
            fail_msg("%s: %s", err.msg, line);
        check_field(root, "text", d.text);
        check_field(root, "timestamp", d.timestamp);
        check_field(root, "url", d.url);
        check_field(root, "lang", d.lang);
        buf_reset(&out);
        doc_format(&out, &d);
        back = json_loadb((char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
        if (!back || !json_equal(root, back))
            fail_msg("%s became %.*s", line, (int)out.n, (char *)out.p);
        assert_int_equal(doc_parse(p, buf_bytes(&out), &d, &err), 0);
        buf_reset(&again);
        doc_format(&again, &d);
        assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
        assert_int_equal(again.n, out.n);
        assert_memory_equal(again.p, out.p, out.n);
        json_decref(root);
        json_decref(back);
        free(line);
    }
    buf_release(&out);
    buf_release(&again);
    doc_parser_free(p);
}

/* Changed bytes: what we take, jansson takes, and the other way round. */
static void test_same_verdict_as_jansson(void **state)
{
    static const char alphabet[] = "{}[]\",:\\u09aeE+-. tfn\x01";
    struct doc_parser *p = doc_parser_new();
    struct rng r = rng_at(rng_key(2, "docs"), 0);
    struct err err;
    int i, taken = 0;

    (void)state;
    for (i = 0; i < 20000; i++) {
        json_t *root = random_doc(&r), *theirs, *text;
        char *line = json_dumps(root, JSON_ENSURE_ASCII | (i % 2 ? JSON_COMPACT : 0));
        size_t n = strlen(line), changes = 1 + rng_below(&r, 2);
        struct doc d;
        int ours;

        while (changes--)
            line[rng_below(&r, n)] = alphabet[rng_below(&r, sizeof(alphabet) - 1)];
        ours = doc_parse(p, b(line), &d, &err) == 0;
        theirs = json_loads(line, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
        text = json_object_get(theirs, "text");
        /* jansson refuses lone surrogates and numbers beyond double; we keep them */
        if (ours != json_is_string(text) &&
            !(ours && !theirs && (strstr(line, "\\u") || strpbrk(line, "eE"))))
            fail_msg("ours %d: %s", ours, line);
        taken += ours;
        json_decref(theirs);
        json_decref(root);
        free(line);
    }
    assert_in_range(taken, 2000, 18000);    // else the test is about nothing
    doc_parser_free(p);
}

static void test_without(void **state)
{
    static const struct {
        const char *extra, *want;
    } row[] = {
        { "", "" },
        { "\"k\":1", "" },
        { "\"a\":[1,{\"k\":2}],\"k\":1,\"b\" : \"k\"", "\"a\":[1,{\"k\":2}],\"b\" : \"k\"" },
        { "\"\\u006b\":null,\"a\":\"\\\",\\\"k\\\":3\"", "\"a\":\"\\\",\\\"k\\\":3\"" },
        { "\"kk\":1,\"k\":{}", "\"kk\":1" },
    };
    struct buf out = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        buf_reset(&out);
        doc_extra_without(&out, b(row[i].extra), "k");
        assert_int_equal(out.n, strlen(row[i].want));
        if (out.n)
            assert_memory_equal(out.p, row[i].want, out.n);
    }
    buf_release(&out);
}

TESTS("io/doc", cmocka_unit_test(test_fields), cmocka_unit_test(test_last_of_equals),
      cmocka_unit_test(test_escapes), cmocka_unit_test(test_refused), cmocka_unit_test(test_depth),
      cmocka_unit_test(test_format), cmocka_unit_test(test_invalid_utf8),
      cmocka_unit_test(test_against_jansson), cmocka_unit_test(test_without),
      cmocka_unit_test(test_same_verdict_as_jansson))
