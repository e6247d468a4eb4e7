/* simplify.c - see simplify.h.
 *
 * The fast lane goes over the lowered text once. A table says of each code point below U+10000
 * whether it ends a word, is a digit, stays, goes, or becomes something else; beyond that ICU is
 * asked. Decomposing characters one by one is decomposing the text but for the order of marks that
 * stay; the few characters with such marks send the text down the slow lane, which takes the
 * definition step by step.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "base/die.h"
#include "minhash/simplify.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum class {
    KEEP,
    BREAK,    // white space and punctuation
    DIGIT,
    DROP,       // Mn
    BECOMES,    // what is left of its decomposition
    SLOW,       // has a mark that stays and may change places
    CLASS = 7,
    DENSE = 8,    // and: a letter of a script without spaces
};

enum { BMP = 0x10000, UNITS_MAX = 36 };    // code units of the longest decomposition

struct simplify {
    int dates;
    const UNormalizer2 *nfd;
    UBreakIterator *breaks;
    struct buf low, dated, out, word, wide, wider, widest;
    size_t *start, n, cap;    // of words
};

static unsigned char class_of[BMP];    // set by the first simplify_new()

static int is_punctuation(uint32_t c)
{
    static const uint16_t marks[] = {
        // datatrove's, past ASCII; controls are marks, too
        0x00AB, 0x00B4, 0x00BB, 0x2013, 0x2014, 0x2019, 0x201C, 0x201D, 0x201E,
        0x2026, 0x2236, 0x2501, 0x25BA, 0x3001, 0x3002, 0x3008, 0x3009, 0x300A,
        0x300B, 0x300C, 0x300D, 0x3010, 0x3011, 0xFF01, 0xFF05, 0xFF08, 0xFF09,
        0xFF0C, 0xFF0E, 0xFF11, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF5E,
    };
    size_t i;

    if (c < 0x80)
        return !u_isalnum((UChar32)c);
    if (c < 0xA0)
        return 1;
    for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (marks[i] == c)
            return 1;
    return 0;
}

/* U+002C and the like, between the digits of one number. */
static int is_decimal_mark(uint32_t c)
{
    return c == '.' || c == ',' || c == 0x060C || c == 0x066B || (c >= 0x2396 && c <= 0x2398);
}

static int is_dense(uint32_t c)
{
    UErrorCode bad = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript((UChar32)c, &bad);

    return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ||
           u_getIntPropertyValue((UChar32)c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT;
}

static int is_mn(UChar32 c)
{
    return u_charType(c) == U_NON_SPACING_MARK;
}

/* What is left of the decomposition of c, as UTF-8: its length. *moves: a mark in it may change
 * places with a neighbour. */
static size_t decompose(const UNormalizer2 *nfd, uint32_t c, unsigned char *to, int *moves)
{
    UChar unit[UNITS_MAX];
    UErrorCode bad = U_ZERO_ERROR;
    int32_t n = unorm2_getDecomposition(nfd, (UChar32)c, unit, UNITS_MAX, &bad), i;
    size_t len = 0;
    UChar32 part = (UChar32)c;

    *moves = 0;
    for (i = 0; i < n || (n < 0 && i == 0);) {
        if (n < 0)
            i++;
        else
            U16_NEXT(unit, i, n, part);
        if (is_mn(part))
            continue;
        *moves |= u_getCombiningClass(part) != 0;
        len += (size_t)utf8_put(to + len, (uint32_t)part);
    }
    return len;
}

static unsigned char classify(const UNormalizer2 *nfd, uint32_t c)
{
    unsigned char left[4 * UNITS_MAX], self[4];
    unsigned char dense = is_dense(c) ? DENSE : 0;
    size_t n;
    int moves, len;

    if (unicode_is_digit(c))
        return DIGIT;
    if (unicode_is_space(c) || is_punctuation(c))
        return BREAK;
    n = decompose(nfd, c, left, &moves);
    len = utf8_put(self, c);
    if (moves)
        return SLOW;
    if (!n)
        return DROP;
    return (unsigned char)((n == (size_t)len && !memcmp(left, self, n) ? KEEP : BECOMES) | dense);
}

struct simplify *simplify_new(int dates)
{
    struct simplify *s = xcalloc(1, sizeof(*s));
    UErrorCode bad = U_ZERO_ERROR;
    uint32_t c;

    s->dates = dates;
    s->nfd = unorm2_getNFDInstance(&bad);
    s->breaks = ubrk_open(UBRK_WORD, "", NULL, 0, &bad);
    if (U_FAILURE(bad))
        die("ICU has no word breaks: %s", u_errorName(bad));
    if (class_of[' '] == KEEP)
        for (c = 0; c < BMP; c++)
            if (c < 0xD800 || c > 0xDFFF)
                class_of[c] = classify(s->nfd, c);
    return s;
}

void simplify_free(struct simplify *s)
{
    if (!s)
        return;
    ubrk_close(s->breaks);
    buf_release(&s->low);
    buf_release(&s->dated);
    buf_release(&s->out);
    buf_release(&s->word);
    buf_release(&s->wide);
    buf_release(&s->wider);
    buf_release(&s->widest);
    free(s->start);
    free(s);
}

/* ---- words ---- */

static void word_begin(struct simplify *s)
{
    if (s->n + 1 >= s->cap) {
        s->cap = 2 * s->cap + 64;
        s->start = xreallocarray(s->start, s->cap, sizeof(*s->start));
    }
    s->start[s->n] = s->out.n;
}

/* Part the word that ends the output where the dictionaries do. As UTF-16: given UTF-8, ICU's
 * engines for Khmer and its like measure words in bytes and part them elsewhere. */
static void word_part(struct simplify *s)
{
    UErrorCode bad = U_ZERO_ERROR;
    int32_t from = 0, to, n, room;
    const unsigned char *p;
    UChar *wide;

    buf_reset(&s->word);
    buf_add(&s->word, s->out.p + s->start[s->n], s->out.n - s->start[s->n]);
    s->out.n = s->start[s->n];
    room = (int32_t)s->word.n;
    buf_need(&s->wide, sizeof(UChar) * s->word.n);
    wide = (UChar *)(void *)s->wide.p;
    u_strFromUTF8(wide, room, &n, (const char *)s->word.p, room, &bad);
    ubrk_setText(s->breaks, wide, n, &bad);
    if (U_FAILURE(bad))
        die("ICU cannot part words: %s", u_errorName(bad));
    for (p = s->word.p; (to = ubrk_next(s->breaks)) != UBRK_DONE; from = to) {
        const unsigned char *begin = p;

        for (; from < to; from++)    // a pair of units is four bytes
            p += U16_IS_SURROGATE(wide[from]) ? 2
                 : wide[from] < 0x80          ? 1
                 : wide[from] < 0x800         ? 2
                                              : 3;
        word_begin(s);
        buf_add(&s->out, begin, (size_t)(p - begin));
        buf_add_byte(&s->out, ' ');
        s->n++;
    }
    s->out.n--;    // the caller adds the last space
    s->n--;
}

/* The output since the last word's end is a word, if it is anything. */
static void word_end(struct simplify *s, int dense)
{
    if (s->out.n == s->start[s->n])
        return;
    if (dense)
        word_part(s);
    s->n++;
    buf_add_byte(&s->out, ' ');
    word_begin(s);
}

static void hand_out(struct simplify *s, struct simple *to)
{
    to->text = (struct bytes){ s->out.p, s->n ? s->out.n - 1 : 0 };
    to->start = s->start;
    to->n = s->n;
}

struct bytes simple_shingle(const struct simple *s, size_t from, size_t n)
{
    return (struct bytes){ s->text.p + s->start[from], s->start[from + n] - 1 - s->start[from] };
}

/* ---- both lanes: lower case and dates ---- */

static size_t date_at(const unsigned char *p, size_t n, const char **token)
{
    static const char *const name[] = {
        "monday",  "tuesday",   "wednesday", "thursday", "friday",   "saturday", "sunday",
        "january", "february",  "march",     "april",    "may",      "june",     "july",
        "august",  "september", "october",   "november", "december",
    };
    size_t i, len;

    for (i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        len = strlen(name[i]);
        if ((unsigned char)name[i][0] == *p && len <= n && !memcmp(p, name[i], len)) {
            *token = i < 7 ? "WEEKDAY" : "MONTH";
            return len;
        }
    }
    return 0;
}

static struct bytes lower(struct simplify *s, struct bytes text)
{
    const char *token;
    size_t i, len;

    buf_reset(&s->low);
    unicode_lower(&s->low, text);
    if (!s->dates)
        return buf_bytes(&s->low);
    buf_reset(&s->dated);
    for (i = 0; i < s->low.n; i += len)
        if ((len = date_at(s->low.p + i, s->low.n - i, &token)))
            buf_add_str(&s->dated, token);
        else
            buf_add_byte(&s->dated, s->low.p[i]), len = 1;
    return buf_bytes(&s->dated);
}

/* ---- the slow lane: steps over arrays of code points ---- */

struct points {
    uint32_t *c;
    size_t n;
};

static void take_numbers(struct points *p)
{
    size_t i = 0, n = 0;

    while (i < p->n) {
        uint32_t c = p->c[i++];

        if (unicode_is_digit(c)) {
            c = '0';
            while (i < p->n && unicode_is_digit(p->c[i]))
                i++;
            if (i + 1 < p->n && is_decimal_mark(p->c[i]) && unicode_is_digit(p->c[i + 1]))
                for (i++; i < p->n && unicode_is_digit(p->c[i]);)
                    i++;
        }
        p->c[n++] = c;
    }
    p->n = n;
}

static void take_punctuation(struct points *p)
{
    size_t i;

    for (i = 0; i < p->n; i++)
        if (is_punctuation(p->c[i]))
            p->c[i] = ' ';
}

static struct points decompose_all(struct simplify *s, struct points p)
{
    UErrorCode bad = U_ZERO_ERROR;
    int32_t n, room;
    UChar *from, *to;
    size_t i, kept = 0;

    buf_need(&s->wider, sizeof(UChar) * (2 * p.n + 1));
    from = (UChar *)(void *)s->wider.p;
    u_strFromUTF32(from, (int32_t)(2 * p.n + 1), &n, (const UChar32 *)p.c, (int32_t)p.n, &bad);
    room = unorm2_normalize(s->nfd, from, n, NULL, 0, &bad) + 1;
    bad = bad == U_BUFFER_OVERFLOW_ERROR ? U_ZERO_ERROR : bad;
    buf_need(&s->widest, sizeof(UChar) * (size_t)room);
    to = (UChar *)(void *)s->widest.p;
    n = unorm2_normalize(s->nfd, from, n, to, room, &bad);
    buf_need(&s->wide, sizeof(*p.c) * (size_t)room);
    p.c = (uint32_t *)(void *)s->wide.p;
    u_strToUTF32((UChar32 *)p.c, room, &n, to, n, &bad);
    if (U_FAILURE(bad))
        die("ICU cannot decompose a text: %s", u_errorName(bad));
    for (i = 0; i < (size_t)n; i++)
        if (!is_mn((UChar32)p.c[i]))
            p.c[kept++] = p.c[i];
    p.n = kept;
    return p;
}

static struct points points_of(struct simplify *s, struct bytes text)
{
    struct points p = { NULL, 0 };
    size_t i;
    int len;

    buf_need(&s->wide, sizeof(*p.c) * (text.n + 1));
    p.c = (uint32_t *)(void *)s->wide.p;
    for (i = 0; i < text.n; i += (size_t)len) {
        uint32_t c = utf8_get(text.p + i, text.n - i, &len);

        p.c[p.n++] = c == UTF8_BAD ? 0xFFFD : c;
    }
    return p;
}

static void run_slow(struct simplify *s, struct bytes low, struct simple *to)
{
    struct points p = points_of(s, low);
    unsigned char utf8[4];
    int dense = 0;
    size_t i;

    take_numbers(&p);
    take_punctuation(&p);
    p = decompose_all(s, p);
    buf_reset(&s->out);
    s->n = 0;
    word_begin(s);
    for (i = 0; i < p.n; i++) {
        if (unicode_is_space(p.c[i])) {
            word_end(s, dense);
            dense = 0;
            continue;
        }
        dense |= is_dense(p.c[i]);
        buf_add(&s->out, utf8, (size_t)utf8_put(utf8, p.c[i]));
    }
    word_end(s, dense);
    hand_out(s, to);
}

void simplify_run_plain(struct simplify *s, struct bytes text, struct simple *to)
{
    run_slow(s, lower(s, text), to);
}

/* ---- the fast lane ---- */

static unsigned char class_at(struct simplify *s, const unsigned char *p, const unsigned char *end,
                              uint32_t *c, int *len)
{
    *c = *p;
    *len = 1;
    if (*p < 0x80)
        return class_of[*p];
    *c = utf8_get(p, (size_t)(end - p), len);
    if (*c == UTF8_BAD)
        *c = 0xFFFD;
    return *c < BMP ? class_of[*c] : classify(s->nfd, *c);
}

static const unsigned char *skip_digits(struct simplify *s, const unsigned char *p,
                                        const unsigned char *end)
{
    uint32_t c;
    int len;

    while (p < end && class_at(s, p, end, &c, &len) == DIGIT)
        p += len;
    return p;
}

/* Where the number that begins at p ends. */
static const unsigned char *skip_number(struct simplify *s, const unsigned char *p,
                                        const unsigned char *end)
{
    const unsigned char *after;
    uint32_t c = 0;
    int len = 0;

    p = skip_digits(s, p, end);
    if (p == end)
        return p;
    class_at(s, p, end, &c, &len);
    if (!is_decimal_mark(c))
        return p;
    after = skip_digits(s, p + len, end);
    return after == p + len ? p : after;
}

/* What becomes of the character at p that is not in ASCII or no letter: where the next begins,
 * or NULL when this text must take the slow lane. */
static const unsigned char *one(struct simplify *s, const unsigned char *p,
                                const unsigned char *end, int *dense)
{
    unsigned char utf8[4 * UNITS_MAX];
    uint32_t c;
    int len, moves;
    unsigned char class = class_at(s, p, end, &c, &len);

    *dense |= class & DENSE;
    switch (class & CLASS) {
    case KEEP:
        buf_add(&s->out, utf8, (size_t)utf8_put(utf8, c));
        break;
    case BECOMES:
        buf_add(&s->out, utf8, decompose(s->nfd, c, utf8, &moves));
        break;
    case BREAK:
        word_end(s, *dense);
        *dense = 0;
        break;
    case DIGIT:
        buf_add_byte(&s->out, '0');
        return skip_number(s, p, end);
    case SLOW:
        return NULL;
    default:
        break;
    }
    return p + len;
}

void simplify_run(struct simplify *s, struct bytes text, struct simple *to)
{
    struct bytes low = lower(s, text);
    const unsigned char *p = low.p, *end = bytes_end(low), *from;
    int dense = 0;

    buf_reset(&s->out);
    s->n = 0;
    word_begin(s);
    while (p < end) {
        for (from = p; p < end && *p < 0x80 && class_of[*p] == KEEP;)
            p++;
        if (p > from)
            buf_add(&s->out, from, (size_t)(p - from));
        if (p < end && !(p = one(s, p, end, &dense))) {
            run_slow(s, low, to);
            return;
        }
    }
    word_end(s, dense);
    hand_out(s, to);
}
