/* words.c - see words.h.
 *
 * sacreBLEU's tokenizers are chains of regular expressions, each a pass over the whole text that
 * goes on behind what it matched. They are done here as such passes, since one pass would differ
 * ("a..b", "1,,2"). Those of 13a know ASCII alone, so they can work on bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "score/lexicon.h"
#include "score/words.h"
#include "text/unicode.h"
#include "text/utf8.h"

void words_add(struct words *w, uint32_t id)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->id = xreallocarray(w->id, w->cap, sizeof(*w->id));
    }
    w->id[w->n++] = id;
}

static void cut_space(struct words *w, struct bytes s, struct lexicon *l)
{
    struct bytes word;

    while (unicode_word(&s, &word))
        words_add(w, lexicon_add(l, word));
}

static void put_apart(struct buf *b, const unsigned char *p, int n)
{
    buf_add_byte(b, ' ');
    buf_add(b, p, (size_t)n);
    buf_add_byte(b, ' ');
}

/* --- 13a --- */

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static int is_stop(unsigned char c)
{
    return c == '.' || c == ',';
}

static size_t starts(struct bytes s, size_t i, const char *with)
{
    size_t n = strlen(with);

    return s.n - i >= n && !memcmp(s.p + i, with, n) ? n : 0;
}

/* Entities as characters, line ends as spaces, and a space at both ends. */
static void unescape(struct bytes s, struct buf *out)
{
    static const char *const pair[][2] = {
        { "<skipped>", "" }, { "-\n", "" },   { "\n", " " },   { "&quot;", "\"" },
        { "&amp;", "&" },    { "&lt;", "<" }, { "&gt;", ">" },
    };
    struct buf from = { 0 };
    size_t k, i, n;

    buf_add(out, s.p, s.n);
    for (k = 0; k < sizeof(pair) / sizeof(pair[0]); k++) {    // in this order: "&amp;lt;" is "<"
        struct buf swap = from;

        from = *out;
        *out = swap;
        buf_reset(out);
        for (i = 0; i < from.n; i += n ? n : 1)
            if ((n = starts(buf_bytes(&from), i, pair[k][0])))
                buf_add_str(out, pair[k][1]);
            else
                buf_add_byte(out, from.p[i]);
    }
    buf_reset(&from);
    put_apart(&from, out->p, (int)out->n);
    buf_reset(out);
    buf_add(out, from.p, from.n);
    buf_release(&from);
}

static void pass_symbol(struct bytes s, struct buf *out)
{
    size_t i;

    for (i = 0; i < s.n; i++)
        if (s.p[i] < 0x80 && strchr("{|}~[\\]^_` !\"#$%&()*+:;<=>?@/", s.p[i]) && s.p[i])
            put_apart(out, s.p + i, 1);
        else
            buf_add_byte(out, s.p[i]);
}

static void pass_stop_after(struct bytes s, struct buf *out)
{
    size_t i;

    for (i = 0; i < s.n; i++) {
        buf_add_byte(out, s.p[i]);
        if (!is_digit(s.p[i]) && i + 1 < s.n && is_stop(s.p[i + 1]))
            put_apart(out, s.p + ++i, 1);
    }
}

static void pass_stop_before(struct bytes s, struct buf *out)
{
    size_t i;

    for (i = 0; i < s.n; i++)
        if (is_stop(s.p[i]) && i + 1 < s.n && !is_digit(s.p[i + 1])) {
            put_apart(out, s.p + i, 1);
            buf_add_byte(out, s.p[++i]);
        } else {
            buf_add_byte(out, s.p[i]);
        }
}

static void pass_dash(struct bytes s, struct buf *out)
{
    size_t i;

    for (i = 0; i < s.n; i++) {
        buf_add_byte(out, s.p[i]);
        if (is_digit(s.p[i]) && i + 1 < s.n && s.p[i + 1] == '-')
            put_apart(out, s.p + ++i, 1);
    }
}

/* --- intl --- */

static int is_number(uint32_t c)
{
    return !!(U_GET_GC_MASK((UChar32)c) & U_GC_N_MASK);
}

static int is_punct(uint32_t c)
{
    return !!(U_GET_GC_MASK((UChar32)c) & U_GC_P_MASK);
}

static int is_symbol(uint32_t c)
{
    return !!(U_GET_GC_MASK((UChar32)c) & U_GC_S_MASK);
}

/* (\P{N})(\p{P}) with the second apart. */
static void pass_punct_after(struct bytes s, struct buf *out)
{
    size_t i;
    int n, m;

    for (i = 0; i < s.n; i += (size_t)n) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &n);
        size_t j = i + (size_t)n;

        buf_add(out, s.p + i, (size_t)n);
        if (!is_number(c) && j < s.n && is_punct(utf8_get(s.p + j, s.n - j, &m))) {
            put_apart(out, s.p + j, m);
            n += m;
        }
    }
}

/* (\p{P})(\P{N}) with the first apart. */
static void pass_punct_before(struct bytes s, struct buf *out)
{
    size_t i;
    int n, m;

    for (i = 0; i < s.n; i += (size_t)n) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &n);
        size_t j = i + (size_t)n;

        if (is_punct(c) && j < s.n && !is_number(utf8_get(s.p + j, s.n - j, &m))) {
            put_apart(out, s.p + i, n);
            buf_add(out, s.p + j, (size_t)m);
            n += m;
        } else {
            buf_add(out, s.p + i, (size_t)n);
        }
    }
}

static void pass_symbols(struct bytes s, struct buf *out)
{
    size_t i;
    int n;

    for (i = 0; i < s.n; i += (size_t)n)
        if (is_symbol(utf8_get(s.p + i, s.n - i, &n)))
            put_apart(out, s.p + i, n);
        else
            buf_add(out, s.p + i, (size_t)n);
}

static void cut_passes(struct words *w, void (*const *run)(struct bytes, struct buf *),
                       struct bytes s, struct lexicon *l)
{
    struct buf a = { 0 }, b = { 0 };

    buf_add(&a, s.p, s.n);
    for (; *run; run++) {
        struct buf swap = a;

        buf_reset(&b);
        (*run)(buf_bytes(&a), &b);
        a = b;
        b = swap;
    }
    cut_space(w, buf_bytes(&a), l);
    buf_release(&a);
    buf_release(&b);
}

/* As str.rstrip: what precedes the first word counts for mteval-v14. */
static struct bytes strip_end(struct bytes s)
{
    struct bytes t = unicode_strip(s);

    return t.n ? (struct bytes){ s.p, (size_t)(t.p + t.n - s.p) } : t;
}

/* --- the others --- */

static int has_no_spaces(uint32_t c)
{
    UErrorCode bad = U_ZERO_ERROR;

    switch (uscript_getScript((UChar32)c, &bad)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
    case USCRIPT_TIBETAN:
        return 1;
    default:
        return 0;
    }
}

static int is_rouge(uint32_t c)
{
    return c < 0x80 && (is_digit((unsigned char)c) || (c >= 'a' && c <= 'z'));
}

static int is_wordly(uint32_t c)
{
    return !!(U_GET_GC_MASK((UChar32)c) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK));
}

static int is_mark(uint32_t c)
{
    return !!(U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK);
}

static void cut_runs(struct words *w, int (*keep)(uint32_t), int alone, struct bytes s,
                     struct lexicon *l)
{
    struct buf low = { 0 };
    size_t i, from = 0;
    uint32_t c, last = ' ';
    int len = 0;

    unicode_lower(&low, s);
    for (i = 0; i < low.n; i += (size_t)len, last = c) {
        c = utf8_get(low.p + i, low.n - i, &len);
        if (i > from &&
            (!keep(c) || (alone && !is_mark(c) && (has_no_spaces(c) || has_no_spaces(last))))) {
            words_add(w, lexicon_add(l, (struct bytes){ low.p + from, i - from }));
            from = i;
        }
        if (!keep(c))
            from = i + (size_t)len;
    }
    if (low.n > from)
        words_add(w, lexicon_add(l, (struct bytes){ low.p + from, low.n - from }));
    buf_release(&low);
}

static void cut_chrf(struct words *w, struct bytes s, struct lexicon *l)
{
    static const char punct[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    struct bytes t;

    while (unicode_word(&s, &t)) {
        size_t cut = 0;

        if (utf8_count(t) > 1 && memchr(punct, t.p[t.n - 1], sizeof(punct) - 1))
            cut = t.n - 1;
        else if (utf8_count(t) > 1 && memchr(punct, t.p[0], sizeof(punct) - 1))
            cut = 1;
        if (cut)
            words_add(w, lexicon_add(l, (struct bytes){ t.p, cut }));
        words_add(w, lexicon_add(l, (struct bytes){ t.p + cut, t.n - cut }));
    }
}

void words_chars(struct words *w, struct bytes s)
{
    size_t i;
    int len;

    w->n = 0;
    for (i = 0; i < s.n; i += (size_t)len) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &len);

        if (!unicode_is_space(c))
            words_add(w, c);
    }
}

void words_cut(struct words *w, enum words_cut how, struct bytes s, struct lexicon *l)
{
    static void (*const mteval13a[])(struct bytes, struct buf *) = {
        unescape, pass_symbol, pass_stop_after, pass_stop_before, pass_dash, NULL
    };
    static void (*const mteval14[])(
        struct bytes, struct buf *) = { pass_punct_after, pass_punct_before, pass_symbols, NULL };

    w->n = 0;
    switch (how) {
    case WORDS_13A:
        cut_passes(w, mteval13a, unicode_strip(s), l);
        break;
    case WORDS_INTL:
        cut_passes(w, mteval14, strip_end(s), l);
        break;
    case WORDS_CHAR:
        words_chars(w, s);
        break;
    case WORDS_SPACE:
        cut_space(w, s, l);
        break;
    case WORDS_ROUGE:
        cut_runs(w, is_rouge, 0, s, l);
        break;
    case WORDS_UNICODE:
        cut_runs(w, is_wordly, 1, s, l);
        break;
    case WORDS_CHRF:
        cut_chrf(w, s, l);
        break;
    }
}

int words_rouge_is_blind(struct bytes s)
{
    size_t i, n = 0, seen = 0;
    int len;

    for (i = 0; i < s.n; i += (size_t)len) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &len);

        n += is_wordly(c);
        seen += c < 0x80 && is_wordly(c);
    }
    return 2 * seen < n;
}

void words_release(struct words *w)
{
    free(w->id);
    *w = (struct words){ 0 };
}
