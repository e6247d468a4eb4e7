/* measure.c - see measure.h.
 *
 * Lines and runs of tokens are told apart by 64-bit hashes. Runs of n are counted from those of
 * n - 1: where a run of n - 1 comes but once, so does any longer one that begins or ends with it,
 * so that soon there are few left to look at.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rules/marks.h"
#include "rules/measure.h"
#include "text/utf8.h"

enum { LINES = 1, TOKENS = 2, GRAMS = 4, KEEP = 1 << 18 };    // KEEP: slots and tokens

struct slot {
    uint64_t key;
    uint32_t count;    // 0: free
    uint32_t first;
};

struct measure {
    struct bytes text;
    int done;    // LINES | TOKENS | GRAMS
    struct measure_lines lines;
    struct tokens tokens;
    struct measure_gram gram[GRAM_MAX + 1];
    struct slot *slot;    // a table of keys, by their low bits
    size_t n_slot, cap_slot;
    uint64_t *run;           // [tokens] hash of the run that begins here
    uint32_t *at;            // [tokens] where runs begin that may come again
    uint32_t *where;         // [tokens] its slot
    unsigned char *again;    // [tokens + 1] whether the run that begins here comes again
    size_t *chars;           // [tokens + 1] of all tokens before this one
    size_t cap;
};

struct measure *measure_new(void)
{
    return xcalloc(1, sizeof(struct measure));
}

static void measure_release(struct measure *m)
{
    tokens_release(&m->tokens);
    free(m->slot);
    free(m->run);
    free(m->at);
    free(m->where);
    free(m->again);
    free(m->chars);
}

void measure_free(struct measure *m)
{
    if (m)
        measure_release(m);
    free(m);
}

void measure_trim(struct measure *m)
{
    if (m->cap_slot <= KEEP && m->cap <= KEEP && m->tokens.cap <= KEEP)
        return;
    measure_release(m);
    *m = (struct measure){ 0 };
}

void measure_set(struct measure *m, struct bytes text)
{
    m->text = text;
    m->done = 0;
}

/* An empty table for n keys, at most half full. */
static void table_reset(struct measure *m, size_t n)
{
    m->n_slot = 64;
    while (m->n_slot < 2 * n)
        m->n_slot *= 2;
    if (m->n_slot > m->cap_slot) {
        m->cap_slot = m->n_slot;
        free(m->slot);
        m->slot = xcalloc(m->cap_slot, sizeof(*m->slot));
        return;
    }
    memset(m->slot, 0, m->n_slot * sizeof(*m->slot));
}

static struct slot *table_at(const struct measure *m, uint64_t key)
{
    size_t i = (size_t)(key ^ key >> 32) & (m->n_slot - 1);

    while (m->slot[i].count && m->slot[i].key != key)
        i = (i + 1) & (m->n_slot - 1);
    return &m->slot[i];
}

/* Count key, met at place: how often it was met, this time too. */
static uint32_t table_count(struct slot *s, uint64_t key, size_t place)
{
    if (!s->count) {
        s->key = key;
        s->first = (uint32_t)place;
    }
    return ++s->count;
}

static int ends_with(struct bytes s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && !memcmp(s.p + s.n - n, with, n);
}

static int begins_with(struct bytes s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && !memcmp(s.p, with, n);
}

static void look_at_line(struct measure *m, struct bytes s)
{
    struct measure_lines *l = &m->lines;
    size_t chars = utf8_count(s);
    uint64_t key = hash_xx64(s.p, s.n, 0);
    int len;

    l->chars += chars;
    if (!s.n)
        return;
    if (table_count(table_at(m, key), key, l->n) > 1) {
        l->n_again++;
        l->again_chars += chars;
    }
    l->n++;
    l->n_short += chars <= SHORT_LINE;
    l->n_terminal += (size_t)marks_terminal(utf8_get_last(s.p, s.n, &len));
    l->n_bullet += begins_with(s, "-") || begins_with(s, "\xE2\x80\xA2");
    l->n_ellipsis += ends_with(s, "...") || ends_with(s, "\xE2\x80\xA6");
}

/* How often the bytes of what are in s, not overlapping. */
static size_t count_in(struct bytes s, const char *what, size_t n)
{
    const unsigned char *at = s.p, *end = bytes_end(s);
    size_t found = 0;

    while (at < end && (at = memchr(at, (unsigned char)what[0], (size_t)(end - at))))
        if ((size_t)(end - at) >= n && !memcmp(at, what, n)) {
            found++;
            at += n;
        } else {
            at++;
        }
    return found;
}

const struct measure_lines *measure_lines(struct measure *m)
{
    struct measure_lines *l = &m->lines;
    const unsigned char *at = m->text.p, *end = at + m->text.n, *lf;

    if (m->done & LINES)
        return l;
    m->done |= LINES;
    *l = (struct measure_lines){ .line_ends = count_in(m->text, "\n", 1) };
    table_reset(m, l->line_ends + 1);
    for (; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            lf = end;
        look_at_line(m, (struct bytes){ at, (size_t)(lf - at) });
    }
    l->chars += l->line_ends;
    l->hashes = count_in(m->text, "#", 1);
    l->ellipses = count_in(m->text, "...", 3) + count_in(m->text, "\xE2\x80\xA6", 3);
    return l;
}

const struct tokens *measure_tokens(struct measure *m)
{
    if (!(m->done & TOKENS))
        tokens_split(&m->tokens, m->text);
    m->done |= TOKENS;
    return &m->tokens;
}

static void room_for_runs(struct measure *m, size_t n)
{
    if (n < m->cap)
        return;
    m->cap = n + n / 2 + 1024;
    m->run = xreallocarray(m->run, m->cap, sizeof(*m->run));
    m->at = xreallocarray(m->at, m->cap, sizeof(*m->at));
    m->where = xreallocarray(m->where, m->cap, sizeof(*m->where));
    m->again = xreallocarray(m->again, m->cap, sizeof(*m->again));
    m->chars = xreallocarray(m->chars, m->cap, sizeof(*m->chars));
}

/* Count the runs of n that begin at the n_at places of m->at. Leaves there those that come again,
 * and marks them; *top is the place of the most frequent, of such the first, *times how often it
 * comes. Returns how many are left. */
static size_t count_runs(struct measure *m, size_t n_at, uint32_t *top, uint32_t *times)
{
    uint64_t *run = m->run;
    size_t i, left = 0;

    *times = 0;
    table_reset(m, n_at);
    for (i = 0; i < n_at; i++) {
        uint32_t at = m->at[i], count;
        struct slot *s = table_at(m, run[at]);

        count = table_count(s, run[at], at);
        m->where[i] = (uint32_t)(s - m->slot);
        if (count > *times || (count == *times && s->first < *top)) {
            *times = count;
            *top = s->first;
        }
    }
    for (i = 0; i < n_at; i++)
        if (m->slot[m->where[i]].count > 1) {
            m->again[m->at[i]] = 1;
            m->at[left++] = m->at[i];
        }
    return left;
}

/* Characters in runs of n tokens that were met before, going on behind each such run. Only the
 * n_at places of m->at can begin one. */
static size_t greedy_chars(struct measure *m, size_t n_at, size_t n)
{
    size_t i, next = 0, found = 0;

    table_reset(m, n_at);
    for (i = 0; i < n_at; i++) {
        uint32_t at = m->at[i];

        if (at < next)
            continue;
        if (table_count(table_at(m, m->run[at]), m->run[at], at) == 1)
            continue;
        found += m->chars[at + n] - m->chars[at];
        next = at + n;
    }
    return found;
}

/* Go on from runs of n - 1 to those of n: where they can come again is left in m->at. */
static size_t longer_runs(struct measure *m, size_t n_at, size_t n)
{
    size_t n_token = m->tokens.n, i, left = 0;

    for (i = 0; i < n_at; i++) {
        uint32_t at = m->at[i];

        m->again[at] = 0;    // the place before it has seen it
        if (at + n > n_token || !m->again[at + 1])
            continue;
        m->run[at] = m->run[at] * UINT64_C(0x9E3779B97F4A7C15) + m->tokens.hash[at + n - 1];
        m->at[left++] = at;
    }
    return left;
}

static void count_grams(struct measure *m)
{
    const struct tokens *t = measure_tokens(m);
    uint32_t top = 0, times;
    size_t i, n, n_at = t->n;

    memset(m->gram, 0, sizeof(m->gram));
    room_for_runs(m, t->n + 1);
    m->chars[0] = 0;
    for (i = 0; i < t->n; i++) {
        m->chars[i + 1] = m->chars[i] + t->chars[i];
        m->run[i] = t->hash[i];
        m->at[i] = (uint32_t)i;
    }
    memset(m->again, 1, t->n + 1);
    for (n = GRAM_MIN; n <= GRAM_MAX && n <= t->n; n++) {
        struct measure_gram *g = &m->gram[n];

        n_at = longer_runs(m, n_at, n);
        n_at = count_runs(m, n_at, &top, &times);
        if (times <= 1) {    // none comes again: the first is the most frequent
            top = 0;
            times = 1;
        }
        g->top_chars = (m->chars[top + n] - m->chars[top] + n - 1) * times;
        if (n >= GRAM_AGAIN)
            g->again_chars = greedy_chars(m, n_at, n);
    }
}

const struct measure_gram *measure_gram(struct measure *m, int n)
{
    if (!(m->done & GRAMS))
        count_grams(m);
    m->done |= GRAMS;
    return &m->gram[n];
}
