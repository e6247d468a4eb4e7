/* gather.c - see gather.h, and train.h. */
#include <stdlib.h>
#include <string.h>

#include "punkt/gather.h"
#include "punkt/params.h"
#include "punkt/train.h"

struct punkt_trainer *punkt_trainer_new(void)
{
    struct punkt_trainer *t = xcalloc(1, sizeof(*t));

    t->type = types_new();
    t->pair = types_new();
    t->number = TYPE_NONE;
    return t;
}

void punkt_trainer_free(struct punkt_trainer *t)
{
    if (!t)
        return;
    types_free(t->type);
    types_free(t->pair);
    free(t->n_type.n);
    free(t->n_pair.n);
    free(t->n_part.n);
    free(t->n_vote.n);
    free(t->context);
    buf_release(&t->low[0]);
    buf_release(&t->low[1]);
    free(t);
}

void punkt_counts_add(struct punkt_counts *c, uint32_t i, uint64_t n)
{
    size_t cap = c->cap;

    if (i >= cap) {
        c->cap = i < 512 ? 1024 : 2 * (size_t)i;
        c->n = xreallocarray(c->n, c->cap, sizeof(*c->n));
        memset(c->n + cap, 0, (c->cap - cap) * sizeof(*c->n));
    }
    c->n[i] += n;
}

uint64_t punkt_counts_get(const struct punkt_counts *c, uint32_t i)
{
    return i < c->cap ? c->n[i] : 0;
}

uint32_t punkt_count_type(struct types *t, struct punkt_counts *c, struct bytes s)
{
    uint32_t i = types_add(t, s);

    punkt_counts_add(c, i, 1);
    return i;
}

unsigned punkt_context_bit(enum punkt_place place, int upper, int lower)
{
    static const unsigned char up[] = { PUNKT_UPPER_FIRST, PUNKT_UPPER_MID, PUNKT_UPPER_UNSURE };
    static const unsigned char low[] = { PUNKT_LOWER_FIRST, PUNKT_LOWER_MID, PUNKT_LOWER_UNSURE };

    return upper ? up[place] : lower ? low[place] : 0;
}

enum punkt_place punkt_place_of(enum punkt_place place, int new_line, int new_part)
{
    if (new_part && place != PLACE_UNSURE)
        place = PLACE_FIRST;
    return new_line && place == PLACE_MID ? PLACE_UNSURE : place;
}

static void add_context(struct punkt_trainer *t, uint32_t type, unsigned bit)
{
    size_t cap = t->context_cap;

    if (type >= cap) {
        t->context_cap = type < 512 ? 1024 : 2 * (size_t)type;
        t->context = xreallocarray(t->context, t->context_cap, 1);
        memset(t->context + cap, 0, t->context_cap - cap);
    }
    t->context[type] = (unsigned char)(t->context[type] | bit);
}

static void add_pair(struct punkt_trainer *t, uint32_t type, const struct punkt_token *now)
{
    struct punkt_pair p = { .first = t->last_type, .second = type };

    p.flags = (t->last.initial ? PAIR_INITIAL : 0) | (now->upper ? PAIR_UPPER : 0) |
              (now->lower ? PAIR_LOWER : 0) | (punkt_is_letters(now->s) ? PAIR_LETTERS : 0) |
              (now->new_line ? PAIR_NEW_LINE : 0) | (now->new_part ? PAIR_NEW_PART : 0);
    punkt_count_type(t->pair, &t->n_pair, (struct bytes){ (unsigned char *)&p, sizeof(p) });
}

static void add_token(struct punkt_trainer *t, struct punkt_token *now)
{
    uint32_t type;

    punkt_token_type(now, &t->low[t->room]);
    type = punkt_count_type(t->type, &t->n_type, now->type);
    punkt_counts_add(&t->n_part, type, 1);
    t->n_token++;
    t->n_dot += now->dot;
    if (now->number) {
        t->number = type;
        t->n_dot_number += now->dot;
    }
    if (t->has_last && t->last.dot) {
        add_pair(t, type, now);
        add_context(t, type, 0);
    } else {
        int mark = t->has_last && t->last.s.n == 1 && punkt_is_mark(t->last.type.p[0]);

        add_context(t, type,
                    punkt_context_bit(punkt_place_of(mark ? PLACE_FIRST : PLACE_MID, now->new_line,
                                                     now->new_part),
                                      now->upper, now->lower));
    }
    t->last = *now;
    t->last_type = type;
    t->has_last = 1;
    t->room = !t->room;
}

void punkt_trainer_line(struct punkt_trainer *t, struct bytes line)
{
    struct punkt_token now;
    int n = 0;

    while (punkt_token_next(&line, &now)) {
        now.new_line |= !n;
        now.new_part |= !n && t->empty_line;
        n++;
        add_token(t, &now);
    }
    t->empty_line = !n;
}

uint64_t punkt_trainer_tokens(const struct punkt_trainer *t)
{
    return t->n_token;
}
