/* wnli.c - see wnli.h.
 *
 * The hypothesis is a part of the premise with the pronoun replaced. So for each pronoun of the
 * premise: how many words before and behind it stand in the hypothesis too? The one with the most
 * wins, and the referent is what the hypothesis has between these words.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pairs/wnli.h"

enum { WORDS_MAX = 4096 };    // of a sentence; the set has fewer than 200

struct words {    // in lower case, one punctuation mark off the end, none empty
    struct buf text;
    struct bytes *w;      // views of text
    size_t *from, *to;    // where they stand in the sentence, with the mark
    size_t n;
};

static int is_mark(unsigned char c)
{
    return c == '.' || c == ',' || c == '?' || c == '!';
}

static int words_init(struct words *s, struct bytes text)
{
    size_t i = 0, k;

    memset(s, 0, sizeof(*s));
    if (text.n > 1 << 20)
        return -1;
    s->w = xreallocarray(NULL, WORDS_MAX, sizeof(*s->w));
    s->from = xreallocarray(NULL, WORDS_MAX, sizeof(*s->from));
    s->to = xreallocarray(NULL, WORDS_MAX, sizeof(*s->to));
    buf_need(&s->text, text.n + 1);    // views stay valid
    while (i < text.n) {
        size_t from = i, at = s->text.n;

        while (i < text.n && text.p[i] != ' ')
            i++;
        for (k = from; k < i - (i > from && is_mark(text.p[i - 1])); k++)
            buf_add_byte(&s->text,
                         text.p[k] < 0x80 ? (unsigned char)tolower(text.p[k]) : text.p[k]);
        if (s->text.n > at) {
            if (s->n == WORDS_MAX)
                return -1;
            s->w[s->n] = (struct bytes){ s->text.p + at, s->text.n - at };
            s->from[s->n] = from;
            s->to[s->n++] = i;
        }
        i++;
    }
    return 0;
}

static void words_release(struct words *s)
{
    buf_release(&s->text);
    free(s->w);
    free(s->from);
    free(s->to);
}

/* Words w[from, to) with a space between two; backwards: the last first. */
static void join(struct buf *b, const struct bytes *w, size_t from, size_t to, int backwards)
{
    size_t i;

    buf_reset(b);
    for (i = from; i < to; i++) {
        const struct bytes *now = backwards ? &w[to - 1 - (i - from)] : &w[i];

        if (i > from)
            buf_add_byte(b, ' ');
        buf_add(b, now->p, now->n);
    }
}

/* Where needle first stands in hay at or behind from; -1. */
static long find(struct bytes hay, size_t from, struct bytes needle)
{
    for (; from + needle.n <= hay.n; from++)
        if (!needle.n || !memcmp(hay.p + from, needle.p, needle.n))
            return (long)from;
    return -1;
}

/* How many words of [from, to) stand in hay: from the first on, or from the last back. */
static size_t match(struct bytes hay, const struct bytes *w, size_t from, size_t to, int backwards)
{
    struct buf b = { 0 };
    size_t n;

    for (n = 0; n < to - from; n++) {
        if (backwards)
            join(&b, w, to - 1 - n, to, 1);
        else
            join(&b, w, from, from + n + 1, 0);
        if (find(hay, 0, buf_bytes(&b)) < 0)
            break;
    }
    buf_release(&b);
    return n;
}

/* What is between before and after in hay, as much as can be; an empty one is an end of hay.
 * It has at least a byte, and a space on either side that is no end. */
static int between(struct bytes hay, struct bytes before, struct bytes after, struct bytes *found)
{
    size_t start = 0, end;
    long at = -1;

    while (!before.n || (at = find(hay, (size_t)(at + 1), before)) >= 0) {
        start = before.n ? (size_t)at + before.n : 0;
        if (before.n && (start >= hay.n || hay.p[start++] != ' '))
            continue;
        for (end = hay.n; end > start; end--) {
            int fits = !after.n ? end == hay.n
                                : end + 1 + after.n <= hay.n && hay.p[end] == ' ' &&
                                      !memcmp(hay.p + end + 1, after.p, after.n);

            if (fits) {
                *found = (struct bytes){ hay.p + start, end - start };
                return 1;
            }
        }
        if (!before.n)
            break;
    }
    return 0;
}

static int is_pronoun(struct bytes w)
{
    static const char *const all[] = { "he",  "she",   "they", "it", "her",
                                       "his", "their", "them", "him" };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (w.n == strlen(all[i]) && !memcmp(w.p, all[i], w.n))
            return 1;
    return 0;
}

/* From the article that comes last, if there is one: what is before is no part of a name. */
static struct bytes from_article(struct bytes s)
{
    static const char *const articles[] = { "a", "an", "the" };
    size_t i, at, best = 0;
    int k;

    for (k = 0; k < 3; k++)
        for (i = 0; i < s.n; i = at + 1) {
            const unsigned char *end = memchr(s.p + i, ' ', s.n - i);

            at = end ? (size_t)(end - s.p) : s.n;
            if (at - i == strlen(articles[k]) && !memcmp(s.p + i, articles[k], at - i)) {
                best = i > best ? i : best;
                break;    // the first of its kind
            }
        }
    return (struct bytes){ s.p + best, s.n - best };
}

/* How much of hay, at its start, is s: in any case, a mark allowed behind each word. 0: not. */
static size_t as_written(struct bytes hay, struct bytes s)
{
    size_t i = 0, k;

    for (k = 0; k < s.n; k++) {
        if (s.p[k] == ' ' && i < hay.n && is_mark(hay.p[i]))
            i++;
        if (i >= hay.n || (hay.p[i] < 0x80 ? (unsigned char)tolower(hay.p[i]) : hay.p[i]) != s.p[k])
            return 0;
        i++;
    }
    return i;
}

/* The candidate as hypothesis has it, without the end of a possessive. */
static int add_referent(struct bytes candidate, struct bytes hypothesis, struct buf *to)
{
    size_t i, n = 0;

    candidate = from_article(candidate);
    for (i = 0; i < hypothesis.n && candidate.n && !n; i++)
        n = as_written((struct bytes){ hypothesis.p + i, hypothesis.n - i }, candidate);
    if (!n)
        return -1;
    if (hypothesis.p[i - 1 + n - 1] == '\'')
        n--;
    else if (n > 2 && !memcmp(hypothesis.p + i - 1 + n - 2, "'s", 2))
        n -= 2;
    buf_add(to, hypothesis.p + i - 1, n);
    return n ? 0 : -1;
}

static void add_text(const struct words *s, size_t pronoun, struct bytes premise, struct buf *to)
{
    size_t from = s->from[pronoun], end = s->to[pronoun];
    size_t mark = is_mark(premise.p[end - 1]);

    buf_add(to, premise.p, from);
    buf_add_byte(to, '*');
    buf_add(to, premise.p + from, end - mark - from);
    buf_add_str(to, mark ? "* " : "*");
    buf_add(to, premise.p + end - mark, premise.n - end + mark);
}

struct best {
    size_t score, at, before, after;    // words that match
};

static struct best best_pronoun(const struct words *s, struct bytes ahead, struct bytes back)
{
    struct best best = { 0 };
    size_t i;

    for (i = 0; i < s->n; i++) {
        size_t before, after;

        if (!is_pronoun(s->w[i]))
            continue;
        before = match(back, s->w, 0, i, 1);
        after = match(ahead, s->w, i + 1, s->n, 0);
        if (before + after > best.score)
            best = (struct best){ before + after, i, before, after };
    }
    return best;
}

int wnli_undo(struct bytes premise, struct bytes hypothesis, struct buf *text, struct buf *referent)
{
    struct words p, h;
    struct buf ahead = { 0 }, back = { 0 }, before = { 0 }, after = { 0 };
    struct bytes none = { NULL, 0 }, found;
    struct best best;
    int bad = words_init(&p, premise);

    bad |= words_init(&h, hypothesis);
    join(&ahead, h.w, 0, h.n, 0);
    join(&back, h.w, 0, h.n, 1);
    best = best_pronoun(&p, buf_bytes(&ahead), buf_bytes(&back));
    bad |= !best.score;
    if (!bad) {
        join(&before, p.w, best.at - best.before, best.at, 0);
        join(&after, p.w, best.at + 1, best.at + 1 + best.after, 0);
        bad = !between(buf_bytes(&ahead), buf_bytes(&before), buf_bytes(&after), &found) &&
              !between(buf_bytes(&ahead), none, buf_bytes(&after), &found) &&
              !between(buf_bytes(&ahead), buf_bytes(&before), none, &found);
    }
    if (!bad && referent)
        bad = add_referent(found, hypothesis, referent);
    if (!bad && text)
        add_text(&p, best.at, premise, text);
    words_release(&p);
    words_release(&h);
    buf_release(&ahead);
    buf_release(&back);
    buf_release(&before);
    buf_release(&after);
    return bad ? -1 : 0;
}
