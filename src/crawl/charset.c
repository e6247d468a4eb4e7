/* charset.c - see charset.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include "crawl/charset.h"
#include "text/utf8.h"

enum {
    META_WITHIN = 1024,    // bytes in which a meta element is believed
    LOOK_AT = 1 << 14,     // bytes that tell what a body looks like
    PIVOT = 1 << 12,       // UTF-16 units at once
};

static size_t mark_length(struct bytes s, const char **encoding)
{
    static const struct {
        const char *mark, *encoding;
        size_t n;
    } rows[] = { { "\xEF\xBB\xBF", "UTF-8", 3 },
                 { "\xFE\xFF", "UTF-16BE", 2 },
                 { "\xFF\xFE", "UTF-16LE", 2 } };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (s.n >= rows[i].n && !memcmp(s.p, rows[i].mark, rows[i].n)) {
            *encoding = rows[i].encoding;
            return rows[i].n;
        }
    return 0;
}

static int is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* Behind the first word in s, in any case of letters; NULL when it is not there. */
static const unsigned char *behind(struct bytes s, const char *word)
{
    size_t n = strlen(word), i;

    for (i = 0; i + n <= s.n; i++)
        if (!strncasecmp((const char *)s.p + i, word, n))
            return s.p + i + n;
    return NULL;
}

/* The encoding of the first "charset = label" in s that means one; quotes may be there. */
static const char *by_charset(struct bytes s)
{
    const unsigned char *p, *end = bytes_end(s), *label;

    while (s.n && (p = behind(s, "charset"))) {
        const char *found;

        s = (struct bytes){ p, (size_t)(end - p) };
        while (p < end && is_blank(*p))
            p++;
        if (p == end || *p != '=')
            continue;
        for (p++; p < end && (is_blank(*p) || *p == '"' || *p == '\'');)
            p++;
        for (label = p; p < end && !is_blank(*p) && !strchr("\"';,/>", *p);)
            p++;
        found = charset_find((struct bytes){ label, (size_t)(p - label) });
        if (found)
            return found;
    }
    return NULL;
}

/* By a meta element. One that says UTF-16 could not have been read: it means UTF-8. */
static const char *by_meta(struct bytes body)
{
    const unsigned char *p, *end, *close;

    body.n = body.n < META_WITHIN ? body.n : META_WITHIN;
    end = bytes_end(body);
    while (body.n && (p = behind(body, "<meta"))) {
        const char *found;

        close = memchr(p, '>', (size_t)(end - p));
        if (!close)
            close = end;
        found = by_charset((struct bytes){ p, (size_t)(close - p) });
        if (found)
            return strncmp(found, "UTF-16", 6) ? found : "UTF-8";
        body = (struct bytes){ close, (size_t)(end - close) };
    }
    return NULL;
}

/* What the bytes look like; windows-1252 when nobody can tell. */
static const char *by_look(struct bytes body)
{
    UErrorCode e = U_ZERO_ERROR;
    UCharsetDetector *d = ucsdet_open(&e);
    const UCharsetMatch *m;
    const char *name = NULL;

    ucsdet_setText(d, (const char *)body.p, (int32_t)(body.n < LOOK_AT ? body.n : LOOK_AT), &e);
    ucsdet_enableInputFilter(d, 1);    // without what stands in <>
    m = ucsdet_detect(d, &e);
    if (U_SUCCESS(e) && m)
        name = ucsdet_getName(m, &e);
    if (U_SUCCESS(e) && name)
        name = charset_find((struct bytes){ (const unsigned char *)name, strlen(name) });
    else
        name = NULL;
    ucsdet_close(d);
    return name ? name : "windows-1252";
}

const char *charset_of(struct bytes body, struct bytes content_type)
{
    const char *found = NULL;

    if (mark_length(body, &found) || (found = by_charset(content_type)) || (found = by_meta(body)))
        return found;
    return utf8_valid(body) ? "UTF-8" : by_look(body);
}

/* Append what p holds, but no NUL. */
static void put(struct buf *out, const unsigned char *p, size_t n)
{
    const unsigned char *end = bytes_end((struct bytes){ p, n }), *nul;

    while (n && (nul = memchr(p, 0, n))) {
        buf_add(out, p, (size_t)(nul - p));
        p = nul + 1;
        n = (size_t)(end - p);
    }
    buf_add(out, p, n);
}

/* UTF-8 that may be broken: each byte that begins no character becomes U+FFFD. */
static uint64_t mend_utf8(struct bytes s, struct buf *out)
{
    const unsigned char *p = s.p, *end = bytes_end(s), *good = p;
    uint64_t bad = 0;
    int len;

    while (p < end) {
        if (utf8_get(p, (size_t)(end - p), &len) == UTF8_BAD) {
            put(out, good, (size_t)(p - good));
            buf_add_str(out, "\xEF\xBF\xBD");
            bad++;
            good = p + 1;
        }
        p += len;
    }
    put(out, good, (size_t)(end - good));
    return bad;
}

static uint64_t count_marks(const UChar *p, const UChar *end)
{
    uint64_t n = 0;

    for (; p < end; p++)
        n += *p == 0xFFFD;
    return n;
}

/* UTF-16 as UTF-8; lone is the first half of a pair that goes on in the next piece. */
static void put_utf16(struct buf *out, const UChar *p, const UChar *end, UChar *lone)
{
    buf_need(out, out->n + 3 * (size_t)(end - p) + 8);
    for (; p < end; p++) {
        uint32_t c = *p;

        if (*lone && U16_IS_TRAIL(c)) {
            c = (uint32_t)U16_GET_SUPPLEMENTARY(*lone, c);
            *lone = 0;
        } else if (U16_IS_LEAD(c)) {
            *lone = (UChar)c;
            continue;
        }
        if (c && !U16_IS_SURROGATE(c))
            out->n += (size_t)utf8_put(out->p + out->n, c);
    }
}

static uint64_t convert(UConverter *cnv, struct bytes s, struct buf *out)
{
    const char *p = (const char *)s.p, *end = (const char *)bytes_end(s);
    UChar pivot[PIVOT], *to, lone = 0;
    uint64_t bad = 0;
    UErrorCode e;

    do {
        e = U_ZERO_ERROR;
        to = pivot;
        ucnv_toUnicode(cnv, &to, pivot + PIVOT, &p, end, NULL, 1, &e);
        bad += count_marks(pivot, to);
        put_utf16(out, pivot, to, &lone);
    } while (e == U_BUFFER_OVERFLOW_ERROR);
    return bad;
}

uint64_t charset_decode(const char *encoding, struct bytes body, struct buf *out)
{
    const char *marked = encoding;
    size_t mark = mark_length(body, &marked);
    UErrorCode e = U_ZERO_ERROR;
    UConverter *cnv;
    uint64_t bad;

    if (mark && !strcmp(marked, encoding))
        body = (struct bytes){ body.p + mark, body.n - mark };
    if (!strcmp(encoding, "UTF-8") && utf8_valid(body)) {
        put(out, body.p, body.n);
        return 0;
    }
    cnv = strcmp(encoding, "UTF-8") ? ucnv_open(encoding, &e) : NULL;
    if (!cnv)
        return mend_utf8(body, out);
    bad = convert(cnv, body, out);
    ucnv_close(cnv);
    return bad;
}
