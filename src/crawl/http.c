/* http.c - see http.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crawl/http.h"
#include "io/inflate.h"

enum { CODINGS_MAX = 4 };    // undone in one body

struct http_room {
    struct buf chunks, plain, swap;
    struct inflater *inflater;
};

struct http_room *http_room_new(void)
{
    return xcalloc(1, sizeof(struct http_room));
}

void http_room_trim(struct http_room *r, size_t keep)
{
    buf_trim(&r->chunks, keep);
    buf_trim(&r->plain, keep);
    buf_trim(&r->swap, keep);
}

void http_room_free(struct http_room *r)
{
    if (!r)
        return;
    buf_release(&r->chunks);
    buf_release(&r->plain);
    buf_release(&r->swap);
    inflater_free(r->inflater);
    free(r);
}

static int is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(const unsigned char *p, const unsigned char *end)
{
    while (p < end && is_blank(*p))
        p++;
    while (p < end && is_blank(end[-1]))
        end--;
    return (struct bytes){ p, (size_t)(end - p) };
}

static int is(struct bytes s, const char *word)
{
    return s.n == strlen(word) && !strncasecmp((const char *)s.p, word, s.n);
}

/* "HTTP/1.1 200 OK": the number, -1 when it is no status line. */
static int read_status(struct bytes line)
{
    const unsigned char *p = line.p, *end = bytes_end(line);
    int status = 0, n;

    if (line.n < 5 || strncasecmp((const char *)p, "HTTP/", 5) != 0)
        return -1;
    while (p < end && !is_blank(*p))
        p++;
    while (p < end && is_blank(*p))
        p++;
    for (n = 0; p < end && *p >= '0' && *p <= '9' && n < 3; n++)
        status = 10 * status + *p++ - '0';
    return n == 3 ? status : -1;
}

static void set_field(struct http *h, struct bytes line)
{
    const unsigned char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    struct bytes name, value;

    if (!colon)
        return;
    name = trim(line.p, colon);
    value = trim(colon + 1, bytes_end(line));
    if (is(name, "Content-Type"))
        h->type = value;
    else if (is(name, "Content-Encoding"))
        h->encoding = value;
    else if (is(name, "Transfer-Encoding"))
        h->transfer = value;
}

int http_parse(struct bytes block, struct http *h)
{
    const unsigned char *p = block.p, *end = bytes_end(block), *lf;
    int first = 1;

    *h = (struct http){ .body = { end, 0 } };
    while (p < end) {
        struct bytes line;

        lf = memchr(p, '\n', (size_t)(end - p));
        line = trim(p, lf ? lf : end);
        if (first && (h->status = read_status(line)) < 0)
            return -1;
        p = lf ? lf + 1 : end;
        if (!line.n) {
            h->body = (struct bytes){ p, (size_t)(end - p) };
            break;
        }
        if (!first)
            set_field(h, line);
        first = 0;
    }
    return first ? -1 : 0;
}

/* ---- chunks ---- */

static int hex(unsigned char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The line "SIZE; extensions" at *p, moved past: the size, -1 when it is none. */
static long chunk_size(const unsigned char **p, const unsigned char *end)
{
    const unsigned char *s = *p, *lf = memchr(s, '\n', (size_t)(end - s));
    long size = 0;
    int n;

    for (n = 0; s < end && hex(*s) >= 0 && n < 8; n++)
        size = 16 * size + hex(*s++);
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    if (n == 0 || !lf || (s < lf && *s != ';' && *s != '\r'))
        return -1;
    *p = lf + 1;
    return size;
}

/* The body without its chunking. One that does not begin with a chunk never had any. */
static int dechunk(struct http_room *r, struct bytes *body)
{
    const unsigned char *p = body->p, *end = bytes_end(*body);
    long size = chunk_size(&p, end);

    if (size < 0)
        return 0;
    buf_reset(&r->chunks);
    while (size > 0 && size <= end - p) {
        buf_add(&r->chunks, p, (size_t)size);
        p += size;
        p += p < end && *p == '\r';
        p += p < end && *p == '\n';
        size = p < end ? chunk_size(&p, end) : -1;
    }
    if (size > 0)    // cut short
        buf_add(&r->chunks, p, (size_t)(end - p));
    *body = buf_bytes(&r->chunks);
    return size == 0 ? 0 : HTTP_BAD_CHUNKS;
}

/* ---- codings ---- */

/* Decode one run of deflate data at *p into r->plain and move *p behind it. */
static int inflate_one(struct http_room *r, const unsigned char **p, const unsigned char *end)
{
    enum { STEP = 1 << 16 };
    int got;

    inflater_start(r->inflater);
    do {
        unsigned char *out;

        if (r->plain.n >= HTTP_BODY_MAX)
            return HTTP_TOO_LONG;
        buf_need(&r->plain, r->plain.n + STEP);
        out = r->plain.p + r->plain.n;
        got = inflater_run(r->inflater, p, end, &out, out + STEP);
        if (got == INFLATE_MORE && *p == end && out == r->plain.p + r->plain.n)
            got = INFLATE_BAD;    // it wants more than there is
        r->plain.n = (size_t)(out - r->plain.p);
    } while (got == INFLATE_MORE);
    return got == INFLATE_END ? 0 : HTTP_BAD_CODING;
}

static int decode_gzip(struct http_room *r, struct bytes body)
{
    const unsigned char *p = body.p, *end = bytes_end(body);
    int wrong = 0;

    while (!wrong && end - p > 2 && p[0] == 0x1f && p[1] == 0x8b) {
        ssize_t size = gzip_header(p, (size_t)(end - p));

        if (size <= 0)
            return HTTP_BAD_CODING;
        p += size;
        wrong = inflate_one(r, &p, end);
        p += end - p < 8 ? end - p : 8;
    }
    return wrong;
}

/* Is this the header of a zlib stream? */
static int is_zlib(struct bytes s)
{
    return s.n > 2 && (s.p[0] & 0xf) == 8 && (s.p[0] << 8 | s.p[1]) % 31 == 0;
}

static int decode_deflate(struct http_room *r, struct bytes body)
{
    const unsigned char *p = body.p + (is_zlib(body) ? 2 : 0);

    return inflate_one(r, &p, bytes_end(body));
}

/* The body may lie in plain: decode to the other buffer. */
static void turn(struct http_room *r)
{
    struct buf was = r->plain;

    if (!r->inflater)
        r->inflater = inflater_new();
    r->plain = r->swap;
    r->swap = was;
    buf_reset(&r->plain);
}

/* One coding undone. A body that does not begin as one so coded is taken for decoded already. */
static int uncode(struct http_room *r, struct bytes coding, struct bytes *body)
{
    int wrong, gzip = is(coding, "gzip") || is(coding, "x-gzip");

    if (!coding.n || is(coding, "identity") || !body->n ||
        (gzip && (body->n < 3 || body->p[0] != 0x1f || body->p[1] != 0x8b)))
        return 0;
    if (gzip) {
        turn(r);
        wrong = decode_gzip(r, *body);
    } else if (is(coding, "deflate")) {
        turn(r);
        wrong = decode_deflate(r, *body);
        if (wrong == HTTP_BAD_CODING && !is_zlib(*body) && memchr(body->p, '<', body->n)) {
            turn(r);
            return 0;
        }
    } else {
        struct bytes seen = trim(body->p, bytes_end(*body));

        if (seen.n && *seen.p == '<')    // HTML already
            return 0;
        *body = (struct bytes){ body->p, 0 };
        return HTTP_OTHER_CODING;
    }
    *body = buf_bytes(&r->plain);
    return wrong;
}

/* "gzip, chunked": undone from the last to the first. */
static int uncode_all(struct http_room *r, struct bytes codings, struct bytes *body)
{
    const unsigned char *end = bytes_end(codings), *comma;
    int wrong = 0, n;

    for (n = 0; n < CODINGS_MAX && end > codings.p; n++) {
        struct bytes one;

        for (comma = end; comma > codings.p && comma[-1] != ',';)
            comma--;
        one = trim(comma, end);
        if (!is(one, "chunked"))
            wrong |= uncode(r, one, body);
        else if (!n)    // once
            wrong |= dechunk(r, body);
        end = comma > codings.p ? comma - 1 : comma;
    }
    return wrong;
}

int http_body(struct http_room *r, const struct http *h, struct bytes *body)
{
    int wrong;

    *body = h->body;
    wrong = uncode_all(r, h->transfer, body);
    return wrong | uncode_all(r, h->encoding, body);
}

/* ---- what is a page ---- */

/* "text/html; charset=x": is it word? */
static int is_type(struct bytes type, const char *word)
{
    const unsigned char *end = type.n ? memchr(type.p, ';', type.n) : NULL;

    return is(trim(type.p, end ? end : bytes_end(type)), word);
}

int http_is_plain(struct bytes type)
{
    return is_type(type, "text/plain");
}

const char *http_type_trouble(struct bytes type)
{
    return !type.n || is_type(type, "text/html") || is_type(type, "application/xhtml+xml") ||
                   http_is_plain(type)
               ? NULL
               : ":type";
}

const char *http_page_trouble(struct bytes block, struct bytes *type)
{
    struct http h;

    if (http_parse(block, &h) < 0)
        return ":not-http";
    *type = h.type;
    return h.status != 200 ? ":status" : http_type_trouble(h.type);
}
