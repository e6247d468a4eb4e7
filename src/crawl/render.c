/* render.c - pages made text: crawl_render() of crawl.h. */
#include <stdlib.h>
#include <string.h>

#include "crawl/charset.h"
#include "crawl/crawl.h"
#include "crawl/html.h"
#include "crawl/http.h"
#include "io/ledger.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum loss { BAD_CHUNKS, BAD_CODING, OTHER_CODING, TOO_LONG, TOO_DEEP, REPLACED, LOSSES };

static const char *const loss_name[LOSSES] = {
    [BAD_CHUNKS] = "http:bad-chunks",     [BAD_CODING] = "http:bad-coding",
    [OTHER_CODING] = "http:other-coding", [TOO_LONG] = "http:too-long",
    [TOO_DEEP] = "html:too-deep",         [REPLACED] = "html:replaced-characters",
};

enum { GIANT = 8 << 20 };    // what is not kept for the next page

struct crawl_room {
    struct buf text, plain, html;
    struct http_room *http;
    uint64_t lost[LOSSES];
};

struct crawl_room *crawl_room_new(void)
{
    struct crawl_room *r = xcalloc(1, sizeof(*r));

    html_init();
    r->http = http_room_new();
    return r;
}

void crawl_room_free(struct crawl_room *r)
{
    if (!r)
        return;
    buf_release(&r->text);
    buf_release(&r->plain);
    buf_release(&r->html);
    http_room_free(r->http);
    free(r);
}

void crawl_room_report(const struct crawl_room *r, struct ledger *l)
{
    int i;

    for (i = 0; i < LOSSES; i++)
        if (r->lost[i])
            ledger_count(l, loss_name[i], r->lost[i]);
}

static void add_line(struct buf *b, const unsigned char *p, const unsigned char *end, size_t from)
{
    struct bytes line = unicode_strip((struct bytes){ p, (size_t)(end - p) });

    if (!line.n)
        return;
    if (b->n > from)
        b->p[b->n++] = '\n';
    memcpy(b->p + b->n, line.p, line.n);
    b->n += line.n;
}

void crawl_text(struct buf *b, struct bytes raw)
{
    const unsigned char *at = raw.p, *end = bytes_end(raw), *lf, *cr;
    size_t from = b->n;

    buf_need(b, b->n + raw.n + 1);    // what is left is no longer
    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        while ((cr = memchr(at, '\r', (size_t)(lf - at)))) {
            add_line(b, at, cr, from);
            at = cr + 1;
        }
        add_line(b, at, lf, from);
    }
}

/* No more than HTTP_BODY_MAX of a page is read, in UTF-8 either. */
static void cut(struct buf *b, int *too_long)
{
    size_t n = HTTP_BODY_MAX;

    if (b->n <= n)
        return;
    while ((b->p[n] & 0xC0) == 0x80)
        n--;
    b->n = n;
    *too_long = 1;
}

/* The body of a page that came as HTML or plain text, as text in r->html. */
static struct bytes read_body(struct crawl_room *r, struct bytes body, struct bytes type,
                              int too_long)
{
    r->lost[REPLACED] += charset_decode(charset_of(body, type), body, &r->plain);
    cut(&r->plain, &too_long);
    r->lost[TOO_LONG] += (uint64_t)too_long;
    if (http_is_plain(type))
        return buf_bytes(&r->plain);
    http_room_trim(r->http, GIANT);
    r->lost[TOO_DEEP] += (uint64_t)html_to_text(buf_bytes(&r->plain), &r->html);
    buf_trim(&r->plain, GIANT);
    return buf_bytes(&r->html);
}

static struct bytes read_response(struct crawl_room *r, struct bytes raw)
{
    struct http h;
    struct bytes body;
    int wrong;

    if (http_parse(raw, &h) < 0)
        return (struct bytes){ raw.p, 0 };
    wrong = http_body(r->http, &h, &body);
    r->lost[BAD_CHUNKS] += (wrong & HTTP_BAD_CHUNKS) != 0;
    r->lost[BAD_CODING] += (wrong & HTTP_BAD_CODING) != 0;
    r->lost[OTHER_CODING] += (wrong & HTTP_OTHER_CODING) != 0;
    return read_body(r, body, h.type, (wrong & HTTP_TOO_LONG) != 0);
}

void crawl_room_trim(struct crawl_room *r)
{
    buf_trim(&r->text, GIANT);
    buf_trim(&r->plain, GIANT);
    buf_trim(&r->html, GIANT);
    http_room_trim(r->http, GIANT);
}

void crawl_render(struct crawl_room *r, struct page *p)
{
    crawl_room_trim(r);
    if (p->fault >= PAGE_LOST) {
        p->text = p->raw;
        return;
    }
    p->text = p->form == FORM_HTTP       ? read_response(r, p->raw)
              : p->form == FORM_RESOURCE ? read_body(r, p->raw, p->content_type, 0)
                                         : p->raw;
    if (!utf8_valid(p->text) || !utf8_valid(p->url) || !utf8_valid(p->date)) {
        p->fault = PAGE_NOT_UTF8;
        return;
    }
    if (p->form != FORM_LINES) {
        crawl_text(&r->text, p->text);
        p->text = buf_bytes(&r->text);
        buf_trim(&r->plain, GIANT);
        buf_trim(&r->html, GIANT);
    }
    p->fault = !p->url.n    ? PAGE_NO_URL
               : !p->text.n ? PAGE_NO_TEXT
               : !p->date.n ? PAGE_NO_DATE
                            : PAGE_GOOD;
}
