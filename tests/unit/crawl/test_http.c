/* test_http.c - heads and bodies, as they should be and as crawls have them. */
#include "../test.h"

#include <stdlib.h>
#include <zlib.h>

#include "crawl/http.h"

static struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void is(struct bytes b, const char *want)
{
    if (b.n != strlen(want) || (b.n && memcmp(b.p, want, b.n) != 0))
        fail_msg("'%.*s' is not '%s'", (int)b.n, (const char *)b.p, want);
}

static void test_head(void **state)
{
    struct http h;

    (void)state;
    assert_int_equal(http_parse(text("HTTP/1.1 200 OK\r\ncontent-type: text/html;charset=x \r\n"
                                     "No colon\r\nContent-Type:\ttext/plain\r\n\r\nbody\n\n"),
                                &h),
                     0);
    assert_int_equal(h.status, 200);
    is(h.type, "text/plain");
    is(h.body, "body\n\n");
    assert_int_equal(http_parse(text("HTTP/1.0 404\nA: b\n\nx"), &h), 0);
    assert_int_equal(h.status, 404);
    is(h.body, "x");
    assert_null(h.type.p);
    assert_int_equal(http_parse(text("HTTP/1.1 200 OK\r\nA: b"), &h), 0);    // no end
    is(h.body, "");
    assert_int_equal(http_parse(text(""), &h), -1);
    assert_int_equal(http_parse(text("20240101 dns"), &h), -1);
    assert_int_equal(http_parse(text("HTTP/1.1 20\r\n\r\n"), &h), -1);
}

static void test_pages(void **state)
{
    struct bytes type;

    (void)state;
    assert_null(
        http_page_trouble(text("HTTP/1.1 200 OK\nContent-Type: TEXT/HTML; a=b\n\n"), &type));
    is(type, "TEXT/HTML; a=b");
    assert_null(http_page_trouble(text("HTTP/1.1 200 OK\n\n<p>"), &type));
    assert_string_equal(
        http_page_trouble(text("HTTP/1.1 200 OK\nContent-Type: image/png\n\n"), &type), ":type");
    assert_string_equal(http_page_trouble(text("HTTP/1.1 206 Part\n\n"), &type), ":status");
    assert_string_equal(http_page_trouble(text("\x16\x03"), &type), ":not-http");
}

/* The body of a response with these headers. */
static void expect_bytes(const char *head, struct bytes body, const char *want, int wrong)
{
    struct http_room *r = http_room_new();
    struct buf all = { 0 };
    struct bytes got;
    struct http h;

    buf_printf(&all, "HTTP/1.1 200 OK\r\n%s\r\n", head);
    buf_add(&all, body.p, body.n);
    assert_int_equal(http_parse(buf_bytes(&all), &h), 0);
    assert_int_equal(http_body(r, &h, &got), wrong);
    is(got, want);
    buf_release(&all);
    http_room_free(r);
}

static void expect(const char *head, const char *body, const char *want, int wrong)
{
    expect_bytes(head, text(body), want, wrong);
}

static void test_chunks(void **state)
{
    static const char te[] = "Transfer-Encoding: chunked\r\n";

    (void)state;
    expect(te, "3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", "abc0123456789", 0);
    expect(te, "3\nabc\n0\n\n", "abc", 0);
    expect(te, "<p>never chunked</p>", "<p>never chunked</p>", 0);
    expect(te, "9\r\nabc", "abc", HTTP_BAD_CHUNKS);
    expect(te, "3\r\nabc\r\nzz\r\ndef", "abc", HTTP_BAD_CHUNKS);
    expect(te, "3\r\nabcxyz\r\n0\r\n\r\n", "abc", HTTP_BAD_CHUNKS);
    expect(te, "ffffffff\r\nabc", "abc", HTTP_BAD_CHUNKS);
    expect(te, "fffffffff\r\nabc", "fffffffff\r\nabc", 0);    // no size has nine digits
    expect("Transfer-Encoding: chunked, chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", "abc", 0);
    expect(te, "0\r\n\r\n", "", 0);
}

static struct buf pack(const char *s, int window)
{
    struct buf b = { 0 };
    z_stream z = { 0 };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_need(&b, 200 + strlen(s));
    z.next_in = (unsigned char *)(size_t)s;
    z.avail_in = (uInt)strlen(s);
    z.next_out = b.p;
    z.avail_out = (uInt)b.cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.n = z.total_out;
    deflateEnd(&z);
    return b;
}

static void test_codings(void **state)
{
    static const char words[] = "<p>many words and words and words and words</p>";
    struct buf gzip = pack(words, 31), zlib = pack(words, 15), raw = pack(words, -15),
               twice = { 0 };
    struct bytes cut = { gzip.p, gzip.n - 12 };
    struct http_room *r = http_room_new();
    struct bytes got;
    struct http h = { .encoding = text("gzip"), .body = cut };

    (void)state;
    expect_bytes("Content-Encoding: gzip\r\n", buf_bytes(&gzip), words, 0);
    expect_bytes("Content-Encoding: X-GZIP\r\n", buf_bytes(&gzip), words, 0);
    expect_bytes("Content-Encoding: deflate\r\n", buf_bytes(&zlib), words, 0);
    expect_bytes("Content-Encoding: deflate\r\n", buf_bytes(&raw), words, 0);
    expect("Content-Encoding: gzip\r\n", words, words, 0);    // undone by the crawler
    expect("Content-Encoding: deflate\r\n", words, words, 0);
    expect("Content-Encoding: br\r\n", words, words, 0);
    expect("Content-Encoding: br\r\n", "\x0b\x02\x80", "", HTTP_OTHER_CODING);
    expect("Content-Encoding: identity\r\n", "abc", "abc", 0);
    assert_int_equal(http_body(r, &h, &got), HTTP_BAD_CODING);
    assert_true(got.n && got.n < sizeof(words) && !memcmp(got.p, words, got.n));
    buf_add(&twice, gzip.p, gzip.n);
    buf_add(&twice, gzip.p, gzip.n);
    h.body = buf_bytes(&twice);
    assert_int_equal(http_body(r, &h, &got), 0);
    assert_int_equal(got.n, 2 * (sizeof(words) - 1));
    http_room_free(r);
    buf_release(&gzip);
    buf_release(&zlib);
    buf_release(&raw);
    buf_release(&twice);
}

/* A body of a gigabyte of zeros is cut. */
static void test_bomb(void **state)
{
    enum { MEGA = 1 << 20 };
    struct http_room *r = http_room_new();
    struct buf b = { 0 };
    unsigned char *zeros = xcalloc(MEGA, 1);
    struct bytes got;
    struct http h = { .encoding = text("gzip") };
    z_stream z = { 0 };
    int i;

    (void)state;
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_need(&b, 2 * MEGA);
    z.next_out = b.p;
    z.avail_out = (uInt)b.cap;
    for (i = 0; i < 100; i++) {
        z.next_in = zeros;
        z.avail_in = MEGA;
        assert_int_equal(deflate(&z, i < 99 ? Z_NO_FLUSH : Z_FINISH), i < 99 ? Z_OK : Z_STREAM_END);
    }
    h.body = (struct bytes){ b.p, z.total_out };
    assert_int_equal(http_body(r, &h, &got), HTTP_TOO_LONG);
    assert_in_range(got.n, HTTP_BODY_MAX, HTTP_BODY_MAX + (1 << 16));
    deflateEnd(&z);
    free(zeros);
    buf_release(&b);
    http_room_free(r);
}

TESTS("crawl/http", cmocka_unit_test(test_head), cmocka_unit_test(test_pages),
      cmocka_unit_test(test_chunks), cmocka_unit_test(test_codings), cmocka_unit_test(test_bomb))
