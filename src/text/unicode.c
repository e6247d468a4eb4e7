/* unicode.c - see unicode.h. ASCII goes by a table; the rest asks ICU or small switches. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>

#include "text/unicode.h"
#include "text/utf8.h"

#define ASCII_NOT 0x8080808080808080u    // the top bits of eight bytes

enum { SPACE = 1, LINE_END = 2, MAYBE = 4 };    // MAYBE: the first byte of a longer one

static const unsigned char class_of[256] = {
    ['\t'] = SPACE,
    ['\n'] = SPACE | LINE_END,
    ['\v'] = SPACE | LINE_END,
    ['\f'] = SPACE | LINE_END,
    ['\r'] = SPACE | LINE_END,
    [0x1C] = SPACE | LINE_END,
    [0x1D] = SPACE | LINE_END,
    [0x1E] = SPACE | LINE_END,
    [0x1F] = SPACE,
    [' '] = SPACE,
    [0xC2] = MAYBE,
    [0xE1] = MAYBE,
    [0xE2] = MAYBE,
    [0xE3] = MAYBE,
};

int unicode_is_space(uint32_t c)
{
    if (c < 0x80)
        return class_of[c] & SPACE;
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

int unicode_is_line_end(uint32_t c)
{
    if (c < 0x80)
        return class_of[c] & LINE_END;
    return c == 0x85 || c == 0x2028 || c == 0x2029;
}

int unicode_is_digit(uint32_t c)
{
    if (c < 0x80)
        return c >= '0' && c <= '9';
    return c <= 0x10FFFF && u_isdigit((UChar32)c);
}

/* The length of the white space that p begins with, 0 when none. */
static int space_at(const unsigned char *p, size_t n)
{
    int len;

    if (class_of[*p] & SPACE)
        return 1;
    if (!(class_of[*p] & MAYBE))
        return 0;
    return unicode_is_space(utf8_get(p, n, &len)) ? len : 0;
}

struct bytes unicode_strip(struct bytes s)
{
    uint32_t c;
    int len;

    while (s.n && (len = space_at(s.p, s.n))) {
        s.p += len;
        s.n -= (size_t)len;
    }
    while (s.n) {
        if (s.p[s.n - 1] < 0x80) {
            if (!(class_of[s.p[s.n - 1]] & SPACE))
                break;
            s.n--;
            continue;
        }
        c = utf8_get_last(s.p, s.n, &len);
        if (c == UTF8_BAD || !unicode_is_space(c))
            break;
        s.n -= (size_t)len;
    }
    return s;
}

int unicode_line(struct bytes *rest, struct bytes *line)
{
    const unsigned char *p = rest->p, *end = bytes_end(*rest);
    int len = 0;

    if (!rest->n)
        return 0;
    for (; p < end; p++) {
        if (!(class_of[*p] & (LINE_END | MAYBE)))
            continue;
        if (unicode_is_line_end(utf8_get(p, (size_t)(end - p), &len)))
            break;
    }
    line->p = rest->p;
    line->n = (size_t)(p - rest->p);
    if (p < end)
        p += *p == '\r' && end - p > 1 && p[1] == '\n' ? 2 : len;
    rest->p = p;
    rest->n = (size_t)(end - p);
    return 1;
}

int unicode_word(struct bytes *rest, struct bytes *word)
{
    const unsigned char *p = rest->p, *end = bytes_end(*rest);
    int len;

    while (p < end && (len = space_at(p, (size_t)(end - p))))
        p += len;
    word->p = p;
    while (p < end && !space_at(p, (size_t)(end - p)))
        p++;
    word->n = (size_t)(p - word->p);
    rest->p = p;
    rest->n = (size_t)(end - p);
    return word->n > 0;
}

/* Whether the capital sigma at s.p + at ends a word: a cased letter before it and none
 * after it, looking past what case ignores (Unicode, Final_Sigma). */
static int is_final_sigma(struct bytes s, size_t at)
{
    size_t i = at;
    uint32_t c = 0;
    int len;

    for (; i; i -= (size_t)len) {
        c = utf8_get_last(s.p, i, &len);
        if (c == UTF8_BAD || !u_hasBinaryProperty((UChar32)c, UCHAR_CASE_IGNORABLE))
            break;
    }
    if (!i || c == UTF8_BAD || !u_hasBinaryProperty((UChar32)c, UCHAR_CASED))
        return 0;
    for (i = at + 2; i < s.n; i += (size_t)len) {
        c = utf8_get(s.p + i, s.n - i, &len);
        if (c == UTF8_BAD || !u_hasBinaryProperty((UChar32)c, UCHAR_CASE_IGNORABLE))
            break;
    }
    return i == s.n || c == UTF8_BAD || !u_hasBinaryProperty((UChar32)c, UCHAR_CASED);
}

/* Whether a code point that begins with this byte can have a lower case: Latin to Armenian,
 * Georgian and Cherokee and Latin again, letter-like signs to Coptic, Cyrillic B, full width, and
 * all past the first plane. A test asks every code point. */
static int may_change(unsigned char lead)
{
    return (lead >= 0xC3 && lead <= 0xD5) || lead == 0xE1 || lead == 0xE2 || lead == 0xEA ||
           lead == 0xEF || lead >= 0xF0;
}

static unsigned char lower_ascii(unsigned char c)
{
    return (unsigned char)(c + ((unsigned char)(c - 'A') < 26) * 32);
}

/* Eight letters at once, none beyond ASCII: 0x20 is added to those in A to Z. */
static uint64_t lower_ascii_8(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t from_a = w + (0x80 - 'A') * ones, past_z = w + (0x80 - 'Z' - 1) * ones;

    return w + (((from_a & ~past_z) & (0x80 * ones)) >> 2);
}

/* Lower cases of U+0080 to U+07FF, of all but the two that are not simple; 0: not of two bytes. */
static uint16_t two_bytes[0x800];
static pthread_once_t two_bytes_once = PTHREAD_ONCE_INIT;

static void two_bytes_make(void)
{
    uint32_t c, low;

    for (c = 0x80; c < 0x800; c++) {
        low = (uint32_t)u_tolower((UChar32)c);
        if (low >= 0x80 && low < 0x800 && c != 0x130 && c != 0x3A3)
            two_bytes[c] = (uint16_t)low;
    }
}

/* The character at s.p + i, whose lower case may be another one; returns its length. */
static size_t lower_one(unsigned char **to, struct bytes s, size_t i)
{
    int len;
    uint32_t c = utf8_get(s.p + i, s.n - i, &len);

    if (c == UTF8_BAD) {
        *(*to)++ = s.p[i];
        return 1;
    }
    if (c == 0x130) {
        *(*to)++ = 'i';
        c = 0x307;
    } else if (c == 0x3A3) {
        c = is_final_sigma(s, i) ? 0x3C2 : 0x3C3;
    } else {
        c = (uint32_t)u_tolower((UChar32)c);
    }
    *to += utf8_put(*to, c);
    return (size_t)len;
}

void unicode_lower(struct buf *b, struct bytes s)
{
    size_t i = 0;
    unsigned char *to;
    uint64_t w;

    pthread_once(&two_bytes_once, two_bytes_make);
    buf_need(b, b->n + s.n * 3 / 2 + 8);    // U+0130 grows from two bytes to three
    to = b->p + b->n;
    while (i < s.n) {
        unsigned char c = s.p[i];

        if (c < 0x80) {
            w = ASCII_NOT;
            if (s.n - i >= 8)
                memcpy(&w, s.p + i, 8);
            if (w & ASCII_NOT) {
                *to++ = lower_ascii(c);
                i++;
                continue;
            }
            w = lower_ascii_8(w);
            memcpy(to, &w, 8);
            to += 8;
            i += 8;
        } else if (!may_change(c)) {
            *to++ = s.p[i++];
            while (i < s.n && (s.p[i] & 0xC0) == 0x80)
                *to++ = s.p[i++];
        } else if (c < 0xE0 && s.n - i >= 2 && (s.p[i + 1] & 0xC0) == 0x80 &&
                   two_bytes[(c & 0x1Fu) << 6 | (s.p[i + 1] & 0x3Fu)]) {
            uint32_t low = two_bytes[(c & 0x1Fu) << 6 | (s.p[i + 1] & 0x3Fu)];

            *to++ = (unsigned char)(0xC0 | low >> 6);
            *to++ = (unsigned char)(0x80 | (low & 0x3F));
            i += 2;
        } else {
            i += lower_one(&to, s, i);
        }
    }
    b->n = (size_t)(to - b->p);
}

void unicode_lower_icu(struct buf *b, struct bytes s)
{
    int32_t n16 = 0, n = 0, cap = (int32_t)(2 * s.n + 8);
    UChar *in = xreallocarray(NULL, (size_t)cap, sizeof(*in));
    UChar *out = xreallocarray(NULL, (size_t)cap, sizeof(*out));
    UErrorCode bad = U_ZERO_ERROR;

    u_strFromUTF8(in, cap, &n16, (const char *)s.p, (int32_t)s.n, &bad);
    n16 = u_strToLower(out, cap, in, n16, "", &bad);
    buf_need(b, b->n + 3 * (size_t)cap);
    u_strToUTF8((char *)b->p + b->n, 3 * cap, &n, out, n16, &bad);
    if (U_SUCCESS(bad))
        b->n += (size_t)n;
    free(in);
    free(out);
}
