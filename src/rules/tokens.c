/* tokens.c - see tokens.h. A table has the class of each code point below U+10000. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "base/die.h"
#include "base/hash.h"
#include "rules/tokens.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum class {
    SPACE,
    WORD,
    MARK,         // no word; a symbol if SYMBOL
    CLASS = 3,    // what of a byte says the class
    LETTER = 4,
    SYMBOL = 8,    // punctuation and the like
    DENSE = 16,    // a letter of a script without spaces
    DIGIT = 32,    // ASCII's
    JOINS = 64,    // ASCII: between two word characters it is one of them
};

enum { BMP = 0x10000 };

static unsigned char class_of[BMP];

struct breaks {
    UBreakIterator *at;
    UChar *text;    // a word in UTF-16
    size_t cap;
};

static int is_dense(UChar32 c)
{
    UErrorCode bad = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(c, &bad);

    return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ||
           u_getIntPropertyValue(c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT;
}

static unsigned char classify(uint32_t c)
{
    uint32_t type = U_MASK(u_charType((UChar32)c));

    if (unicode_is_space(c))
        return SPACE;
    if (type & U_GC_L_MASK)
        return (unsigned char)(WORD | LETTER | (is_dense((UChar32)c) ? DENSE : 0));
    if ((type & (U_GC_M_MASK | U_GC_N_MASK)) || c == '_' || c == 0x200C || c == 0x200D)
        return (unsigned char)(WORD | (is_dense((UChar32)c) ? DENSE : 0));
    return MARK | SYMBOL;
}

static void fill_classes(void)
{
    const char *s;
    uint32_t c;

    for (c = 0; c < BMP; c++)
        class_of[c] = classify(c);
    for (c = '0'; c <= '9'; c++)
        class_of[c] |= DIGIT;
    for (s = ".-/',:"; *s; s++)
        class_of[(unsigned char)*s] |= JOINS;
}

static unsigned char class_at(const unsigned char *p, const unsigned char *end, int *len)
{
    uint32_t c;

    *len = p < end;
    if (p == end)
        return SPACE;
    if (*p < 0x80)
        return class_of[*p];
    c = utf8_get(p, (size_t)(end - p), len);
    return c < BMP ? class_of[c] : c == UTF8_BAD ? MARK | SYMBOL : classify(c);
}

/* The bit of a word that Gopher wants to see; 0 for others. */
static unsigned stop_bit(const unsigned char *p, size_t n)
{
    static const char stop[8][5] = { "the", "be", "to", "of", "and", "that", "have", "with" };
    unsigned i;

    if (n < 2 || n > 4)
        return 0;
    for (i = 0; i < 8; i++)
        if (stop[i][0] == (char)p[0] && strlen(stop[i]) == n && !memcmp(stop[i], p, n))
            return 1u << i;
    return 0;
}

static void add(struct tokens *t, const unsigned char *p, const unsigned char *end, size_t chars,
                unsigned of)
{
    size_t n = (size_t)(end - p);

    if (t->n == t->cap) {
        t->cap = 2 * t->cap + 1024;
        t->hash = xreallocarray(t->hash, t->cap, sizeof(*t->hash));
        t->chars = xreallocarray(t->chars, t->cap, sizeof(*t->chars));
    }
    t->hash[t->n] = hash_xx64(p, n, 0);
    t->chars[t->n++] = (uint32_t)chars;
    t->stops |= stop_bit(p, n);
    t->n_letter += (of & LETTER) != 0;
    if (of & SYMBOL)
        return;
    t->n_word++;
    t->word_chars += chars;
}

/* The part [p, end) of a word, what it is of looked up again. */
static void add_part(struct tokens *t, const unsigned char *p, const unsigned char *end)
{
    const unsigned char *at = p;
    unsigned of = 0, all = SYMBOL;
    size_t chars = 0;
    int len;

    for (; at < end; at += len, chars++) {
        unsigned char k = class_at(at, end, &len);

        of |= k & LETTER;
        all &= k;
    }
    add(t, p, end, chars, of | all);
}

static struct breaks *breaks_new(void)
{
    struct breaks *b = xcalloc(1, sizeof(*b));
    UErrorCode bad = U_ZERO_ERROR;

    b->at = ubrk_open(UBRK_WORD, "", NULL, 0, &bad);
    if (U_FAILURE(bad))
        die("ICU has no word breaks: %s", u_errorName(bad));
    return b;
}

/* A word with dense letters: as many tokens as the dictionaries say. As UTF-16: given UTF-8, ICU's
 * engines for Khmer and its like measure words in bytes and part them elsewhere. */
static void add_dense(struct tokens *t, const unsigned char *p, const unsigned char *end)
{
    size_t n = (size_t)(end - p);
    UErrorCode bad = U_ZERO_ERROR;
    int32_t from = 0, to, units;
    struct breaks *b;

    if (!t->breaks)
        t->breaks = breaks_new();
    b = t->breaks;
    if (b->cap < n) {
        b->cap = 2 * n;
        b->text = xreallocarray(b->text, b->cap, sizeof(*b->text));
    }
    u_strFromUTF8(b->text, (int32_t)b->cap, &units, (const char *)p, (int32_t)n, &bad);
    ubrk_setText(b->at, b->text, units, &bad);
    if (U_FAILURE(bad))
        die("ICU cannot part words: %s", u_errorName(bad));
    for (; (to = ubrk_next(b->at)) != UBRK_DONE; from = to) {
        const unsigned char *begin = p;

        for (; from < to; from++)    // a pair of units is four bytes
            p += U16_IS_SURROGATE(b->text[from]) ? 2
                 : b->text[from] < 0x80          ? 1
                 : b->text[from] < 0x800         ? 2
                                                 : 3;
        add_part(t, begin, p);
    }
}

static int is_any(const unsigned char *p, size_t n, const char *const *what)
{
    size_t i;

    for (; *what; what++) {
        for (i = 0; i < n && (*what)[i] == (char)(p[i] | 0x20); i++)
            ;
        if (i == n && !(*what)[n])
            return 1;
    }
    return 0;
}

/* Where the English ending begins that is around the apostrophe (of len bytes) at p; NULL: there is
 * none, and the apostrophe is inside a word. */
static const unsigned char *ending_at(const unsigned char *word, const unsigned char *p, int len,
                                      const unsigned char *end)
{
    static const char *const after[] = { "s", "m", "d", "ll", "re", "ve", NULL };
    static const char *const not [] = { "t", NULL };
    const unsigned char *from = p + len, *to = from;
    int next;

    while (to < end && class_at(to, end, &next) & LETTER)
        to += next;
    if (to < end && (class_at(to, end, &next) & CLASS) == WORD)
        return NULL;
    if (is_any(from, (size_t)(to - from), after))
        return p;
    if (p - word > 1 && (p[-1] | 0x20) == 'n' && is_any(from, (size_t)(to - from), not ))
        return p - 1;
    return NULL;
}

/* Whether the character at p goes on with a word that goes on behind it. */
static int joins(const unsigned char *p, int len, const unsigned char *end)
{
    unsigned char next;
    int next_len;

    if (len == 1 && !(class_of[*p] & JOINS))
        return 0;
    if (len > 1 && memcmp(p, "\xE2\x80\x99", 3) != 0 && memcmp(p, "\xC2\xB7", 2) != 0)
        return 0;    // a right quote, and Catalan's dot
    next = class_at(p + len, end, &next_len);
    if (*p == ',' || *p == ':')
        return class_of[p[-1]] & next & DIGIT;
    return (next & CLASS) == WORD;
}

static const unsigned char *take_word(struct tokens *t, const unsigned char *p,
                                      const unsigned char *end)
{
    const unsigned char *word = p, *cut;
    unsigned of = 0, dense = 0;
    size_t chars = 0;
    int len;

    while (p < end) {
        unsigned char k = class_at(p, end, &len);

        if ((k & CLASS) != WORD) {
            if (p == word || !joins(p, len, end))
                break;
            if ((*p == '\'' || (*p == 0xE2 && len == 3)) && (cut = ending_at(word, p, len, end))) {
                add(t, word, cut, chars - (size_t)(p - cut), LETTER);
                word = cut;
                chars = (size_t)(p - cut);
            }
        }
        of |= k & LETTER;
        dense |= k & DENSE;
        chars++;
        p += len;
    }
    if (dense)
        add_dense(t, word, p);
    else
        add(t, word, p, chars, of);
    return p;
}

/* A mark, and all of the same after it. */
static const unsigned char *take_mark(struct tokens *t, const unsigned char *p,
                                      const unsigned char *end, int len)
{
    const unsigned char *mark = p;
    size_t chars = 0;

    while (end - p >= len && !memcmp(p, mark, (size_t)len)) {
        p += len;
        chars++;
    }
    add(t, mark, p, chars, SYMBOL);
    return p;
}

void tokens_split(struct tokens *t, struct bytes text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const unsigned char *p = text.p, *end = bytes_end(text);
    int len;

    pthread_once(&once, fill_classes);
    t->n = t->n_word = t->word_chars = t->n_letter = 0;
    t->stops = 0;
    while (p < end)
        switch (class_at(p, end, &len) & CLASS) {
        case SPACE:
            p += len;
            break;
        case WORD:
            p = take_word(t, p, end);
            break;
        default:
            p = take_mark(t, p, end, len);
        }
}

void tokens_release(struct tokens *t)
{
    free(t->hash);
    free(t->chars);
    if (t->breaks) {
        ubrk_close(t->breaks->at);
        free(t->breaks->text);
        free(t->breaks);
    }
    *t = (struct tokens){ 0 };
}
