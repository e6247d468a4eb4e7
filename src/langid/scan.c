/* scan.c - see scan.h.
 *
 * cld3 cuts spans at 40,928 bytes; it never meets one, since it looks at 10,000 bytes of a page.
 * We do not cut, however much we are told to look at.
 */
#include <stdint.h>
#include <string.h>

#include "langid/scan.h"
#include "langid/script.h"
#include "text/utf8.h"

enum {
    CHUNK = 48,          // of the squeeze
    MOST_SPACES = 14,    // a chunk with so many spaces, three tenths of it, is left out
    PREDICTED = 19,      // or with so many predicted bytes, two fifths
    TO_SPACE = 32,       // how far to look for a space at its ends
    TABLE = 4096,
    N_SNIPPET = 5,
};

/* What a byte is: of ASCII, or one that has to be looked at. */
enum { ODD, LETTER, OTHER };

static const unsigned char ascii[256] = {
    // clang-format off
    ['\t'] = OTHER, ['\n'] = OTHER, ['\f'] = OTHER, ['\r'] = OTHER,
    [' '] = OTHER, ['!'] = OTHER, ['"'] = OTHER, ['#'] = OTHER, ['$'] = OTHER, ['%'] = OTHER,
    ['&'] = OTHER, ['\''] = OTHER, ['('] = OTHER, [')'] = OTHER, ['*'] = OTHER, ['+'] = OTHER,
    [','] = OTHER, ['-'] = OTHER, ['.'] = OTHER, ['/'] = OTHER, ['0'] = OTHER, ['1'] = OTHER,
    ['2'] = OTHER, ['3'] = OTHER, ['4'] = OTHER, ['5'] = OTHER, ['6'] = OTHER, ['7'] = OTHER,
    ['8'] = OTHER, ['9'] = OTHER, [':'] = OTHER, [';'] = OTHER, ['<'] = OTHER, ['='] = OTHER,
    ['>'] = OTHER, ['?'] = OTHER, ['@'] = OTHER, ['['] = OTHER, ['\\'] = OTHER, [']'] = OTHER,
    ['^'] = OTHER, ['_'] = OTHER, ['`'] = OTHER, ['{'] = OTHER, ['|'] = OTHER, ['}'] = OTHER,
    ['~'] = OTHER,
    ['A'] = LETTER, ['B'] = LETTER, ['C'] = LETTER, ['D'] = LETTER, ['E'] = LETTER, ['F'] = LETTER,
    ['G'] = LETTER, ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER, ['K'] = LETTER, ['L'] = LETTER,
    ['M'] = LETTER, ['N'] = LETTER, ['O'] = LETTER, ['P'] = LETTER, ['Q'] = LETTER, ['R'] = LETTER,
    ['S'] = LETTER, ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER, ['W'] = LETTER, ['X'] = LETTER,
    ['Y'] = LETTER, ['Z'] = LETTER, ['a'] = LETTER, ['b'] = LETTER, ['c'] = LETTER, ['d'] = LETTER,
    ['e'] = LETTER, ['f'] = LETTER, ['g'] = LETTER, ['h'] = LETTER, ['i'] = LETTER, ['j'] = LETTER,
    ['k'] = LETTER, ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER, ['o'] = LETTER, ['p'] = LETTER,
    ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER, ['u'] = LETTER, ['v'] = LETTER,
    ['w'] = LETTER, ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
    // clang-format on
};

struct scan {
    const struct scripts *scripts;
    const unsigned char *p, *end;    // to be read; end moves back to what is not fit
    const unsigned char *stop;       // end of the text: one looks ahead past a cut
};

/* The entry of the character at p and its length; SCRIPT_NONE when there is none before end. */
static inline int32_t entry_at(const struct scripts *t, const unsigned char *p,
                               const unsigned char *end, size_t *len)
{
    size_t n = (size_t)(end - p);
    uint32_t c = *p;

    *len = 1;
    if (c < 0x80)
        return script_entry(t, c);
    if (c < 0xE0 && n >= 2) {
        *len = 2;
        c = (c & 0x1F) << 6 | (p[1] & 0x3F);
        return (p[1] & 0xC0) == 0x80 && *p >= 0xC2 ? script_entry(t, c) : SCRIPT_NONE;
    }
    if (c >= 0xE0 && c < 0xF0 && n >= 3) {
        *len = 3;
        c = (c & 0xF) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        return (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80 && c >= 0x800 ? script_entry(t, c)
                                                                            : SCRIPT_NONE;
    }
    if (c >= 0xF0 && n >= 4) {
        int bytes;

        c = utf8_get(p, n, &bytes);
        *len = 4;
        return c == UTF8_BAD ? SCRIPT_NONE : script_entry(t, c);
    }
    return SCRIPT_NONE;
}

/* The script of what follows at p: SCRIPT_COMMON where nothing does. */
static int script_ahead(const struct scan *s, const unsigned char *p)
{
    size_t len;
    int script = p < s->stop ? entry_at(s->scripts, p, s->stop, &len) & 0xFF : SCRIPT_COMMON;

    return script == SCRIPT_NONE ? SCRIPT_COMMON : script;
}

/* A letter of another script than the span's ends it, unless the letter after it is the span's
 * again or there is no letter after it. */
static int ends_span(const struct scan *s, int script, int span, size_t len)
{
    int next;

    if (script == span || script == SCRIPT_INHERITED)
        return 0;
    if (script == SCRIPT_COMMON)
        return 1;
    next = script_ahead(s, s->p + len);
    return next != SCRIPT_COMMON && next != span;
}

static inline unsigned char *put_lower(unsigned char *to, const unsigned char *p, size_t len,
                                       int32_t entry)
{
    uint32_t c;
    int bytes;

    if (entry < 256 && entry >= 0) {    // as it is
        to[0] = p[0];
        if (len > 1)
            to[1] = p[1];
        if (len > 2)
            to[2] = p[2];
        if (len > 3)
            to[3] = p[3];
        return to + len;
    }
    if (len == 1) {
        *to = *p | 0x20;
        return to + 1;
    }
    c = utf8_get(p, len, &bytes);
    return to + utf8_put(to, c + (uint32_t)((entry - (entry & 0xFF)) / 256));
}

#define ONES 0x0101010101010101u
#define HIGH 0x8080808080808080u

/* ASCII letters at s->p, lower-cased, eight at a time where there are eight bytes. */
static inline unsigned char *put_ascii(struct scan *s, unsigned char *to)
{
    const unsigned char *p = s->p;

    while (s->end - p >= 8) {
        uint64_t x, low, other;

        memcpy(&x, p, 8);
        low = x | 0x20 * ONES;
        other = low & ~HIGH;
        other = ~((other + (0x80 - 'a') * ONES) & ~(other + (0x7F - 'z') * ONES) & ~x) & HIGH;
        memcpy(to, &low, 8);
        if (other) {
            size_t n = (size_t)__builtin_ctzll(other) >> 3;

            s->p = p + n;
            return to + n;
        }
        p += 8;
        to += 8;
    }
    for (; p < s->end && (unsigned)(*p | 0x20) - 'a' < 26; p++)
        *to++ = *p | 0x20;
    s->p = p;
    return to;
}

/* Skip what is no letter: the script of the letter at s->p then, SCRIPT_COMMON at the end. */
static inline int skip_others(struct scan *s)
{
    for (;;) {
        size_t len;
        int script;

        while (s->p < s->end && ascii[*s->p] == OTHER)
            s->p++;
        if (s->p >= s->end)
            return SCRIPT_COMMON;
        if (ascii[*s->p] == LETTER)
            return SCRIPT_LATIN;
        script = entry_at(s->scripts, s->p, s->end, &len) & 0xFF;
        if (script == SCRIPT_NONE)
            s->end = s->p;
        else if (script != SCRIPT_COMMON)
            return script;
        else
            s->p += len;
    }
}

/* The letters of the span that begin at s->p. */
static unsigned char *put_letters(struct scan *s, int span, unsigned char *to)
{
    for (;;) {
        size_t len;
        int32_t entry;
        int script;

        if (span == SCRIPT_LATIN)
            to = put_ascii(s, to);
        if (s->p >= s->end || ascii[*s->p] == OTHER)
            return to;
        entry = entry_at(s->scripts, s->p, s->end, &len);
        script = entry & 0xFF;
        if (script == SCRIPT_NONE) {
            s->end = s->p;
            return to;
        }
        if (script != span && ends_span(s, script, span, len))
            return to;
        to = put_lower(to, s->p, len, entry);
        s->p += len;
    }
}

/* One span: where its text ends, NULL when there is none any more. */
static unsigned char *put_span(struct scan *s, unsigned char *to, int *of)
{
    int span = skip_others(s), script;

    if (span == SCRIPT_COMMON)
        return NULL;
    *of = span;
    *to++ = ' ';
    do {
        to = put_letters(s, span, to);
        *to++ = ' ';
        script = skip_others(s);
    } while (script == span || script == SCRIPT_INHERITED);
    return to;
}

static struct scan scan_start(struct bytes text, size_t max)
{
    struct scan s = { scripts_get(), text.p, text.p + (text.n < max ? text.n : max),
                      bytes_end(text) };

    return s;
}

void scan_clean(struct buf *out, struct bytes text, size_t max)
{
    struct scan s;
    unsigned char *to, *next;
    int script;

    if (!text.n)
        return;
    s = scan_start(text, max);
    /* A span of one byte becomes three, a letter of two bytes at most three; eight are written
     * at a time. */
    buf_need(out, out->n + 3 * (size_t)(s.end - s.p) + 16);
    to = out->p + out->n;
    while ((next = put_span(&s, to, &script)))
        to = next;
    out->n = (size_t)(to - out->p);
}

static size_t count_spaces(const unsigned char *p, size_t n)
{
    size_t count = 0, i;

    for (i = 0; i + 8 <= n; i += 8) {
        uint64_t x;

        memcpy(&x, p + i, 8);
        x ^= ' ' * ONES;    // spaces are the bytes of 0
        x = ~(((x & ~HIGH) + ~HIGH) | x) & HIGH;
        count += (x >> 7) * ONES >> 56;
    }
    for (; i < n; i++)
        count += p[i] == ' ';
    return count;
}

/* A character as the squeeze sees it: its bytes, the first at bit 8, 16 or 24. */
static inline uint32_t packed(const unsigned char *p, size_t *len)
{
    uint32_t c = *p;

    *len = 1;
    if (c < 0xC0)
        return c;
    if (c < 0xE0) {
        *len = 2;
        return c << 8 | p[1];
    }
    if (c < 0xF0) {
        *len = 3;
        return c << 16 | (uint32_t)p[1] << 8 | p[2];
    }
    *len = 4;
    return c << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* How many bytes of whole characters in [p, end) the table foresees. */
static size_t count_predicted(const unsigned char *p, const unsigned char *end, uint32_t *hash,
                              uint32_t *table)
{
    size_t count = 0, len;
    uint32_t h = *hash;

    while (p < end) {
        uint32_t c = packed(p, &len), *t = &table[h];

        count += len & -(size_t)(*t == c);
        *t = c;
        h = (h << 4 ^ c) % TABLE;
        p += len;
    }
    *hash = h;
    return count;
}

/* Bytes from p back to a space (p - n - 1 is one), or to the start of a character. */
static size_t back_to_space(const unsigned char *p, size_t limit)
{
    size_t n;

    limit = limit < TO_SPACE ? limit : TO_SPACE;
    for (n = 0; n < limit; n++)
        if (p[-(ptrdiff_t)n - 1] == ' ')
            return n;
    for (n = 0; n < limit; n++)
        if ((p[-(ptrdiff_t)n] & 0xC0) != 0x80)
            return n;
    return 0;
}

static size_t on_to_space(const unsigned char *p, size_t limit)
{
    size_t n;

    limit = limit < TO_SPACE ? limit : TO_SPACE;
    for (n = 0; n < limit; n++)
        if (p[n] == ' ')
            return n + 1;
    return 0;    // a chunk starts at a character
}

size_t scan_squeeze(unsigned char *p, size_t n)
{
    uint32_t table[TABLE] = { 0 }, hash = 0;
    unsigned char *to = p, *src = p, *end = p + n;
    int skipping = 0;

    while (src < end) {
        size_t len = (size_t)(end - src) < CHUNK ? (size_t)(end - src) : CHUNK, spaces, predicted;

        while ((src[len] & 0xC0) == 0x80)
            len++;
        spaces = count_spaces(src, len & ~(size_t)3);
        predicted = count_predicted(src, src + len, &hash, table);
        if (spaces >= MOST_SPACES || predicted >= PREDICTED) {
            if (!skipping) {
                to -= back_to_space(to, (size_t)(to - p));
                if (to == p)
                    *to++ = ' ';
            }
            skipping = 1;
        } else {
            size_t skip = skipping ? on_to_space(src, len) : 0;

            if (to != src + skip)
                memmove(to, src + skip, len - skip);
            to += len - skip;
            skipping = 0;
        }
        src += len;
    }
    return (size_t)(to - p);
}

/* Whole characters in at most n of valid text. */
static size_t whole(struct bytes text, size_t n)
{
    if (n >= text.n)
        return text.n;
    while (n && (text.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

void scan_snippets(struct buf *out, struct bytes text, size_t max)
{
    size_t apart, i;

    if (text.n <= max) {
        buf_add(out, text.p, text.n);
        return;
    }
    apart = (text.n - max) / (N_SNIPPET + 1);
    for (i = 0; i < N_SNIPPET; i++) {
        size_t skip = whole(text, apart), n;

        text.p += skip;
        text.n -= skip;
        n = whole(text, max / N_SNIPPET);
        buf_add(out, text.p, n);
        buf_add_byte(out, ' ');
        text.p += n;
        text.n -= n;
    }
}

int scan_first_script(struct bytes text)
{
    struct scan s;
    int span, script;
    size_t hangul = 0, all = 0, len;

    if (!text.n)
        return SCRIPT_COMMON;
    s = scan_start(text, text.n);
    span = skip_others(&s);
    if (span != SCRIPT_HAN)
        return span;
    do {
        while (s.p < s.end) {
            script = entry_at(s.scripts, s.p, s.end, &len) & 0xFF;
            if (script == SCRIPT_NONE || (script != span && ends_span(&s, script, span, len)))
                break;
            all++;
            if (script == SCRIPT_HAN && len == 3) {
                int bytes;

                hangul += script_split_han(utf8_get(s.p, len, &bytes)) == SCRIPT_HANGUL;
            }
            s.p += len;
        }
        script = skip_others(&s);
    } while (script == span || script == SCRIPT_INHERITED);
    return 2 * hangul > all ? SCRIPT_HANGUL : SCRIPT_HAN;
}
