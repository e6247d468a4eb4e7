/* json.c - see json.h.
 *
 * Goes over the text once, eight bytes at a time where nothing happens.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "io/json.h"

#define DEPTH_MAX 512
#define ONES 0x0101010101010101u
#define TOPS (0x80 * ONES)

int json_bad(struct json *s, const char *trouble)
{
    s->trouble = trouble;
    return -1;
}

void json_space(struct json *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
        s->p++;
}

int json_at(const struct json *s, unsigned char c)
{
    return s->p < s->end && *s->p == c;
}

/* 0x80 in each byte of w that is zero; exact only up to the first one, which is enough. */
static uint64_t zero_bytes(uint64_t w)
{
    return (w - ONES) & ~w & TOPS;
}

/* How many bytes at p need no thought: no control character, quote or backslash, nor (for
 * the writer) a byte beyond ASCII. */
static size_t quiet(const unsigned char *p, const unsigned char *end, int ascii)
{
    const unsigned char *from = p;
    uint64_t w, stop;

    for (; end - p >= 8; p += 8) {
        memcpy(&w, p, 8);
        stop = zero_bytes(w ^ ('"' * ONES)) | zero_bytes(w ^ ('\\' * ONES)) |
               ((w - 0x20 * ONES) & ~w & TOPS) | (ascii ? w & TOPS : 0);
        if (stop)
            break;
    }
    while (p < end && *p >= 0x20 && *p != '"' && *p != '\\' && !(ascii && *p >= 0x80))
        p++;
    return (size_t)(p - from);
}

/* ---- strings ---- */

static int hex4(const unsigned char *p, const unsigned char *end, uint32_t *out)
{
    uint32_t x = 0;
    int i;

    if (end - p < 4)
        return -1;
    for (i = 0; i < 4; i++) {
        unsigned c = p[i] | 0x20;

        if (c >= '0' && c <= '9' && p[i] < 0x40)
            x = x << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            x = x << 4 | (c - 'a' + 10);
        else
            return -1;
    }
    *out = x;
    return 0;
}

static size_t utf8_put(unsigned char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (unsigned char)(0xc0 | c >> 6);
        to[1] = (unsigned char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (unsigned char)(0xe0 | c >> 12);
        to[1] = (unsigned char)(0x80 | (c >> 6 & 63));
        to[2] = (unsigned char)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (unsigned char)(0xf0 | c >> 18);
    to[1] = (unsigned char)(0x80 | (c >> 12 & 63));
    to[2] = (unsigned char)(0x80 | (c >> 6 & 63));
    to[3] = (unsigned char)(0x80 | (c & 63));
    return 4;
}

/* After "\u": one character, which may be two escapes. */
static int unescape_unicode(struct json *s, uint32_t *c)
{
    uint32_t low;

    if (hex4(s->p, s->end, c) < 0)
        return json_bad(s, "bad \\u escape");
    s->p += 4;
    if (*c < 0xd800 || *c > 0xdfff)
        return 0;
    if (*c < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' &&
        hex4(s->p + 2, s->end, &low) == 0 && low >= 0xdc00 && low <= 0xdfff) {
        s->p += 6;
        *c = 0x10000 + ((*c - 0xd800) << 10 | (low - 0xdc00));
        return 0;
    }
    *c = 0xfffd;
    return 0;
}

static int unescape(struct json *s, uint32_t *c)
{
    static const char name[] = "\"\\/bfnrt", value[] = "\"\\/\b\f\n\r\t";
    const char *k;

    if (++s->p == s->end)
        return json_bad(s, "string without end");
    if (*s->p == 'u') {
        s->p++;
        return unescape_unicode(s, c);
    }
    k = *s->p ? strchr(name, *s->p) : NULL;
    if (!k)
        return json_bad(s, "unknown escape");
    *c = (unsigned char)value[k - name];
    s->p++;
    return 0;
}

/* A string; out NULL: only passed over. */
int json_take_string(struct json *s, struct buf *plain, struct bytes *out)
{
    const unsigned char *from;
    unsigned char *to = plain->p + plain->n, *begin = to, skipped[4] = { 0 };
    uint32_t c;
    size_t n;

    if (!json_at(s, '"'))
        return json_bad(s, "a string was expected");
    from = ++s->p;
    n = quiet(s->p, s->end, 0);
    s->p += n;
    if (json_at(s, '"')) {    // nearly all keys, most values: nothing to unescape
        s->p++;
        if (out)
            *out = (struct bytes){ from, n };
        return 0;
    }
    while (1) {
        if (out)
            memcpy(to, s->p - n, n);
        to += out ? n : 0;
        if (s->p == s->end)
            return json_bad(s, "string without end");
        if (*s->p == '"')
            break;
        if (*s->p != '\\')
            return json_bad(s, "control character in a string");
        if (unescape(s, &c) < 0)
            return -1;
        n = utf8_put(out ? to : skipped, c);
        to += out ? n : 0;
        n = quiet(s->p, s->end, 0);
        s->p += n;
    }
    s->p++;
    if (out)
        *out = (struct bytes){ begin, (size_t)(to - begin) };
    plain->n += (size_t)(to - begin);
    return 0;
}

/* ---- values of keys that are not ours ---- */

static size_t digits(struct json *s)
{
    const unsigned char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - from);
}

static int number(struct json *s)
{
    if (json_at(s, '-'))
        s->p++;
    if (json_at(s, '0'))
        s->p++;
    else if (!digits(s))
        return json_bad(s, "a value was expected");
    if (json_at(s, '.')) {
        s->p++;
        if (!digits(s))
            return json_bad(s, "bad number");
    }
    if (json_at(s, 'e') || json_at(s, 'E')) {
        s->p++;
        if (json_at(s, '+') || json_at(s, '-'))
            s->p++;
        if (!digits(s))
            return json_bad(s, "bad number");
    }
    return 0;
}

static int word(struct json *s, const char *w)
{
    size_t n = strlen(w);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
        return json_bad(s, "a value was expected");
    s->p += n;
    return 0;
}

int json_colon(struct json *s)
{
    json_space(s);
    if (!json_at(s, ':'))
        return json_bad(s, "':' was expected");
    s->p++;
    json_space(s);
    return 0;
}

/* After a member or an item: 1 when a comma says that there is one more, 0 at the close. */
int json_comma(struct json *s, unsigned char close)
{
    json_space(s);
    if (json_at(s, ',')) {
        s->p++;
        json_space(s);
        return 1;
    }
    if (!json_at(s, close))
        return json_bad(s, close == '}' ? "',' or '}' was expected" : "',' or ']' was expected");
    s->p++;
    return 0;
}

static int group(struct json *s, struct buf *plain, unsigned char close, int depth)
{
    int again = 1;

    if (depth == DEPTH_MAX)
        return json_bad(s, "nested too deep");
    s->p++;
    json_space(s);
    if (json_at(s, close)) {
        s->p++;
        return 0;
    }
    while (again > 0) {
        if (close == '}' && (json_take_string(s, plain, NULL) < 0 || json_colon(s) < 0))
            return -1;
        if (json_value(s, plain, depth + 1) < 0)
            return -1;
        again = json_comma(s, close);
    }
    return again;
}

int json_value(struct json *s, struct buf *plain, int depth)
{
    switch (s->p < s->end ? *s->p : 0) {
    case '"':
        return json_take_string(s, plain, NULL);
    case '{':
        return group(s, plain, '}', depth);
    case '[':
        return group(s, plain, ']', depth);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    default:
        return number(s);
    }
}

/* ---- writing ---- */

/* The length of the character at p: *whole says if it is one, else how far it could be. */
static size_t utf8_step(const unsigned char *p, const unsigned char *end, int *whole)
{
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4, i;
    unsigned char low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    *whole = 0;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 1;
    for (i = 1; i < n; i++) {
        if (p + i == end || p[i] < low || p[i] > high)
            return i;
        low = 0x80;
        high = 0xbf;
    }
    *whole = 1;
    return n;
}

/* The length of the whole characters beyond ASCII at p; of one broken one, where it is first. */
static size_t utf8_run(const unsigned char *p, const unsigned char *end, int *whole)
{
    size_t n = utf8_step(p, end, whole), step;
    int good = *whole;

    while (good && p + n < end && p[n] >= 0x80) {
        step = utf8_step(p + n, end, &good);
        n += good ? step : 0;
    }
    return n;
}

static unsigned char *escape(unsigned char *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef", short_form[] = "btn?fr";

    *to++ = '\\';
    if (c == '"' || c == '\\') {
        *to++ = c;
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        *to++ = (unsigned char)short_form[c - '\b'];
    } else {
        *to++ = 'u';
        *to++ = '0';
        *to++ = '0';
        *to++ = (unsigned char)hex[c >> 4];
        *to++ = (unsigned char)hex[c & 15];
    }
    return to;
}

void json_write_string(struct buf *b, struct bytes s)
{
    static const unsigned char replacement[] = { 0xef, 0xbf, 0xbd };    // U+FFFD
    const unsigned char *p = s.p, *end = bytes_end(s);
    unsigned char *to;

    buf_need(b, b->n + s.n + s.n / 8 + 64);
    to = b->p + b->n;
    *to++ = '"';
    while (p < end) {
        size_t n = quiet(p, end, 1);
        int whole = 1;

        if (n == 0 && *p >= 0x80)
            n = utf8_run(p, end, &whole);
        if ((size_t)(b->p + b->cap - to) < (size_t)(end - p) + 16) {
            b->n = (size_t)(to - b->p);
            buf_need(b, b->n + (size_t)(end - p) + (size_t)(end - p) / 2 + 64);
            to = b->p + b->n;
        }
        if (n == 0) {
            to = escape(to, *p++);
            continue;
        }
        memcpy(to, whole ? p : replacement, whole ? n : sizeof(replacement));
        to += whole ? n : sizeof(replacement);
        p += n;
    }
    *to++ = '"';
    b->n = (size_t)(to - b->p);
}
