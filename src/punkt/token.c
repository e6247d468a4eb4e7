/* token.c - see token.h. A token is, in this order: a run of hyphens or of full stops, or full
 * stops with white space between; else a word; else one character. Line ends end tokens. */
#include <string.h>
#include <unicode/uchar.h>

#include "punkt/token.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum {
    SPACE = PUNKT_SPACE | PUNKT_LOOK,
    MAYBE = PUNKT_MAYBE | PUNKT_LOOK,
    ENDS = PUNKT_ENDS_WORD | PUNKT_LOOK,
    SHUT = PUNKT_CLOSER | PUNKT_ENDS_WORD | PUNKT_LOOK,
    NOT = PUNKT_NO_START,
};

const unsigned char punkt_class[256] = {
    ['\t'] = SPACE,
    ['\n'] = SPACE,
    ['\v'] = SPACE,
    ['\f'] = SPACE,
    ['\r'] = SPACE,
    [' '] = SPACE,
    [0x1C] = MAYBE,
    [0x1D] = MAYBE,
    [0x1E] = MAYBE,
    [0x1F] = MAYBE,
    [0xC2] = MAYBE,
    [0xE1] = MAYBE,
    [0xE2] = MAYBE,
    [0xE3] = MAYBE,
    ['.'] = PUNKT_MARK | PUNKT_LOOK,
    ['?'] = PUNKT_MARK | ENDS,
    ['!'] = PUNKT_MARK | ENDS,
    [')'] = SHUT | NOT,
    ['"'] = SHUT | NOT,
    ['}'] = SHUT | NOT,
    [']'] = SHUT | NOT,
    ['\''] = SHUT,
    [';'] = ENDS | NOT,
    ['*'] = ENDS | NOT,
    [':'] = ENDS | NOT,
    ['@'] = ENDS | NOT,
    ['('] = ENDS | NOT,
    ['{'] = ENDS | NOT,
    ['['] = ENDS | NOT,
    ['`'] = NOT,
    ['&'] = NOT,
    ['#'] = NOT,
    ['-'] = PUNKT_LOOK | NOT,
    [','] = PUNKT_LOOK | NOT,
};

static const struct bytes NUMBER = { (const unsigned char *)"##number##", 10 };

size_t punkt_space(const unsigned char *p, const unsigned char *end)
{
    int len;

    if (p == end || !(punkt_class[*p] & (PUNKT_SPACE | PUNKT_MAYBE)))
        return 0;
    if (punkt_class[*p] & PUNKT_SPACE)
        return 1;
    return unicode_is_space(utf8_get(p, (size_t)(end - p), &len)) ? (size_t)len : 0;
}

/* The length of ". " when p begins with it, on one line. */
static size_t spaced_dot(const unsigned char *p, const unsigned char *end)
{
    size_t n;

    if (end - p < 2 || *p != '.' || p[1] == '\n')
        return 0;
    n = punkt_space(p + 1, end);
    return n ? 1 + n : 0;
}

/* Whether p begins with --, .. or ". . ." */
static int is_run(const unsigned char *p, const unsigned char *end)
{
    size_t a, b;

    if (end - p < 2)
        return 0;
    if (p[0] == p[1])
        return *p == '-' || *p == '.';
    if (*p != '.' || !(a = spaced_dot(p, end)) || !(b = spaced_dot(p + a, end)))
        return 0;
    return p + a + b < end && p[a + b] == '.';
}

/* The end of what is_run() saw. */
static const unsigned char *run_end(const unsigned char *p, const unsigned char *end)
{
    unsigned char c = *p;
    size_t n;

    if (p[1] == c) {
        while (p < end && *p == c)
            p++;
        return p;
    }
    while ((n = spaced_dot(p, end)) && p + n < end && p[n] == '.')
        p += n;
    return p + 1;
}

/* Whether a word ends before p. */
static int ends_word(const unsigned char *p, const unsigned char *end)
{
    if (p == end || punkt_class[*p] & PUNKT_ENDS_WORD || punkt_space(p, end))
        return 1;
    if (*p == '-' || *p == '.')
        return is_run(p, end);
    return *p == ',' && (p + 1 == end || punkt_class[p[1]] & PUNKT_ENDS_WORD ||
                         punkt_space(p + 1, end) || is_run(p + 1, end));
}

static const unsigned char *word_end(const unsigned char *p, const unsigned char *end)
{
    for (p++; p < end; p++)
        if (punkt_class[*p] & PUNKT_LOOK && ends_word(p, end))
            break;
    return p;
}

int punkt_token_next(struct bytes *rest, struct punkt_token *t)
{
    const unsigned char *p = rest->p, *end = bytes_end(*rest);
    size_t len, n_line = 0;
    int n;

    for (; (len = punkt_space(p, end)); p += len)
        n_line += *p == '\n';
    memset(t, 0, sizeof(*t));
    t->s.p = p;
    if (p == end) {
        *rest = (struct bytes){ p, 0 };
        return 0;
    }
    if (is_run(p, end)) {
        p = run_end(p, end);
    } else if (punkt_class[*p] & PUNKT_NO_START) {
        p++;
    } else {
        utf8_get(p, (size_t)(end - p), &n);
        p = word_end(p + n - 1, end);
    }
    t->s.n = (size_t)(p - t->s.p);
    t->new_line = n_line > 0;
    t->new_part = n_line > 1;
    t->dot = p[-1] == '.';
    *rest = (struct bytes){ p, (size_t)(end - p) };
    return 1;
}

/* s.p[i..] begins with a decimal digit: its length, else 0. */
static size_t digit_at(struct bytes s, size_t i)
{
    int len;

    if (i >= s.n)
        return 0;
    if (s.p[i] < 0x80)
        return s.p[i] >= '0' && s.p[i] <= '9';
    return unicode_is_digit(utf8_get(s.p + i, s.n - i, &len)) ? (size_t)len : 0;
}

/* A sign, a point or comma, a digit; then digits, commas, points, hyphens. */
static int is_number(struct bytes s)
{
    size_t i = s.n && s.p[0] == '-', len;

    i += i < s.n && (s.p[i] == '.' || s.p[i] == ',');
    if (!digit_at(s, i))
        return 0;
    for (; i < s.n; i += len) {
        len = s.p[i] == '.' || s.p[i] == ',' || s.p[i] == '-' ? 1 : digit_at(s, i);
        if (!len)
            return 0;
    }
    return 1;
}

/* What regular expressions call a word character, but no decimal digit. */
static int is_letter(uint32_t c)
{
    return c == '_' || (c <= 0x10FFFF &&
                        U_GET_GC_MASK((UChar32)c) & (U_GC_L_MASK | U_GC_NL_MASK | U_GC_NO_MASK));
}

int punkt_is_mark(unsigned char c)
{
    return punkt_class[c] & PUNKT_MARK;
}

/* How many characters of s are letters, and how many are not. */
static void count_letters(struct bytes s, size_t n[2])
{
    size_t i;
    int len;

    n[0] = n[1] = 0;
    for (i = 0; i < s.n; i += (size_t)len)
        n[!is_letter(utf8_get(s.p + i, s.n - i, &len))]++;
}

int punkt_is_letters(struct bytes s)
{
    size_t n[2];

    count_letters(s, n);
    return n[0] && !n[1];
}

int punkt_has_letter(struct bytes s)
{
    size_t n[2];

    count_letters(s, n);
    return n[0] > 0;
}

static int is_ellipsis(struct bytes s)
{
    size_t i;

    for (i = 0; i < s.n && s.p[i] == '.'; i++)
        ;
    return i == s.n && s.n > 1;
}

void punkt_token_type(struct punkt_token *t, struct buf *room)
{
    uint32_t c;
    int len;

    c = utf8_get(t->s.p, t->s.n, &len);
    if (c < 0x80) {
        t->upper = c >= 'A' && c <= 'Z';
        t->lower = c >= 'a' && c <= 'z';
    } else if (c != UTF8_BAD) {
        t->upper = u_isUUppercase((UChar32)c);
        t->lower = u_isULowercase((UChar32)c);
    }
    t->initial = t->dot && t->s.n == (size_t)len + 1 && is_letter(c);
    t->ellipsis = is_ellipsis(t->s);
    t->number = is_number(t->s);
    buf_reset(room);
    unicode_lower(room, t->s);
    t->type = t->number ? NUMBER : buf_bytes(room);
}

struct bytes punkt_token_bare(const struct punkt_token *t)
{
    struct bytes s = t->type;

    s.n -= s.n > 1 && s.p[s.n - 1] == '.';
    return s;
}

struct bytes punkt_token_said(const struct punkt_token *t)
{
    return t->ends ? punkt_token_bare(t) : t->type;
}
