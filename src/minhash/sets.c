/* sets.c - see sets.h. A tree a set, each number pointing to a lesser one; the root points to
 * itself, and is marked as soon as anything points to it. Paths are halved while they are walked.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "minhash/sets.h"

#define HAS_MORE ((uint64_t)1 << 63)

struct sets {
    uint64_t *up;
};

struct sets *sets_new(uint64_t n)
{
    struct sets *s = xcalloc(1, sizeof(*s));
    uint64_t i;

    s->up = xreallocarray(NULL, n + 1, sizeof(*s->up));
    for (i = 0; i < n; i++)
        s->up[i] = i;
    return s;
}

void sets_free(struct sets *s)
{
    if (!s)
        return;
    free(s->up);
    free(s);
}

static uint64_t up(const struct sets *s, uint64_t a)
{
    return s->up[a] & ~HAS_MORE;
}

uint64_t sets_find(struct sets *s, uint64_t a)
{
    uint64_t b, c;

    while ((b = up(s, a)) != a) {
        c = up(s, b);
        s->up[a] = c;
        a = c;
    }
    return a;
}

void sets_join(struct sets *s, uint64_t a, uint64_t b)
{
    uint64_t least;

    a = sets_find(s, a);
    b = sets_find(s, b);
    if (a == b)
        return;
    least = a < b ? a : b;
    s->up[a] = s->up[b] = least;
    s->up[least] |= HAS_MORE;
}

int sets_alone(const struct sets *s, uint64_t a)
{
    return s->up[a] == a;
}
