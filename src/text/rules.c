/* rules.c - see rules.h, and normal.h for what makes and frees a normaliser. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/rules.h"

enum { MATCH_MAX = 32 };    // rules that may match at one place, as in SentencePiece
static const unsigned char SPACES[2][4] = { " ", "\xE2\x96\x81" };

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

size_t rule_find(const struct normal *n, const unsigned char *p, size_t len, uint32_t *value)
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

    n->all_plain = 1;
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
        n->all_plain &= a == ' ' || n->plain[a];
    }
}

static void find_begins(struct normal *n)
{
    unsigned char p[4];
    uint32_t c, at, b;

    memset(n->touch, TOUCHED, sizeof(n->touch));
    for (c = 0x80; c < RULES_BMP; c++) {
        size_t len = c < 0x800 ? 2 : 3;
        int found;

        if (c >= 0xD800 && c < 0xE000)
            continue;
        utf8_put(p, c);
        found = rule_path(n, p, len, &at);
        if (!n->whole_first[p[0]] && !found)
            n->touch[c] = UNTOUCHED;
        if (n->whole_first[p[0]] || found != PATH)
            continue;
        n->touch[c] = GOES_ON;
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
    n->n_space = spec->escape ? 3 : 1;
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

int normal_is_sound(const struct normal *n)
{
    return n->sound;
}
