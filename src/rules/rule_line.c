/* rule_line.c - see rule_line.h. The order, and with it what a rule may take for granted, is
 * that of the table. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "rules/evidence.h"
#include "rules/marks.h"
#include "rules/rule_line.h"
#include "text/unicode.h"
#include "text/utf8.h"

enum { LOREM_IPSUM, JAVASCRIPT, POLICY, NEEDLES };

enum verdict line_too_long_word(struct rule_line *l)
{
    struct bytes rest = l->s, word;

    if ((double)l->s.n <= l->limit)
        return KEEP;
    while (unicode_word(&rest, &word))
        if ((double)word.n > l->limit && (double)utf8_count(word) > l->limit) {
            evidence_number(l->why, (double)utf8_count(word), ">", l->limit, "characters a word");
            return DROP_LINE;
        }
    return KEEP;
}

static int begins(struct bytes s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && !memcmp(s.p, with, n);
}

/* The length of the mark that s, which begins with '[', begins with; 0 when it is none. */
static size_t citation_at(struct bytes s)
{
    size_t i = 1;
    int len;

    if (begins(s, "[edit]"))
        return strlen("[edit]");
    if (begins(s, "[citation needed]"))
        return strlen("[citation needed]");
    while (i < s.n && s.p[i] != ']' && unicode_is_digit(utf8_get(s.p + i, s.n - i, &len)))
        i += (size_t)len;
    return i < s.n && s.p[i] == ']' ? i + 1 : 0;
}

enum verdict line_citations(struct rule_line *l)
{
    const unsigned char *at = l->s.p, *end = at + l->s.n, *from = at, *open;
    size_t n;
    int edited = 0;

    while ((open = memchr(at, '[', (size_t)(end - at)))) {
        n = citation_at((struct bytes){ open, (size_t)(end - open) });
        at = open + (n ? n : 1);
        if (!n)
            continue;
        if (!edited)
            buf_reset(l->buf);
        edited = 1;
        buf_add(l->buf, from, (size_t)(open - from));
        evidence_text(l->why, (struct bytes){ open, n });
        from = at;
    }
    if (!edited)
        return KEEP;
    buf_add(l->buf, from, (size_t)(end - from));
    l->s = buf_bytes(l->buf);
    return EDIT;
}

enum verdict line_no_endmark(struct rule_line *l)
{
    size_t n = l->s.n;
    int len = 0;

    if (marks_end(l->s, l->marks))
        return KEEP;
    if (n >= 3 && !memcmp(l->s.p + n - 3, "...", 3))
        len = 3;
    else if (n)
        utf8_get_last(l->s.p, n, &len);
    evidence_word(l->why, "ends in ");
    evidence_text(l->why, (struct bytes){ l->s.p + n - len, (size_t)len });
    return DROP_LINE;
}

enum verdict line_too_short(struct rule_line *l)
{
    struct bytes rest = l->s, word;
    int n = 0;

    while (n < l->limit && unicode_word(&rest, &word))
        n++;
    if (!(n < l->limit))
        return KEEP;
    evidence_number(l->why, n, "<", l->limit, "words");
    return DROP_LINE;
}

/* Substrings looked for in the lower-cased line. They are ASCII, so lower-casing matters only in
 * ASCII letters and in the two code points whose lower case has one: U+0130 and U+212A. */
struct needles {
    const char *word[8];    // NULL ends them
    size_t shortest;
    unsigned char skip[1024];    // by the low five bits of two bytes: how far to go on
};

static struct needles needles[] = {
    [LOREM_IPSUM] = { .word = { "lorem ipsum" } },
    [JAVASCRIPT] = { .word = { "javascript" } },
    [POLICY] = { .word = { "terms of use", "privacy policy", "cookie policy", "uses cookies",
                           "use of cookies", "use cookies" } },
};

static unsigned pair(const unsigned char *p)
{
    return (p[0] & 31u) << 5 | (p[1] & 31u);
}

/* Wu and Manber (1994): the last pair of the window says how far no needle can begin. */
static void needles_make(struct needles *k)
{
    size_t i, j;

    k->shortest = 255;
    for (i = 0; k->word[i]; i++)
        if (strlen(k->word[i]) < k->shortest)
            k->shortest = strlen(k->word[i]);
    memset(k->skip, (int)k->shortest - 1, sizeof(k->skip));
    for (i = 0; k->word[i]; i++)
        for (j = 0; j + 2 <= k->shortest; j++) {
            unsigned char *s = &k->skip[pair((const unsigned char *)k->word[i] + j)];

            if (*s > k->shortest - 2 - j)
                *s = (unsigned char)(k->shortest - 2 - j);
        }
}

static void needles_make_all(void)
{
    int i;

    for (i = 0; i < NEEDLES; i++)
        needles_make(&needles[i]);
}

static int matches(const unsigned char *p, size_t n, const char *word)
{
    size_t i;

    for (i = 0; word[i]; i++) {
        unsigned char c = i < n ? p[i] : 0;

        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + 32);
        if (c != (unsigned char)word[i])
            return 0;
    }
    return 1;
}

static const char *needles_find(const struct needles *k, struct bytes s)
{
    size_t at = 0, i;

    while (at + k->shortest <= s.n) {
        size_t skip = k->skip[pair(s.p + at + k->shortest - 2)];

        if (skip) {
            at += skip;
            continue;
        }
        for (i = 0; k->word[i]; i++)
            if (matches(s.p + at, s.n - at, k->word[i]))
                return k->word[i];
        at++;
    }
    return NULL;
}

/* Whether s has a code point whose lower case begins with an ASCII letter. */
static int has_odd_letter(struct bytes s)
{
    const unsigned char *at = s.p, *end = bytes_end(s);

    for (; at < end && (at = memchr(at, 0xC4, (size_t)(end - at))); at++)
        if (end - at > 1 && at[1] == 0xB0)
            return 1;
    for (at = s.p; at < end && (at = memchr(at, 0xE2, (size_t)(end - at))); at++)
        if (end - at > 2 && at[1] == 0x84 && at[2] == 0xAA)
            return 1;
    return 0;
}

static enum verdict drop_if_in(int which, const struct rule_line *l, enum verdict drop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct needles *k = &needles[which];
    struct buf low = { 0 };
    const char *found;

    pthread_once(&once, needles_make_all);
    found = needles_find(k, l->s);
    if (!found && has_odd_letter(l->s)) {
        unicode_lower(&low, l->s);
        found = needles_find(k, buf_bytes(&low));
        buf_release(&low);
    }
    if (!found)
        return KEEP;
    evidence_word(l->why, found);
    return drop;
}

enum verdict line_lorem_ipsum(struct rule_line *l)
{
    return drop_if_in(LOREM_IPSUM, l, DROP_PAGE);
}

enum verdict line_javascript(struct rule_line *l)
{
    return drop_if_in(JAVASCRIPT, l, DROP_LINE);
}

enum verdict line_squiggly_bracket(struct rule_line *l)
{
    if (!memchr(l->s.p, '{', l->s.n))
        return KEEP;
    evidence_word(l->why, "{");
    return DROP_PAGE;
}

enum verdict line_policy(struct rule_line *l)
{
    return drop_if_in(POLICY, l, DROP_LINE);
}
