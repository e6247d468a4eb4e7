/* code.c - see code.h. */
#include <stdlib.h>

#include "spm/code.h"
#include "spm/vocab.h"

enum { POINTS = 0x110000, CHARS_MAX = (1 << 15) - 1 };

struct count {
    uint32_t c, n;
};

/* The character at p, of valid text. */
static inline uint32_t char_at(const unsigned char *p, uint32_t *len)
{
    if (p[0] < 0x80)
        return *len = 1, p[0];
    if (p[0] < 0xE0)
        return *len = 2, (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if (p[0] < 0xF0)
        return *len = 3, (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    *len = 4;
    return (p[0] & 7u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

static int count_order(const void *a, const void *b)
{
    const struct count *x = a, *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->c < y->c ? -1 : x->c > y->c;
}

/* The characters of all pieces, those that are there most first. */
static struct count *count_chars(const struct vocab *v, const unsigned char *used, size_t *n)
{
    uint32_t *seen = xcalloc(POINTS, sizeof(*seen)), c, len, at;
    struct count *all = NULL;
    size_t cap = 0;
    int32_t id;

    for (id = 0, *n = 0; id < v->n_piece; id++)
        for (at = 0; used[id] && at < v->piece[id].n; at += len) {
            c = char_at(v->piece[id].p + at, &len);
            if (!seen[c]) {
                if (*n == cap) {
                    cap = cap ? 2 * cap : 1024;
                    all = xreallocarray(all, cap, sizeof(*all));
                }
                all[(*n)++].c = c;
            }
            seen[c]++;
        }
    for (at = 0; at < *n; at++)
        all[at].n = seen[all[at].c];
    free(seen);
    if (*n)
        qsort(all, *n, sizeof(*all), count_order);
    return all;
}

int codes_init(struct codes *c, const struct vocab *v, const unsigned char *used)
{
    size_t n, i;
    struct count *all = count_chars(v, used, &n);

    *c = (struct codes){ .of = xcalloc(POINTS, sizeof(*c->of)) };
    for (i = 0; i < n && n <= CHARS_MAX; i++)
        c->of[all[i].c] = (uint16_t)(i + 1);
    free(all);
    return n <= CHARS_MAX ? 0 : -1;
}

void codes_release(struct codes *c)
{
    free(c->of);
    *c = (struct codes){ 0 };
}

uint32_t codes_write(const struct codes *c, const unsigned char *text, uint32_t n, uint16_t *to)
{
    const unsigned char *p = text, *end = text + n;
    const uint16_t *start = to;
    uint32_t len;

    while (p < end) {
        for (; p < end && (*p & 0xF0) == 0xE0; p += 3)
            *to++ = c->of[char_at(p, &len)];
        for (; p < end && (*p & 0xF0) != 0xE0; p += len)
            *to++ = c->of[char_at(p, &len)];
    }
    return (uint32_t)(to - start);
}
