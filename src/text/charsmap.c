/* charsmap.c - see charsmap.h. Built from ICU's data each time: some ten thousands of rules. */
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/die.h"
#include "text/charsmap.h"

enum { CHARS_MAX = 4, TEXT_MAX = 64 };

struct rule {
    char from[TEXT_MAX], to[TEXT_MAX];    // UTF-8
};

struct rules {
    struct rule *rule;
    size_t n, cap;
    const UNormalizer2 *nfkc, *nfd;
    int nmt, fold;
};

static int to_utf8(const UChar *s, int32_t n, char out[TEXT_MAX])
{
    UErrorCode bad = U_ZERO_ERROR;
    int32_t len;

    u_strToUTF8(out, TEXT_MAX, &len, s, n, &bad);
    return U_FAILURE(bad) || len >= TEXT_MAX ? -1 : 0;
}

static int32_t fold(UChar *to, const UChar *from, int32_t n)
{
    UErrorCode bad = U_ZERO_ERROR;

    n = u_strFoldCase(to, TEXT_MAX, from, n, U_FOLD_CASE_DEFAULT, &bad);
    return U_FAILURE(bad) ? -1 : n;
}

/* What a string of code points becomes: NFKC, folded if so wished. -1 when it is too long. */
static int32_t normal_form(const struct rules *r, const UChar *s, int32_t n, UChar to[TEXT_MAX])
{
    UErrorCode bad = U_ZERO_ERROR;
    UChar folded[TEXT_MAX];

    n = unorm2_normalize(r->nfkc, s, n, to, TEXT_MAX, &bad);
    if (U_FAILURE(bad) || !r->fold)
        return U_FAILURE(bad) ? -1 : n;
    n = fold(folded, to, n);
    if (n < 0)
        return -1;
    n = unorm2_normalize(r->nfkc, folded, n, to, TEXT_MAX, &bad);
    return U_FAILURE(bad) ? -1 : n;
}

static void add(struct rules *r, const UChar *from, int32_t n, const UChar *to, int32_t n_to)
{
    struct rule *rule;

    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 1 << 14;
        r->rule = xreallocarray(r->rule, r->cap, sizeof(*r->rule));
    }
    rule = &r->rule[r->n];
    if (to_utf8(from, n, rule->from) == 0 && to_utf8(to, n_to, rule->to) == 0)
        r->n++;
}

/* SentencePiece's additions: -1 none, 0 deleted, else the character it becomes. */
static int nmt_of(UChar32 c)
{
    if (c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
        (c >= 0x2000 && c <= 0x200C) || c == 0x200E || c == 0x200F || c == 0x2028 || c == 0x2029 ||
        c == 0x2581 || c == 0xFEFF || c == 0xFFFD)
        return ' ';
    if ((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
        c == 0x8F || c == 0x9F)
        return 0;
    return -1;
}

static void add_single(struct rules *r, UChar32 c)
{
    UChar from[2], to[TEXT_MAX];
    int32_t n = 0, n_to;
    int nmt = r->nmt ? nmt_of(c) : -1;

    U16_APPEND_UNSAFE(from, n, c);
    if (nmt >= 0) {
        to[0] = (UChar)nmt;
        add(r, from, n, to, nmt > 0);
        return;
    }
    n_to = normal_form(r, from, n, to);
    if (n_to > 0 && (n_to != n || u_memcmp(to, from, n) != 0))
        add(r, from, n, to, n_to);
}

/* A string that is equal to c, if it is: its rule. */
static void add_equal(struct rules *r, const UChar *s, int32_t n, UChar32 c)
{
    UChar one[2], want[TEXT_MAX], to[TEXT_MAX];
    int32_t n_one = 0, n_want, n_to;

    U16_APPEND_UNSAFE(one, n_one, c);
    n_want = normal_form(r, one, n_one, want);
    n_to = normal_form(r, s, n, to);
    if (n_to > 0 && n_to == n_want && u_memcmp(to, want, n_to) == 0 &&
        (n_to != n || u_memcmp(to, s, n) != 0))
        add(r, s, n, to, n_to);
}

/* The string b x y, with b x composed where that is one character. */
static void add_three(struct rules *r, UChar32 b, UChar32 x, UChar32 y, UChar32 c)
{
    UChar s[6];
    UChar32 bx = unorm2_composePair(r->nfkc, b, x);
    int32_t n = 0;

    U16_APPEND_UNSAFE(s, n, b);
    U16_APPEND_UNSAFE(s, n, x);
    U16_APPEND_UNSAFE(s, n, y);
    add_equal(r, s, n, c);
    if (bx < 0)
        return;
    n = 0;
    U16_APPEND_UNSAFE(s, n, bx);
    U16_APPEND_UNSAFE(s, n, y);
    add_equal(r, s, n, c);
}

/* Strings that are c taken apart: all of it, with its marks in either order, or only its last
 * mark or letter. */
static void add_sequences(struct rules *r, UChar32 c)
{
    UChar whole[TEXT_MAX], one[2];
    UChar32 part[CHARS_MAX + 1];
    UErrorCode bad = U_ZERO_ERROR;
    int32_t n_one = 0, n, i;
    int k = 0;

    U16_APPEND_UNSAFE(one, n_one, c);
    n = unorm2_normalize(r->nfd, one, n_one, whole, TEXT_MAX, &bad);
    if (U_FAILURE(bad) || n < 2 || u_countChar32(whole, n) > CHARS_MAX)
        return;
    for (i = 0; i < n; k++)
        U16_NEXT(whole, i, n, part[k]);
    if (k < 2)
        return;
    add_equal(r, whole, n, c);
    n = unorm2_getRawDecomposition(r->nfd, c, whole, TEXT_MAX, &bad);
    if (U_SUCCESS(bad) && n > 0)
        add_equal(r, whole, n, c);
    if (k == 3) {
        add_three(r, part[0], part[1], part[2], c);
        add_three(r, part[0], part[2], part[1], c);
    }
}

static int by_from(const void *a, const void *b)
{
    return strcmp(((const struct rule *)a)->from, ((const struct rule *)b)->from);
}

static void collect(struct rules *r)
{
    size_t i, n = 0;
    UChar32 c;

    for (c = 1; c <= 0x10FFFF; c++) {
        if (U_IS_SURROGATE(c) || (!u_isdefined(c) && !(r->nmt && nmt_of(c) >= 0)))
            continue;
        add_single(r, c);
        add_sequences(r, c);
    }
    qsort(r->rule, r->n, sizeof(*r->rule), by_from);
    for (i = 0; i < r->n; i++)    // one canonical string is taken apart into another's
        if (!n || strcmp(r->rule[n - 1].from, r->rule[i].from) != 0)
            r->rule[n++] = r->rule[i];
    r->n = n;
}

/* The double array, as Darts-clone lays it out: node i's children are at i ^ offset ^ label; a
 * node where a key ends has a child with label 0 that holds the value. */

struct darts {
    uint32_t *unit;
    unsigned char *used;    // units; bases are even offsets that no other node has
    unsigned char *based;
    size_t n, first;
};

static void darts_grow(struct darts *d)
{
    size_t n = d->n + 256;

    d->unit = xreallocarray(d->unit, n, sizeof(*d->unit));
    d->used = xrealloc(d->used, n);
    d->based = xrealloc(d->based, n);
    memset(d->unit + d->n, 0, 256 * sizeof(*d->unit));
    memset(d->used + d->n, 0, 256);
    memset(d->based + d->n, 0, 256);
    d->n = n;
}

static int darts_fits(const struct darts *d, size_t node, size_t base, const unsigned char *label,
                      int n)
{
    size_t offset = node ^ base;
    int i;

    if (d->based[base] || (offset >= 1U << 21 && (offset & 0xFF)))
        return 0;
    for (i = 0; i < n; i++)
        if (d->used[base ^ label[i]])
            return 0;
    return 1;
}

/* A base for the children of node with these labels. */
static size_t darts_base(struct darts *d, size_t node, const unsigned char *label, int n)
{
    size_t at;

    while (d->first < d->n && d->used[d->first])
        d->first++;
    for (at = d->first;; at++) {
        if (at == d->n)
            darts_grow(d);
        if (!d->used[at] && darts_fits(d, node, at ^ label[0], label, n))
            return at ^ label[0];
    }
}

/* Place the rules lo .. hi, which agree in their first depth bytes and lead to node. */
static void darts_place(struct darts *d, const struct rules *r, const uint32_t *value, size_t lo,
                        size_t hi, size_t depth, size_t node)
{
    unsigned char label[256];
    size_t start[257], base, offset, i;
    int n = 0, k;

    for (i = lo; i < hi; i++) {
        unsigned char c = (unsigned char)r->rule[i].from[depth];

        if (!n || label[n - 1] != c) {
            start[n] = i;
            label[n++] = c;
        }
    }
    start[n] = hi;
    base = darts_base(d, node, label, n);
    offset = node ^ base;
    d->based[base] = 1;
    d->unit[node] |= offset < 1U << 21 ? (uint32_t)offset << 10 : (uint32_t)offset << 2 | 1U << 9;
    for (k = 0; k < n; k++) {
        d->used[base ^ label[k]] = 1;
        d->unit[base ^ label[k]] = label[k];
    }
    for (k = 0; k < n; k++) {
        size_t at = base ^ label[k];

        if (!label[k]) {
            d->unit[node] |= 1U << 8;
            d->unit[at] = value[start[k]] | 1U << 31;
        } else {
            darts_place(d, r, value, start[k], start[k + 1], depth + 1, at);
        }
    }
}

static void put32(struct buf *b, uint32_t x)
{
    int i;

    for (i = 0; i < 4; i++)
        buf_add_byte(b, (unsigned char)(x >> 8 * i));
}

static void format(const struct rules *r, struct buf *out)
{
    struct darts d = { 0 };
    struct buf text = { 0 };
    uint32_t *value = xcalloc(r->n + 1, sizeof(*value));
    size_t i, n;

    for (i = 0; i < r->n; i++) {
        value[i] = (uint32_t)text.n;
        buf_add(&text, r->rule[i].to, strlen(r->rule[i].to) + 1);
    }
    darts_grow(&d);
    d.used[0] = 1;
    darts_place(&d, r, value, 0, r->n, 0, 0);
    n = (d.n + 255) / 256 * 256;
    put32(out, (uint32_t)(4 * n));
    for (i = 0; i < n; i++)
        put32(out, i < d.n ? d.unit[i] : 0);
    buf_add(out, text.p, text.n);
    buf_release(&text);
    free(d.unit);
    free(d.used);
    free(d.based);
    free(value);
}

int charsmap_make(const char *name, struct buf *out)
{
    struct rules r = { .nmt = strncmp(name, "nmt_", 4) == 0 };
    UErrorCode bad = U_ZERO_ERROR;

    if (!strcmp(name, "identity"))
        return 0;
    name += r.nmt ? 4 : 0;
    r.fold = !strcmp(name, "nfkc_cf");
    if (!r.fold && strcmp(name, "nfkc") != 0)
        return -1;
    r.nfkc = unorm2_getNFKCInstance(&bad);
    r.nfd = unorm2_getNFDInstance(&bad);
    if (U_FAILURE(bad))
        die("normal forms: %s", u_errorName(bad));
    collect(&r);
    format(&r, out);
    free(r.rule);
    return 0;
}
