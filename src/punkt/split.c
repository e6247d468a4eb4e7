/* split.c - see split.h.
 *
 * A candidate is a mark with something after it; its context, from the word that ends in the mark
 * to the token after it, decides alone whether a sentence ends there. Contexts that overlap are
 * one, of which the last mark counts. A byte is in two contexts at most: time is linear.
 */
#include <stdlib.h>
#include <string.h>

#include "punkt/params.h"
#include "punkt/split.h"
#include "punkt/token.h"
#include "text/unicode.h"

struct candidate {
    const unsigned char *word, *mark;
    const unsigned char *next, *end;    // the token after it
};

struct punkt {
    const struct punkt_params *params;
    const unsigned char *from, *end;    // the text, without white space at its end
    const unsigned char *at;            // where to look for the next mark
    const unsigned char *start;         // of the next slice; NULL at the end
    struct candidate last;              // its context is not judged yet, if mark is not NULL
    struct bytes slice;                 // not given out yet, if there is one
    int has_slice;
    struct buf low[2], pair;
};

struct punkt *punkt_new(const struct punkt_params *params)
{
    struct punkt *p = xcalloc(1, sizeof(*p));

    p->params = params;
    return p;
}

void punkt_free(struct punkt *p)
{
    if (!p)
        return;
    buf_release(&p->low[0]);
    buf_release(&p->low[1]);
    buf_release(&p->pair);
    free(p);
}

/* The next mark that something follows: 1, or 0 at the end. Leaves c->word alone. */
static int next_mark(struct punkt *p, struct candidate *c)
{
    const unsigned char *q = p->at, *end = p->end;
    size_t len;

    for (; q < end; q++) {
        if (!(punkt_class[*q] & PUNKT_MARK) || q + 1 == end)
            continue;
        c->mark = q++;
        c->next = q;
        c->end = q + 1;
        p->at = q;
        if (punkt_class[*q] & PUNKT_ENDS_WORD)
            return 1;
        for (; (len = punkt_space(c->next, end)); c->next += len)
            ;
        if (c->next > q && c->next < end) {
            for (c->end = c->next; c->end < end && !punkt_space(c->end, end); c->end++)
                ;
            return 1;
        }
        q--;
    }
    p->at = end;
    return 0;
}

/* Where the word begins that ends before c's mark: after the last ASCII white space since the
 * candidate before it, else where that one's word begins. The reference does not see white space
 * that is the text's first character. */
static const unsigned char *word_start(const struct punkt *p, const struct candidate *c,
                                       const struct candidate *before)
{
    const unsigned char *from = before->mark ? before->mark : p->from, *q = c->mark;

    while (q > from)
        if (punkt_class[*--q] & PUNKT_SPACE)
            return q == p->from ? q : q + 1;
    return before->mark ? before->word : p->from;
}

/* The next context, after those that overlap with it: 1, or 0 at the end. */
static int next_context(struct punkt *p, struct candidate *c)
{
    struct candidate next;

    for (;;) {
        if (!next_mark(p, &next)) {
            *c = p->last;
            p->last.mark = NULL;
            return c->mark != NULL;
        }
        next.word = word_start(p, &next, &p->last);
        *c = p->last;
        p->last = next;
        if (c->mark && c->mark <= next.word)
            return 1;
    }
}

/* What a token is by itself. Types are only asked of those that end in a full stop. */
static void judge_alone(const struct punkt *p, struct punkt_token *t)
{
    struct bytes body = t->number ? t->s : t->type;
    size_t i;

    if (t->s.n == 1 && punkt_class[*t->s.p] & PUNKT_MARK) {
        t->ends = 1;
        return;
    }
    if (!t->dot || t->ellipsis || (t->s.n > 1 && t->s.p[t->s.n - 2] == '.'))
        return;
    body.n--;
    for (i = body.n; i && body.p[i - 1] != '-'; i--)
        ;
    t->abbrev =
        punkt_known(p->params, body) & PUNKT_ABBREV ||
        (i && punkt_known(p->params, (struct bytes){ body.p + i, body.n - i }) & PUNKT_ABBREV);
    t->ends = !t->abbrev;
}

enum guess { NO, YES, UNDECIDED };

/* Whether t begins a sentence, by how its type is written elsewhere. */
static enum guess begins(const struct punkt_token *t, unsigned known)
{
    static const char inner[] = { ';', ':', ',', '.', '!', '?' };

    if (t->s.n == 1 && memchr(inner, *t->s.p, sizeof(inner)))
        return NO;
    if (t->upper && known & PUNKT_LOWER && !(known & PUNKT_UPPER_MID))
        return YES;
    if (t->lower && (known & PUNKT_UPPER || !(known & PUNKT_LOWER_FIRST)))
        return NO;
    return UNDECIDED;
}

/* Look again at t, which ends in a full stop, now that the token after it is known. */
static void judge_again(struct punkt *p, struct punkt_token *t, const struct punkt_token *next)
{
    struct bytes said = punkt_token_said(next);
    unsigned known = punkt_known(p->params, said);
    enum guess guess = begins(next, known);

    if (punkt_known_pair(p->params, punkt_token_bare(t), said, &p->pair)) {
        t->ends = 0;
        return;
    }
    if ((t->abbrev || t->ellipsis) && !t->initial) {
        if (guess == YES || (next->upper && known & PUNKT_STARTER)) {
            t->ends = 1;
            return;
        }
    }
    if (!t->initial && !t->number)
        return;
    if (guess == NO || (guess == UNDECIDED && t->initial && next->upper && !(known & PUNKT_LOWER)))
        t->ends = 0;
}

/* Whether a token of s other than the last ends a sentence. */
static int has_end(struct punkt *p, struct bytes s)
{
    struct punkt_token t[2], *last = NULL, *now = &t[0];
    int room = 0;

    while (punkt_token_next(&s, now)) {
        if (now->dot || (last && last->dot)) {
            punkt_token_type(now, &p->low[room]);
            room = !room;
        }
        judge_alone(p, now);
        if (last && last->dot)
            judge_again(p, last, now);
        if (last && last->ends)
            return 1;
        last = now;
        now = last == &t[0] ? &t[1] : &t[0];
    }
    return 0;
}

/* The next slice: up to a mark that ends a sentence; the last one up to the end. */
static int next_slice(struct punkt *p, struct bytes *slice)
{
    struct candidate c;

    if (!p->start)
        return 0;
    slice->p = p->start;
    p->start = NULL;
    while (next_context(p, &c)) {
        if (!has_end(p, (struct bytes){ c.word, (size_t)(c.end - c.word) }))
            continue;
        p->start = c.next;
        slice->n = (size_t)(c.mark + 1 - slice->p);
        return 1;
    }
    slice->n = (size_t)(p->end - slice->p);
    return 1;
}

/* The closing marks that s begins with and that belong to the sentence before: their length, and
 * with the white space after them in *all. */
static size_t closers(struct bytes s, size_t *all)
{
    const unsigned char *end = bytes_end(s), *q = s.p;
    size_t n, len;

    while (q < end && punkt_class[*q] & PUNKT_CLOSER)
        q++;
    n = (size_t)(q - s.p);
    *all = n;
    if (!n || q == end)
        return n;
    for (; (len = punkt_space(q, end)); q += len)
        *all += len;
    return *all > n || (end - q > 1 && q[0] == '-' && q[1] == '-') ? n : 0;
}

void punkt_start(struct punkt *p, struct bytes text)
{
    struct bytes core = unicode_strip(text);

    text.n = core.n ? (size_t)(core.p + core.n - text.p) : 0;
    p->from = p->at = p->start = text.p;
    p->end = text.p + text.n;
    p->last = (struct candidate){ 0 };
    p->has_slice = text.n && next_slice(p, &p->slice);
}

int punkt_next(struct punkt *p, struct bytes *sentence)
{
    struct bytes next;
    size_t n, all;

    while (p->has_slice) {
        *sentence = p->slice;
        p->has_slice = next_slice(p, &next);
        if (p->has_slice) {
            n = closers(next, &all);
            if (n) {
                sentence->n = (size_t)(next.p + n - sentence->p);
                next.p += all;
                next.n -= all;
            }
            p->slice = next;
        }
        if (sentence->n)
            return 1;
    }
    return 0;
}

size_t punkt_count(struct punkt *p, struct bytes text, size_t enough)
{
    struct bytes sentence;
    size_t n = 0;

    if (!enough)
        return 0;
    punkt_start(p, text);
    while (n < enough && punkt_next(p, &sentence))
        n++;
    return n;
}
