/* normal.c - see normal.h.
 *
 * A step takes the longest rule that the rest of the input begins with, or one character. Most
 * text needs no look at the table: which ASCII pairs and which other characters no rule begins
 * with is found out once, from the table itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/normal.h"
#include "text/trie.h"

enum { MATCH_MAX = 32, BMP = 0x10000 };    // rules that may match at one place, as in SentencePiece
enum { SPACE = 3 };                        // bytes of an escaped space
static const unsigned char SPACES[2][4] = { " ", "\xE2\x96\x81" }, UNKNOWN[] = { 0xEF, 0xBF, 0xBD };

struct normal {
    struct normal_spec spec;    // without its charsmap
    uint32_t *unit;             // Darts double array
    size_t n_unit;
    unsigned char *text;    // what rules put out: NUL-terminated strings
    size_t n_text;
    int sound;
    struct trie whole;
    unsigned char whole_first[256];    // bytes that a string of whole begins with
    unsigned char plain[256];          // ASCII that stays, whatever ASCII follows
    unsigned char pair[128][32];       // bits: ASCII and a byte that some rule begins with
    unsigned char begins[BMP / 8];     // bits: characters above ASCII that some rule begins with
    unsigned char goes_on[BMP / 8];    // bits: those of them that no rule ends with
    unsigned char follows[256];        // bytes that then come next in a rule
    const unsigned char *space;        // what a space is written as: 4 bytes, n_space of them
    size_t n_space;
};

/* The length of the character at p, 0 if it is none: overlong, a surrogate, cut, too high. */
static inline size_t utf8_at(const unsigned char *p, size_t n, uint32_t *c)
{
    if (p[0] < 0x80)
        return *c = p[0], 1;
    if (p[0] < 0xC2 || n < 2 || (p[1] & 0xC0) != 0x80)
        return 0;
    *c = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if (p[0] < 0xE0)
        return 2;
    if (n < 3 || (p[2] & 0xC0) != 0x80)
        return 0;
    *c = (*c & 0x3FF) << 6 | (p[2] & 0x3Fu);
    if (p[0] < 0xF0)
        return *c < 0x800 || (*c >= 0xD800 && *c < 0xE000) ? 0 : 3;
    if (n < 4 || (p[3] & 0xC0) != 0x80 || p[0] > 0xF4)
        return 0;
    *c = ((p[0] & 7u) << 18) | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    return *c < 0x10000 || *c > 0x10FFFF ? 0 : 4;
}

/* The same for most characters of two and three bytes, of which 4 can be read; 0 for the rest. */
static inline size_t utf8_usual(const unsigned char *p, uint32_t *c)
{
    if (p[0] >= 0xE0 && p[0] < 0xED) {    // below surrogates
        *c = (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80 && *c >= 0x800 ? 3 : 0;
    }
    return utf8_at(p, 4, c);
}

static uint32_t unit_offset(uint32_t u)
{
    return (u >> 10) << ((u & 0x200) >> 6);
}

static int unit_is(uint32_t u, unsigned char label)
{
    return (u & 0x800000FF) == label;
}

static int unit_ends(uint32_t u)
{
    return (u & 0x100) != 0;
}

/* The longest rule that p begins with: its length, 0 if none; *value is its text's place. */
static size_t rule_find(const struct normal *n, const unsigned char *p, size_t len, uint32_t *value)
{
    size_t i, longest = 0, match = 0;
    uint32_t at;

    if (!n->n_unit)
        return 0;
    at = unit_offset(n->unit[0]);
    for (i = 0; i < len && match < MATCH_MAX; i++) {
        uint32_t u;

        at ^= p[i];
        if (at >= n->n_unit || !unit_is(n->unit[at], p[i]))
            break;
        u = n->unit[at];
        at ^= unit_offset(u);
        if (!unit_ends(u))
            continue;
        if (at >= n->n_unit || !(n->unit[at] >> 31) || (n->unit[at] & 0x7FFFFFFF) >= n->n_text)
            break;
        *value = n->unit[at] & 0x7FFFFFFF;
        longest = i + 1;
        match++;
    }
    return longest;
}

enum { PATH = 1, ENDS_BEFORE = 2, ENDS = 4 };    // what rule_path() says

/* Do all of p's bytes lie on a path of the table, so that a rule may begin with them, and does one
 * end with the last of them, or before? *at is where the path goes on. */
static int rule_path(const struct normal *n, const unsigned char *p, size_t len, uint32_t *at)
{
    int found = 0;
    size_t i;

    *at = n->n_unit ? unit_offset(n->unit[0]) : 0;
    for (i = 0; i < len; i++) {
        *at ^= p[i];
        if (*at >= n->n_unit || !unit_is(n->unit[*at], p[i]))
            return found;
        if (unit_ends(n->unit[*at]))
            found |= i + 1 < len ? ENDS_BEFORE : ENDS;
        *at ^= unit_offset(n->unit[*at]);
    }
    return found | PATH;
}

static void find_plain(struct normal *n)
{
    unsigned char pair[2];
    uint32_t value = 0, at;
    int a, b;

    for (a = 0x20; a < 0x7F; a++) {
        pair[0] = (unsigned char)a;
        n->plain[a] = !n->whole_first[a];
        if (rule_find(n, pair, 1, &value))
            n->plain[a] &= n->text[value] == a && n->text[value + 1] == 0;
        for (b = 0; b < 0x100; b++) {
            pair[1] = (unsigned char)b;
            if (!(rule_path(n, pair, 2, &at) & PATH))
                continue;
            if (b < 0x80)
                n->plain[a] = 0;
            n->pair[a][b >> 3] |= (unsigned char)(1 << (b & 7));
        }
    }
}

static void find_begins(struct normal *n)
{
    unsigned char p[3];
    uint32_t c, at, b;

    for (c = 0x80; c < BMP; c++) {
        size_t len = c < 0x800 ? 2 : 3;
        unsigned char bit = (unsigned char)(1 << (c & 7));
        int found;

        p[0] = (unsigned char)(c < 0x800 ? 0xC0 | c >> 6 : 0xE0 | c >> 12);
        p[1] = (unsigned char)(0x80 | (c < 0x800 ? c & 0x3F : c >> 6 & 0x3F));
        p[2] = (unsigned char)(0x80 | (c & 0x3F));
        found = rule_path(n, p, len, &at);
        if (!n->whole_first[p[0]] && !found)
            continue;
        n->begins[c >> 3] |= bit;
        if (n->whole_first[p[0]] || found != PATH)
            continue;
        n->goes_on[c >> 3] |= bit;
        for (b = 0; b < 0x100; b++)
            n->follows[b] |= (at ^ b) < n->n_unit && unit_is(n->unit[at ^ b], (unsigned char)b);
    }
}

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int load_table(struct normal *n, struct bytes map, struct err *err)
{
    size_t size, i;

    if (!map.n)
        return 0;
    size = map.n < 4 ? 0 : le32(map.p);
    if (size < 1024 || size % 1024 || size > map.n - 4)
        return err_set(err, "normaliser's table: damaged (size %zu of %zu)", size, map.n);
    n->n_text = map.n - 4 - size;
    if (!n->n_text || map.p[map.n - 1])
        return err_set(err, "normaliser's table: its last string has no end");
    n->n_unit = size / 4;
    n->unit = xreallocarray(NULL, n->n_unit, sizeof(*n->unit));
    for (i = 0; i < n->n_unit; i++)
        n->unit[i] = le32(map.p + 4 + 4 * i);
    n->text = xmalloc(n->n_text);
    memcpy(n->text, map.p + 4 + size, n->n_text);
    return 0;
}

static int utf8_is(const unsigned char *p, size_t n)
{
    size_t i, len;
    uint32_t c;

    for (i = 0; i < n; i += len)
        if (!(len = utf8_at(p + i, n - i, &c)))
            return 0;
    return 1;
}

/* Every value in the table is looked at, whether or not a rule leads to it. */
static int is_sound(const struct normal *n, const struct bytes *whole, size_t n_whole)
{
    size_t i;

    for (i = 0; i < n_whole; i++)
        if (!utf8_is(whole[i].p, whole[i].n))
            return 0;
    for (i = 0; i < n->n_unit; i++) {
        uint32_t value = n->unit[i] & 0x7FFFFFFF;

        if (n->unit[i] >> 31 && value < n->n_text && (n->text[value] & 0xC0) == 0x80)
            return 0;
    }
    return utf8_is(n->text, n->n_text);
}

struct normal *normal_new(const struct normal_spec *spec, const struct bytes *whole, size_t n_whole,
                          struct err *err)
{
    struct normal *n = xcalloc(1, sizeof(*n));
    uint32_t *number = xcalloc(n_whole + 1, sizeof(*number));
    size_t i;
    int bad;

    n->spec = *spec;
    n->spec.charsmap = (struct bytes){ 0 };
    n->space = SPACES[spec->escape != 0];
    n->n_space = spec->escape ? SPACE : 1;
    for (i = 0; i < n_whole; i++) {
        number[i] = (uint32_t)i;
        if (whole[i].n)
            n->whole_first[whole[i].p[0]] = 1;
    }
    bad = load_table(n, spec->charsmap, err) || trie_build(&n->whole, whole, number, n_whole, err);
    free(number);
    if (bad) {
        normal_free(n);
        return NULL;
    }
    n->sound = is_sound(n, whole, n_whole);
    find_plain(n);
    find_begins(n);
    return n;
}

void normal_free(struct normal *n)
{
    if (!n)
        return;
    trie_release(&n->whole);
    free(n->unit);
    free(n->text);
    free(n);
}

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

            if (!len || c >= BMP || (n->begins[c >> 3] >> (c & 7) & 1))
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

/* Is this the first character of some rule, or might it be? */
static int is_touched(const struct normal *n, uint32_t c, const unsigned char *next,
                      const unsigned char *end)
{
    if (c >= BMP)
        return 1;
    if (!(n->begins[c >> 3] >> (c & 7) & 1))
        return 0;
    return !(n->goes_on[c >> 3] >> (c & 7) & 1) || (next < end && n->follows[*next]);
}

/* The same without a map, and single spaces on the way: most text is done here. */
static int copy_fast(struct run *r)
{
    const struct normal *n = r->n;
    const unsigned char *p = r->in.p + r->at, *end = bytes_end(r->in), *start = p;
    int was_space = r->was_space;
    unsigned char *o;
    uint32_t c;
    size_t len;

    buf_need(r->out, r->out->n + SPACE * (size_t)(end - p) + 1);
    for (o = r->out->p + r->out->n; p < end;) {
        if (*p < 0x80) {
            if (!n->plain[*p] || (p + 1 < end && n->pair[*p][p[1] >> 3] >> (p[1] & 7) & 1))
                break;
            if (*p != ' ') {
                *o++ = *p++;
                was_space = 0;
                continue;
            }
            if (!was_space) {
                memcpy(o, n->space, 4);    // there is room, and four go at once
                o += n->n_space;
                was_space = n->spec.remove_extra;
            }
            p++;
            continue;
        }
        len = end - p < 4 ? utf8_at(p, (size_t)(end - p), &c) : utf8_usual(p, &c);
        if (!len || is_touched(n, c, p + len, end))
            break;
        o[0] = p[0];
        o[1] = p[1];
        if (len == 3)
            o[2] = p[2];
        o += len;
        p += len;
        was_space = 0;
    }
    r->out->n = (size_t)(o - r->out->p);
    r->was_space = was_space;
    r->at += (size_t)(p - start);
    return p > start;
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

int normal_is_sound(const struct normal *n)
{
    return n->sound;
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
