/* words.c - see words.h. */
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>

#include "base/die.h"
#include "punkt/split.h"
#include "rules/words.h"
#include "text/unicode.h"
#include "text/utf8.h"

struct sentences {
    struct punkt *punkt;    // or
    UBreakIterator *at;
    UChar *text;    // the text last looked at, in UTF-16
    size_t cap;
};

struct sentences *sentences_new(const char *lang, const struct punkt_params *english)
{
    struct sentences *s = xcalloc(1, sizeof(*s));
    UErrorCode bad = U_ZERO_ERROR;

    if (english && !strcmp(lang, "en")) {
        s->punkt = punkt_new(english);
        return s;
    }
    s->at = ubrk_open(UBRK_SENTENCE, lang, NULL, 0, &bad);
    if (U_FAILURE(bad))
        die("no sentence breaks for '%s': %s", lang, u_errorName(bad));
    return s;
}

/* Text as UTF-16. */
static int32_t widen(struct sentences *s, struct bytes text)
{
    size_t i = 0, n = 0;
    uint32_t c;
    int len;

    if (s->cap < text.n + 1) {
        s->cap = text.n + text.n / 2 + 256;
        s->text = xreallocarray(s->text, s->cap, sizeof(*s->text));
    }
    while (i < text.n) {
        c = utf8_get(text.p + i, text.n - i, &len);
        i += (size_t)len;
        if (c < 0x10000) {
            s->text[n++] = (UChar)c;
        } else {
            s->text[n++] = U16_LEAD(c);
            s->text[n++] = U16_TRAIL(c);
        }
    }
    return (int32_t)n;
}

/* Whether the text before end stops at one of the marks of C4's rules, closing quotes, brackets
 * and white space aside. ICU also breaks at other scripts' marks and at line ends. */
static int is_marked(const UChar *p, const UChar *end)
{
    while (p < end) {
        UChar c = *--end;

        if (c == '.' || c == '?' || c == '!')
            return 1;
        if (c != '"' && c != '\'' && !unicode_is_space(c) && u_charType(c) != U_END_PUNCTUATION &&
            u_charType(c) != U_FINAL_PUNCTUATION)
            return 0;
    }
    return 0;
}

static int is_blank(const UChar *p, const UChar *end)
{
    while (p < end && unicode_is_space(*p))
        p++;
    return p == end;
}

/* By ICU. */
static size_t count_breaks(struct sentences *s, struct bytes text, size_t enough)
{
    UErrorCode bad = U_ZERO_ERROR;
    int32_t n = widen(s, text), from = 0, to;
    size_t found = 0;

    ubrk_setText(s->at, s->text, n, &bad);
    if (U_FAILURE(bad))
        die("sentence breaks: %s", u_errorName(bad));
    while (found < enough && (to = ubrk_next(s->at)) != UBRK_DONE) {
        if (to < n && !is_marked(s->text + from, s->text + to))
            continue;
        found += !is_blank(s->text + from, s->text + to);
        from = to;
    }
    return found;
}

size_t sentences_count(struct sentences *s, struct bytes text, size_t enough)
{
    return s->punkt ? punkt_count(s->punkt, text, enough) : count_breaks(s, text, enough);
}

void sentences_free(struct sentences *s)
{
    if (!s)
        return;
    punkt_free(s->punkt);
    if (s->at)
        ubrk_close(s->at);
    free(s->text);
    free(s);
}
