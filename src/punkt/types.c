/* types.c - see types.h. Slots are open addressing, at most half full, and hold number + 1. */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/hash.h"
#include "punkt/types.h"

struct type {
    size_t at;    // in text
    uint32_t n, hash;
};

struct types {
    struct buf text;
    struct type *type;
    uint32_t *slot;
    size_t n, cap, n_slot;    // cap types; n_slot is a power of two
};

static void slots_new(struct types *t, size_t n_slot)
{
    size_t i, s;

    free(t->slot);
    t->n_slot = n_slot;
    t->slot = xcalloc(n_slot, sizeof(*t->slot));
    for (i = 0; i < t->n; i++) {
        for (s = t->type[i].hash & (n_slot - 1); t->slot[s]; s = (s + 1) & (n_slot - 1))
            ;
        t->slot[s] = (uint32_t)i + 1;
    }
}

struct types *types_new(void)
{
    struct types *t = xcalloc(1, sizeof(*t));

    slots_new(t, 64);
    return t;
}

void types_free(struct types *t)
{
    if (!t)
        return;
    buf_release(&t->text);
    free(t->type);
    free(t->slot);
    free(t);
}

/* The slot that holds s, or the free one where it would go. */
static size_t slot_of(const struct types *t, struct bytes s, uint32_t hash)
{
    size_t i = hash & (t->n_slot - 1);

    for (; t->slot[i]; i = (i + 1) & (t->n_slot - 1)) {
        const struct type *at = &t->type[t->slot[i] - 1];

        if (at->hash == hash && at->n == s.n && !memcmp(t->text.p + at->at, s.p, s.n))
            break;
    }
    return i;
}

static uint32_t hash_of(struct bytes s)
{
    return (uint32_t)hash_xx64(s.p, s.n, 0);
}

uint32_t types_add(struct types *t, struct bytes s)
{
    uint32_t hash = hash_of(s);
    size_t slot = slot_of(t, s, hash);

    if (t->slot[slot])
        return t->slot[slot] - 1;
    if (t->n >= TYPE_NONE - 1 || s.n > UINT32_MAX)
        die("too many types");
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->type = xreallocarray(t->type, t->cap, sizeof(*t->type));
    }
    t->type[t->n] = (struct type){ t->text.n, (uint32_t)s.n, hash };
    buf_add(&t->text, s.p, s.n);
    t->slot[slot] = (uint32_t)++t->n;
    if (2 * t->n > t->n_slot)
        slots_new(t, 2 * t->n_slot);
    return (uint32_t)t->n - 1;
}

uint32_t types_find(const struct types *t, struct bytes s)
{
    return t->slot[slot_of(t, s, hash_of(s))] - 1;    // 0 - 1 is TYPE_NONE
}

struct bytes types_get(const struct types *t, uint32_t i)
{
    return (struct bytes){ t->text.p + t->type[i].at, t->type[i].n };
}

size_t types_count(const struct types *t)
{
    return t->n;
}
