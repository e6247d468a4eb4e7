/* lexicon.c - see lexicon.h.
 *
 * All strings lie in one buffer, string i at [end[i - 1], end[i]). `slot` is an open hash table
 * of numbers plus one, at most half full.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "score/lexicon.h"

enum { SLOTS_MIN = 64 };

struct lexicon {
    struct buf text;
    size_t *end;
    size_t n, cap;
    uint32_t *slot;
    size_t n_slot;    // a power of two
};

struct lexicon *lexicon_new(void)
{
    struct lexicon *l = xcalloc(1, sizeof(*l));

    buf_need(&l->text, 1);    // empty strings have a place too
    l->n_slot = SLOTS_MIN;
    l->slot = xcalloc(l->n_slot, sizeof(*l->slot));
    return l;
}

struct bytes lexicon_text(const struct lexicon *l, size_t i)
{
    size_t from = i ? l->end[i - 1] : 0;

    return (struct bytes){ l->text.p + from, l->end[i] - from };
}

/* Where s is or, being absent, would go. */
static size_t slot_of(const struct lexicon *l, struct bytes s)
{
    size_t at = hash_xx64(s.p, s.n, 0) & (l->n_slot - 1);

    while (l->slot[at]) {
        struct bytes t = lexicon_text(l, l->slot[at] - 1);

        if (t.n == s.n && (!s.n || !memcmp(t.p, s.p, s.n)))
            break;
        at = (at + 1) & (l->n_slot - 1);
    }
    return at;
}

static void grow(struct lexicon *l)
{
    size_t i;

    l->n_slot *= 2;
    free(l->slot);
    l->slot = xcalloc(l->n_slot, sizeof(*l->slot));
    for (i = 0; i < l->n; i++)
        l->slot[slot_of(l, lexicon_text(l, i))] = (uint32_t)i + 1;
}

uint32_t lexicon_add(struct lexicon *l, struct bytes s)
{
    size_t at = slot_of(l, s);

    if (l->slot[at])
        return l->slot[at] - 1;
    if (2 * (l->n + 1) > l->n_slot) {
        grow(l);
        at = slot_of(l, s);
    }
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : SLOTS_MIN;
        l->end = xreallocarray(l->end, l->cap, sizeof(*l->end));
    }
    buf_add(&l->text, s.p, s.n);
    l->end[l->n++] = l->text.n;
    l->slot[at] = (uint32_t)l->n;
    return (uint32_t)l->n - 1;
}

int64_t lexicon_find(const struct lexicon *l, struct bytes s)
{
    return (int64_t)l->slot[slot_of(l, s)] - 1;
}

size_t lexicon_size(const struct lexicon *l)
{
    return l->n;
}

void lexicon_reset(struct lexicon *l)
{
    memset(l->slot, 0, l->n_slot * sizeof(*l->slot));
    l->n = 0;
    buf_reset(&l->text);
}

void lexicon_free(struct lexicon *l)
{
    if (!l)
        return;
    buf_release(&l->text);
    free(l->end);
    free(l->slot);
    free(l);
}
