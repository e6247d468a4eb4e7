/* normal.c - see normal.h.
 *
 * A step takes the longest rule that the rest of the input begins with, or one character; what no
 * rule touches (rules.h) is copied in runs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/normal.h"
#include "text/rules.h"

enum { SPACE = 3 };    // bytes of an escaped space
static const unsigned char UNKNOWN[] = { 0xEF, 0xBF, 0xBD };

/* What p (n > 0 bytes) begins with, and what becomes of it: the bytes used. */
static size_t step(const struct normal *n, const unsigned char *p, size_t len, struct bytes *out)
{
    uint32_t value = 0, c;
    size_t used;

    if (n->whole_first[*p]) {
        used = trie_longest(&n->whole, (struct bytes){ p, len });
        if (used) {
            *out = (struct bytes){ p, used };
            return used;
        }
    }
    used = rule_find(n, p, len, &value);
    if (used) {
        *out = (struct bytes){ n->text + value, strlen((const char *)n->text + value) };
        return used;
    }
    used = utf8_at(p, len, &c);
    *out = used ? (struct bytes){ p, used } : (struct bytes){ UNKNOWN, sizeof(UNKNOWN) };
    return used ? used : 1;
}

struct run {
    const struct normal *n;
    struct bytes in;
    struct buf *out;
    struct normal_map *map;
    size_t at;        // bytes of in that are done
    int was_space;    // and extra ones are to go
    size_t n_invalid;
};

static void emit(struct run *r, const unsigned char *p, size_t n, size_t from)
{
    size_t i, all = r->out->n + n + 1;

    buf_add(r->out, p, n);
    if (!r->map)
        return;
    if (all > r->map->cap) {
        r->map->cap = all + all / 2;
        r->map->at = xreallocarray(r->map->at, r->map->cap, sizeof(*r->map->at));
    }
    for (i = r->out->n - n; i <= r->out->n; i++)
        r->map->at[i] = from;
}

/* Copy characters that no rule touches, and map them; says whether there were any. */
static int copy_plain(struct run *r)
{
    const struct normal *n = r->n;
    const unsigned char *p = r->in.p;
    size_t i = r->at, j, end = r->in.n;
    uint32_t c;

    while (i < end) {
        if (p[i] < 0x80) {
            if (p[i] == ' ' || !n->plain[p[i]] || (i + 1 < end && p[i + 1] >= 0x80))
                break;
            i++;
        } else {
            size_t len = utf8_at(p + i, end - i, &c);

            if (!len || c >= RULES_BMP || n->touch[c] != UNTOUCHED)
                break;
            i += len;
        }
    }
    if (i == r->at)
        return 0;
    for (j = r->at; j < i;) {
        size_t len = utf8_at(p + j, end - j, &c);

        emit(r, p + j, len, j);
        j += len;
    }
    r->at = i;
    r->was_space = 0;
    return 1;
}

/* A run in progress: from p, up to end, to o, where there is room for all that may come. */
struct copy {
    const unsigned char *p, *end;
    unsigned char *o;
};

static inline int is_untouched(const struct normal *n, uint32_t c, const unsigned char *next,
                               const unsigned char *end)
{
    return n->touch[c] == UNTOUCHED ||
           (n->touch[c] == GOES_ON && !(next < end && n->follows[*next]));
}

/* Printed ASCII but spaces, eight bytes at a time; the last one waits if it may be part of a rule.
 */
static inline void copy_ascii(struct copy *c)
{
    const uint64_t ones = 0x0101010101010101u;

    while (c->end - c->p > 8) {
        uint64_t x, stop;
        size_t n;

        memcpy(&x, c->p, sizeof(x));
        memcpy(c->o, &x, sizeof(x));
        stop = (x | (x - ones * 0x21) | (x + ones)) & ones << 7;    // the lowest one is true
        n = stop ? (size_t)__builtin_ctzll(stop) >> 3 : 8;
        n -= n && c->p[n] >= 0x80;
        c->p += n;
        c->o += n;
        if (stop)
            break;
    }
}

/* Characters of two bytes, then of three, that no rule touches. */
static inline void copy_wide(const struct normal *n, struct copy *c)
{
    const unsigned char *p = c->p, *end = c->end;
    unsigned char *o = c->o;
    uint32_t x;

    for (; end - p > 4; p += 2, o += 2) {
        memcpy(&x, p, 4);
        memcpy(o, &x, 4);
        if ((x & 0xC0E0) != 0x80C0)
            break;
        x = (x & 0x1F) << 6 | (x >> 8 & 0x3F);
        if (x < 0x80 || !is_untouched(n, x, p + 2, end))
            break;
    }
    for (; end - p > 4; p += 3, o += 3) {
        memcpy(&x, p, 4);
        memcpy(o, &x, 4);
        if ((x & 0xC0C0F0) != 0x8080E0)
            break;
        x = (x & 0xF) << 12 | (x >> 2 & 0xFC0) | (x >> 16 & 0x3F);
        if (x < 0x800 || !is_untouched(n, x, p + 3, end))
            break;
    }
    c->p = p;
    c->o = o;
}

/* One character: says whether no rule touches it. */
static inline int copy_one(const struct normal *n, struct copy *c, int *was_space)
{
    const unsigned char *p = c->p;
    uint32_t x;
    size_t len = 1;

    if (*p >= 0x80) {
        len = utf8_at(p, (size_t)(c->end - p), &x);
        if (!len || x >= RULES_BMP || !is_untouched(n, x, p + len, c->end))
            return 0;
    } else if (!n->plain[*p] || (p + 1 < c->end && n->pair[*p][p[1] >> 3] >> (p[1] & 7) & 1)) {
        return 0;
    }
    c->p += len;
    if (*p == ' ') {
        if (!*was_space) {
            memcpy(c->o, n->space, 4);    // there is room, and four go at once
            c->o += n->n_space;
        }
        *was_space = n->spec.remove_extra;
        return 1;
    }
    for (; len; len--)
        *c->o++ = *p++;
    *was_space = 0;
    return 1;
}

/* The same without a map, and single spaces on the way: most text is done here. */
static int copy_fast(struct run *r)
{
    const unsigned char *start = r->in.p + r->at, *p;
    struct copy c = { start, r->in.p + r->in.n, NULL };

    buf_need(r->out, r->out->n + SPACE * (size_t)(c.end - c.p) + 1);
    c.o = r->out->p + r->out->n;
    while (c.p < c.end && copy_one(r->n, &c, &r->was_space)) {
        p = c.p;
        if (r->n->all_plain && c.p < c.end && *c.p < 0x80)
            copy_ascii(&c);
        else
            copy_wide(r->n, &c);
        if (c.p > p)
            r->was_space = 0;
    }
    r->out->n = (size_t)(c.o - r->out->p);
    r->at += (size_t)(c.p - start);
    return c.p > start;
}

static void one_step(struct run *r)
{
    struct bytes out;
    size_t used = step(r->n, r->in.p + r->at, r->in.n - r->at, &out), i;

    while (r->was_space && out.n && out.p[0] == ' ') {
        out.p++;
        out.n--;
    }
    for (i = 0; i < out.n;) {
        const unsigned char *space = memchr(out.p + i, ' ', out.n - i);
        size_t n = space ? (size_t)(space - out.p) - i : out.n - i;

        if (n)
            emit(r, out.p + i, n, r->at);
        if (space)
            emit(r, r->n->space, r->n->n_space, r->at);
        i += n + (space != NULL);
    }
    r->n_invalid += out.p == UNKNOWN;
    if (out.n)
        r->was_space = r->n->spec.remove_extra && out.p[out.n - 1] == ' ';
    r->at += used;
}

static void strip_end(struct run *r)
{
    size_t n = r->n->n_space;

    while (r->out->n >= n && !memcmp(r->out->p + r->out->n - n, r->n->space, n)) {
        r->out->n -= n;
        if (r->map)
            r->at = r->map->at[r->out->n];
    }
}

int normal_run_count(const struct normal *n, struct bytes in, struct buf *out,
                     struct normal_map *map, size_t *n_invalid, struct err *err)
{
    struct run r = { .n = n, .in = in, .out = out, .map = map };
    struct bytes o;
    size_t used;

    buf_reset(out);
    buf_need(out, in.n + in.n / 4 + 16);
    emit(&r, NULL, 0, 0);
    while (n->spec.remove_extra && r.at < in.n) {
        used = step(n, in.p + r.at, in.n - r.at, &o);
        if (o.n != 1 || *o.p != ' ')
            break;
        r.at += used;
    }
    *n_invalid = 0;
    if (r.at == in.n)
        return 0;
    if (n->spec.add_dummy_prefix && !n->spec.suffix)
        emit(&r, n->space, n->n_space, r.at);
    r.was_space = n->spec.remove_extra;
    while (r.at < in.n) {
        if (!(map ? copy_plain(&r) : copy_fast(&r)))
            one_step(&r);
        if (out->n > NORMAL_MAX)
            return err_set(err, "text grows past %u bytes when normalised", NORMAL_MAX);
    }
    if (n->spec.remove_extra)
        strip_end(&r);
    if (n->spec.add_dummy_prefix && n->spec.suffix)
        emit(&r, n->space, n->n_space, r.at);
    emit(&r, NULL, 0, r.at);    // the end of the map
    *n_invalid = r.n_invalid;
    return 0;
}

int normal_run(const struct normal *n, struct bytes in, struct buf *out, struct normal_map *map,
               struct err *err)
{
    size_t n_invalid;

    return normal_run_count(n, in, out, map, &n_invalid, err);
}

void normal_map_release(struct normal_map *map)
{
    free(map->at);
    *map = (struct normal_map){ 0 };
}
