/* answer.c - see answer.h.
 *
 * The rules are those of the evaluation scripts of SQuAD 1.1, TriviaQA and MLQA as T5 and mT5
 * use them, in their order: lower case, punctuation, articles, white space. A word, where
 * articles are looked for, is what \w+ matches in Python: letters, numbers and "_".
 */
#include <string.h>
#include <unicode/uchar.h>

#include "score/answer.h"
#include "text/unicode.h"
#include "text/utf8.h"

struct articles {
    const char *lang, *words;    // words with a space before and behind each
};

static const struct articles mlqa_articles[] = {
    { "en", " a an the " },
    { "es", " un una unos unas el la los las " },
    { "vi", " của là cái chiếc những " },
    { "de", " ein eine einen einem eines einer der die das den dem des " },
};

static const char arabic_article[] = "ال";    // MLQA's pattern drops it wherever it stands

static int lang_is(struct bytes lang, const char *base)
{
    size_t n = strlen(base);

    return lang.n >= n && !memcmp(lang.p, base, n) && (lang.n == n || lang.p[n] == '-');
}

static int is_ascii_punct(uint32_t c)
{
    return c > ' ' && c < 0x7F && !u_isalnum((UChar32)c);
}

static int is_punct(uint32_t c)
{
    return is_ascii_punct(c) || (U_GET_GC_MASK((UChar32)c) & U_GC_P_MASK);
}

static int is_word(uint32_t c)
{
    return c == '_' || (U_GET_GC_MASK((UChar32)c) & (U_GC_L_MASK | U_GC_N_MASK));
}

static int is_trivia_quote(uint32_t c)
{
    return c == 0x2018 || c == 0x2019 || c == 0xB4;
}

static void punct_drop(enum answer_norm how, struct bytes s, struct buf *out)
{
    size_t i;
    int len;

    for (i = 0; i < s.n; i += (size_t)len) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &len);

        if (how == ANSWER_TRIVIA && (is_ascii_punct(c) || is_trivia_quote(c)))
            buf_add_byte(out, ' ');
        else if (how == ANSWER_MLQA ? !is_punct(c) : !is_ascii_punct(c))
            buf_add(out, s.p + i, (size_t)len);
    }
}

static int is_article(struct bytes w, const char *words)
{
    const char *p;

    for (p = words; (p = strchr(p, ' ')) && p[1]; p++)
        if (!strncmp(p + 1, (const char *)w.p, w.n) && p[1 + w.n] == ' ')
            return w.n > 0;
    return 0;
}

/* s with each of the words, where it stands whole, turned into a space. */
static void articles_drop(const char *words, struct bytes s, struct buf *out)
{
    size_t i = 0, from;
    int len;

    while (i < s.n) {
        for (from = i; i < s.n && is_word(utf8_get(s.p + i, s.n - i, &len)); i += (size_t)len)
            ;
        if (is_article((struct bytes){ s.p + from, i - from }, words))
            buf_add_byte(out, ' ');
        else
            buf_add(out, s.p + from, i - from);
        for (from = i; i < s.n && !is_word(utf8_get(s.p + i, s.n - i, &len)); i += (size_t)len)
            ;
        buf_add(out, s.p + from, i - from);
    }
}

static void arabic_drop(struct bytes s, struct buf *out)
{
    size_t i, n = sizeof(arabic_article) - 1;

    for (i = 0; i < s.n; i++)
        if (s.n - i >= n && !memcmp(s.p + i, arabic_article, n)) {
            buf_add_byte(out, ' ');
            i += n - 1;
        } else {
            buf_add_byte(out, s.p[i]);
        }
}

/* Each ideograph its own word, as MLQA has it for Chinese. */
static void ideographs_part(struct bytes s, struct buf *out)
{
    size_t i;
    int len;

    for (i = 0; i < s.n; i += (size_t)len) {
        uint32_t c = utf8_get(s.p + i, s.n - i, &len);
        int alone = c >= 0x4E00 && c <= 0x9FA5;

        if (alone)
            buf_add_byte(out, ' ');
        buf_add(out, s.p + i, (size_t)len);
        if (alone)
            buf_add_byte(out, ' ');
    }
}

static void mlqa(struct bytes lang, struct bytes s, struct buf *out)
{
    size_t i;

    for (i = 0; i < sizeof(mlqa_articles) / sizeof(mlqa_articles[0]); i++)
        if (lang_is(lang, mlqa_articles[i].lang)) {
            articles_drop(mlqa_articles[i].words, s, out);
            return;
        }
    if (lang_is(lang, "ar"))
        arabic_drop(s, out);
    else if (lang_is(lang, "zh"))
        ideographs_part(s, out);
    else
        buf_add(out, s.p, s.n);
}

static void spaces_fix(struct bytes s, struct buf *out)
{
    struct bytes word;

    while (unicode_word(&s, &word)) {
        if (out->n)
            buf_add_byte(out, ' ');
        buf_add(out, word.p, word.n);
    }
}

void answer_normal(enum answer_norm how, struct bytes lang, struct bytes s, struct buf *out)
{
    struct buf a = { 0 }, b = { 0 };

    buf_reset(out);
    if (how == ANSWER_NONE) {
        spaces_fix(s, out);
        return;
    }
    unicode_lower(&a, s);
    punct_drop(how, buf_bytes(&a), &b);
    buf_reset(&a);
    if (how == ANSWER_MLQA)
        mlqa(lang, buf_bytes(&b), &a);
    else
        articles_drop(" a an the ", buf_bytes(&b), &a);
    spaces_fix(buf_bytes(&a), out);
    buf_release(&a);
    buf_release(&b);
}
