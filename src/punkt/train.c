/* train.c - see train.h. What is counted, gather.c counts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "punkt/gather.h"
#include "punkt/params.h"
#include "punkt/train.h"
#include "text/utf8.h"

/* What Punkt makes of a type by itself (section 3). */
enum state { OTHER, MARK, ELLIPSIS, ABBREV, BREAK };

struct learner {
    const struct punkt_trainer *t;
    const struct punkt_bars *bars;
    struct punkt_params *to, *all;    // all: every context
    unsigned char *state;             // of each type
    uint64_t *n_start;                // of each type: how often it begins a sentence
    struct types *colloc;             // FIRST<LF>SECOND
    struct punkt_counts n_colloc;
    double n_break;
    struct buf room;
};

static struct bytes without_dot(struct bytes s)
{
    s.n -= s.n > 1 && s.p[s.n - 1] == '.';
    return s;
}

/* How often a type was seen, by counts. */
static double seen_in(const struct punkt_trainer *t, const struct punkt_counts *c, struct bytes s)
{
    uint32_t i = types_find(t->type, s);

    return i == TYPE_NONE ? 0 : (double)punkt_counts_get(c, i);
}

/* How often a type was seen without a full stop, */
static double seen(const struct learner *l, struct bytes s)
{
    return seen_in(l->t, &l->t->n_type, s);
}

/* and with or without. */
static double seen_both(struct learner *l, struct bytes s)
{
    buf_reset(&l->room);
    buf_add(&l->room, s.p, s.n);
    buf_add_byte(&l->room, '.');
    return seen(l, s) + seen(l, buf_bytes(&l->room));
}

/* Section 3.1: the likelihood that word and full stop belong together, times what length, full
 * stops within and being seen without the last one say. p: the share of tokens with a full stop. */
static double abbrev_score(struct bytes body, double with, double without, double p)
{
    double likely = 2 * with * (log(0.99) - log(p)), inner = 0, rest;
    size_t i;

    for (i = 0; i < body.n; i++)
        inner += body.p[i] == '.';
    if (without > 0)
        likely += 2 * without * (log(0.01) - log(1 - p));
    rest = (double)utf8_count(body) - inner;
    return likely * exp(-rest) * (inner + 1) * pow(rest, -without);
}

/* Whether type may be an abbreviation: *body is it without its full stop. */
static int may_be_abbrev(const struct punkt_trainer *t, uint32_t type, struct bytes *body)
{
    *body = types_get(t->type, type);
    if (body->n < 2 || body->p[body->n - 1] != '.' || !punkt_has_letter(*body))
        return 0;
    body->n--;
    return 1;
}

void punkt_trainer_vote(struct punkt_trainer *t, const struct punkt_bars *bars)
{
    double p = (double)(t->n_dot - t->dot_before) / (double)(t->n_token - t->token_before);
    size_t i, n = types_count(t->type);
    struct bytes body;

    for (i = 0; i < n; i++) {
        double with = (double)punkt_counts_get(&t->n_part, (uint32_t)i);

        if (with > 0 && may_be_abbrev(t, (uint32_t)i, &body) &&
            abbrev_score(body, with, seen_in(t, &t->n_part, body), p) >= bars->abbrev)
            punkt_counts_add(&t->n_vote, (uint32_t)i, 1);
    }
    if (t->n_part.cap)
        memset(t->n_part.n, 0, t->n_part.cap * sizeof(*t->n_part.n));
    t->token_before = t->n_token;
    t->dot_before = t->n_dot;
}

static void find_abbrevs(struct learner *l)
{
    double p = (double)l->t->n_dot / (double)l->t->n_token;
    size_t i, n = types_count(l->t->type);
    struct bytes body;

    for (i = 0; i < n; i++) {
        double with = (double)punkt_counts_get(&l->t->n_type, (uint32_t)i);

        if (with == 0 || !may_be_abbrev(l->t, (uint32_t)i, &body))
            continue;
        if (l->bars->votes
                ? punkt_counts_get(&l->t->n_vote, (uint32_t)i) >= (uint64_t)l->bars->votes
                : abbrev_score(body, with, seen(l, body), p) >= l->bars->abbrev)
            punkt_learn(l->to, body, PUNKT_ABBREV);
    }
}

static enum state state_of(const struct learner *l, struct bytes s)
{
    size_t i;

    if (s.n == 1 && punkt_is_mark(*s.p))
        return MARK;
    if (s.p[s.n - 1] != '.')
        return OTHER;
    for (i = s.n; i && s.p[i - 1] == '.'; i--)
        ;
    if (!i)
        return ELLIPSIS;
    if (s.p[s.n - 2] == '.')
        return OTHER;
    s.n--;
    if (punkt_known(l->to, s) & PUNKT_ABBREV)
        return ABBREV;
    for (i = s.n; i && s.p[i - 1] != '-'; i--)
        ;
    return i && punkt_known(l->to, (struct bytes){ s.p + i, s.n - i }) & PUNKT_ABBREV ? ABBREV
                                                                                      : BREAK;
}

static void find_states(struct learner *l)
{
    size_t i, n = types_count(l->t->type);

    for (i = 0; i < n; i++) {
        l->state[i] = (unsigned char)state_of(l, types_get(l->t->type, (uint32_t)i));
        if (l->state[i] == MARK || l->state[i] == BREAK)
            l->n_break += (double)l->t->n_type.n[i];
    }
    l->n_break += (double)l->t->n_dot_number;
    if (l->t->number != TYPE_NONE)
        l->state[l->t->number] = BREAK;    // asked only of those with a full stop
}

/* A type, without the full stop that ends a sentence. */
static struct bytes said(const struct learner *l, uint32_t type)
{
    struct bytes s = types_get(l->t->type, type);

    return l->state[type] == BREAK ? without_dot(s) : s;
}

static struct punkt_pair pair_get(const struct learner *l, size_t i)
{
    struct punkt_pair p;

    memcpy(&p, types_get(l->t->pair, (uint32_t)i).p, sizeof(p));
    return p;
}

/* Whether the first of a pair ends a sentence: 1, or 2 when it is an initial or a number. */
static int pair_break(const struct learner *l, const struct punkt_pair *p)
{
    if (l->state[p->first] != BREAK && l->state[p->first] != MARK)
        return 0;
    return p->flags & PAIR_INITIAL || p->first == l->t->number ? 2 : 1;
}

static void find_contexts(struct learner *l)
{
    size_t i, n = types_count(l->t->type);

    for (i = 0; i < n; i++)
        if (l->t->context[i])
            punkt_learn(l->all, said(l, (uint32_t)i), l->t->context[i]);
    n = types_count(l->t->pair);
    for (i = 0; i < n; i++) {
        struct punkt_pair p = pair_get(l, i);
        enum punkt_place place = l->state[p.first] == OTHER ? PLACE_MID
                                 : pair_break(l, &p) == 1   ? PLACE_FIRST
                                                            : PLACE_UNSURE;
        unsigned bit = punkt_context_bit(
            punkt_place_of(place, (p.flags & PAIR_NEW_LINE) != 0, (p.flags & PAIR_NEW_PART) != 0),
            (p.flags & PAIR_UPPER) != 0, (p.flags & PAIR_LOWER) != 0);

        if (bit)
            punkt_learn(l->all, said(l, p.second), bit);
    }
}

/* Section 4.2: a rare word is an abbreviation by what follows it. */
static int is_rare_abbrev(struct learner *l, const struct punkt_pair *p)
{
    struct bytes s = said(l, p->first), next = said(l, p->second);
    unsigned known;

    if (l->state[p->first] != BREAK || p->first == l->t->number ||
        seen_both(l, s) >= (double)l->bars->rare)
        return 0;
    if (*next.p == ',' || *next.p == ':' || *next.p == ';')
        return 1;
    known = punkt_known(l->all, next);
    return p->flags & PAIR_LOWER && known & PUNKT_UPPER_FIRST && !(known & PUNKT_UPPER_MID);
}

/* What pairs tell: rare abbreviations, what may begin sentences, what may be collocations. */
static void count_pairs(struct learner *l)
{
    size_t i, n = types_count(l->t->pair);

    for (i = 0; i < n; i++) {
        struct punkt_pair p = pair_get(l, i);
        struct bytes first = types_get(l->t->type, p.first), second = said(l, p.second);
        int ends = pair_break(l, &p);
        uint32_t c;

        if (is_rare_abbrev(l, &p))
            punkt_learn(l->to, without_dot(first), PUNKT_ABBREV);
        if (ends == 1 && p.flags & PAIR_LETTERS)
            l->n_start[p.second] += l->t->n_pair.n[i];
        if (ends != 2 || !punkt_has_letter(first) || !punkt_has_letter(second))
            continue;
        first = without_dot(first);
        buf_reset(&l->room);
        buf_add(&l->room, first.p, first.n);
        buf_add_byte(&l->room, '\n');
        buf_add(&l->room, second.p, second.n);
        c = punkt_count_type(l->colloc, &l->n_colloc, buf_bytes(&l->room));
        punkt_counts_add(&l->n_colloc, c, l->t->n_pair.n[i] - 1);
    }
}

static double log_part(double n, double p, double rest)
{
    return p <= 0 || p >= 1 ? 0 : n * log(p) + rest * log(1 - p);
}

/* Dunning's log likelihood ratio of a and b being seen together ab times of n. */
static double likelihood(double a, double b, double ab, double n)
{
    double p = b / n, p1 = ab / a, p2 = n > a ? (b - ab) / (n - a) : 1;

    return -2 * (log_part(ab, p, a - ab) + log_part(b - ab, p, n - a - b + ab) -
                 (a == ab ? 0 : log_part(ab, p1, a - ab)) -
                 (b == ab ? 0 : log_part(b - ab, p2, n - a - b + ab)));
}

/* Section 4.1.3. */
static void find_starters(struct learner *l)
{
    size_t i, n = types_count(l->t->type);
    double total = (double)l->t->n_token;

    for (i = 0; i < n; i++) {
        struct bytes s = types_get(l->t->type, (uint32_t)i);
        double start = (double)l->n_start[i], all;

        if (!start)
            continue;
        all = seen_both(l, s);
        if (likelihood(l->n_break, all, start, total) >= l->bars->starter &&
            total / l->n_break > all / start)
            punkt_learn(l->to, s, PUNKT_STARTER);
    }
}

/* Section 4.1.2. */
static void find_collocations(struct learner *l)
{
    size_t i, n = types_count(l->colloc);
    double total = (double)l->t->n_token;

    for (i = 0; i < n; i++) {
        struct bytes s = types_get(l->colloc, (uint32_t)i), next;
        unsigned char *lf = memchr(s.p, '\n', s.n);
        double a, b, ab = (double)punkt_counts_get(&l->n_colloc, (uint32_t)i);

        next = (struct bytes){ lf + 1, (size_t)(s.p + s.n - lf - 1) };
        s.n = (size_t)(lf - s.p);
        if (ab < 2 || punkt_known(l->to, next) & PUNKT_STARTER)
            continue;
        a = seen_both(l, s);
        b = seen_both(l, next);
        if (ab <= a && ab <= b && likelihood(a, b, ab, total) >= l->bars->collocation &&
            total / a > b / ab)
            punkt_learn_pair(l->to, s, next);
    }
}

/* A type that was never seen in lower case is as good as one that was never seen. */
static void keep_contexts(struct learner *l)
{
    size_t i, n = types_count(l->t->type);

    for (i = 0; i < n; i++) {
        struct bytes s = said(l, (uint32_t)i);
        unsigned known = punkt_known(l->all, s);

        if (known & PUNKT_LOWER && seen_both(l, s) >= (double)l->bars->context)
            punkt_learn(l->to, s, known);
    }
}

struct punkt_params *punkt_trainer_learn(const struct punkt_trainer *t,
                                         const struct punkt_bars *bars)
{
    struct learner l = { .t = t, .bars = bars };
    size_t n = types_count(t->type) + 1;

    l.to = punkt_params_new();
    l.all = punkt_params_new();
    l.state = xcalloc(n, sizeof(*l.state));
    l.n_start = xcalloc(n, sizeof(*l.n_start));
    l.colloc = types_new();
    find_abbrevs(&l);
    find_states(&l);
    find_contexts(&l);
    count_pairs(&l);
    find_starters(&l);
    find_collocations(&l);
    keep_contexts(&l);
    punkt_params_free(l.all);
    free(l.state);
    free(l.n_start);
    types_free(l.colloc);
    free(l.n_colloc.n);
    buf_release(&l.room);
    return l.to;
}
