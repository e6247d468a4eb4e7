/* fuzz_http.c - any bytes as an HTTP response: its body is a view that can be read, and what is
 * rendered of it is lines of UTF-8. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "crawl/crawl.h"
#include "crawl/http.h"
#include "text/unicode.h"
#include "text/utf8.h"

static void touch(struct bytes b)
{
    volatile unsigned char sum = 0;
    size_t i;

    for (i = 0; i < b.n; i++)
        sum = (unsigned char)(sum + b.p[i]);
}

static void check_lines(struct bytes text)
{
    struct bytes line;
    const unsigned char *at = text.p, *end = at + text.n, *lf;

    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        line = (struct bytes){ at, (size_t)(lf - at) };
        fuzz_check(line.n && !memchr(line.p, '\r', line.n) && unicode_strip(line).n == line.n);
        fuzz_check(lf + 1 != end);
    }
}

static void check_page(enum page_form form, struct bytes raw, struct bytes type)
{
    static const unsigned char word[] = "x";
    struct crawl_room *room = crawl_room_new();
    struct page p = { .raw = raw, .form = form, .url = { word, 1 }, .date = { word, 1 } };

    p.content_type = type;
    crawl_render(room, &p);
    touch(p.text);
    if (form != FORM_TEXT)
        fuzz_check(utf8_valid(p.text));
    if (!p.fault)
        check_lines(p.text);
    fuzz_check(p.fault != PAGE_GOOD || p.text.n);
    crawl_room_free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes raw = { data, n }, body;
    struct http_room *room = http_room_new();
    struct http h;

    if (http_parse(raw, &h) == 0) {
        http_body(room, &h, &body);
        touch(h.type);
        touch(h.encoding);
        touch(h.transfer);
        touch(body);
        fuzz_check(body.n <= HTTP_BODY_MAX + (1 << 16));
    }
    check_page(FORM_HTTP, raw, (struct bytes){ NULL, 0 });
    check_page(FORM_TEXT, raw, (struct bytes){ NULL, 0 });
    http_room_free(room);
    return 0;
}
