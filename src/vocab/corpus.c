/* corpus.c - see corpus.h.
 *
 * Words are counted by language in a hash table; when it is full it is written, sorted, to a
 * nameless file as a run and emptied. At the end the runs are merged: counts become weights,
 * letters are counted, and words that hold a letter that is not covered are cut at it.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "text/utf8.h"
#include "vocab/corpus.h"
#include "vocab/runs.h"

enum { FIRST_SLOTS = 1 << 14, LANG_MAX = 65536, LETTERS = 0x110000 };

struct entry {
    size_t at;    // in text
    uint64_t count;
    uint32_t n, lang;
};

struct corpus {
    struct corpus_plan plan;
    struct buf text;        // of the entries
    struct entry *entry;    // the table's
    size_t n_entry, cap_entry;
    uint32_t *slot;    // one more than the number of an entry
    size_t n_slot;
    struct runs *runs;
    uint64_t *chars;    // by language
    double *weight;
    int n_lang;
    struct buf kept;    // texts of words
    struct word *word;
    size_t n_word, cap_word;
    uint64_t floor, rare;    // a word that counts less is let go
    struct letter *letter;
    size_t n_letter;
    uint64_t *letters;    // [LETTERS] counts
    double covered;
};

struct corpus *corpus_new(const struct corpus_plan *plan)
{
    struct corpus *c = xcalloc(1, sizeof(*c));

    c->plan = *plan;
    c->n_slot = FIRST_SLOTS;
    c->slot = xcalloc(c->n_slot, sizeof(*c->slot));
    c->runs = runs_new(plan->tmpdir);
    return c;
}

/* Counting. */

static size_t slot_of(const struct corpus *c, struct bytes w, uint32_t lang)
{
    size_t i = hash_xx64(w.p, w.n, lang) & (c->n_slot - 1);

    while (c->slot[i]) {
        const struct entry *e = &c->entry[c->slot[i] - 1];

        if (e->lang == lang && e->n == w.n && !memcmp(c->text.p + e->at, w.p, w.n))
            break;
        i = (i + 1) & (c->n_slot - 1);
    }
    return i;
}

static void grow(struct corpus *c)
{
    size_t i;

    c->n_slot *= 2;
    free(c->slot);
    c->slot = xcalloc(c->n_slot, sizeof(*c->slot));
    for (i = 0; i < c->n_entry; i++) {
        const struct entry *e = &c->entry[i];
        struct bytes w = { c->text.p + e->at, e->n };

        c->slot[slot_of(c, w, e->lang)] = (uint32_t)i + 1;
    }
}

/* Text and lengths first: the order in which runs are merged. */
static const unsigned char *sort_text;

static int by_text(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int d = memcmp(sort_text + x->at, sort_text + y->at, x->n < y->n ? x->n : y->n);

    if (d || x->n != y->n)
        return d ? d : x->n < y->n ? -1 : 1;
    return (x->lang > y->lang) - (x->lang < y->lang);
}

static int spill(struct corpus *c, struct err *err)
{
    size_t i;
    int bad = 0;

    sort_text = c->text.p;
    if (c->n_entry)
        qsort(c->entry, c->n_entry, sizeof(*c->entry), by_text);
    runs_begin(c->runs);
    for (i = 0; !bad && i < c->n_entry; i++) {
        const struct entry *e = &c->entry[i];

        bad = runs_put(c->runs, (struct bytes){ c->text.p + e->at, e->n }, e->lang, e->count, err);
    }
    c->n_entry = 0;
    buf_reset(&c->text);
    memset(c->slot, 0, c->n_slot * sizeof(*c->slot));
    return bad;
}

static size_t memory(const struct corpus *c)
{
    return c->text.n + c->n_entry * sizeof(struct entry) + c->n_slot * sizeof(uint32_t);
}

static int count(struct corpus *c, struct bytes w, uint32_t lang, uint64_t n, struct err *err)
{
    size_t i = slot_of(c, w, lang);

    if (c->slot[i]) {
        c->entry[c->slot[i] - 1].count += n;
        return 0;
    }
    if (c->n_entry + 1 > c->n_slot / 2 || c->n_entry + 2 >= UINT32_MAX) {
        if (2 * memory(c) > c->plan.mem / 2) {
            if (spill(c, err) < 0)
                return -1;
        } else {
            grow(c);
        }
        i = slot_of(c, w, lang);
    }
    if (c->n_entry == c->cap_entry) {
        c->cap_entry = c->cap_entry ? 2 * c->cap_entry : FIRST_SLOTS;
        c->entry = xreallocarray(c->entry, c->cap_entry, sizeof(*c->entry));
    }
    c->entry[c->n_entry] = (struct entry){ c->text.n, n, (uint32_t)w.n, lang };
    buf_add(&c->text, w.p, w.n);
    c->slot[i] = (uint32_t)++c->n_entry;
    return 0;
}

/* The first word of *rest, as the rules cut: 1, or 0 at the end. */
static int next_word(const struct piece_rule *rule, struct bytes *rest, struct bytes *w,
                     uint64_t *chars)
{
    uint32_t before, now;
    size_t at;
    int len, script, n = 1;

    if (!rest->n)
        return 0;
    before = utf8_get(rest->p, rest->n, &len);
    script = piece_script(rule, before);
    for (at = (size_t)len; at < rest->n && n < WORD_CHARS_MAX; at += (size_t)len, n++) {
        now = utf8_get(rest->p + at, rest->n - at, &len);
        if (!piece_joins(rule, before, now, &script))
            break;
        before = now;
    }
    *w = (struct bytes){ rest->p, at };
    *rest = (struct bytes){ rest->p + at, rest->n - at };
    *chars += (uint64_t)n;
    return 1;
}

int corpus_add(struct corpus *c, struct bytes text, int lang, struct err *err)
{
    struct bytes w;

    assert(lang >= 0 && lang < LANG_MAX);
    if (lang >= c->n_lang) {
        c->chars = xreallocarray(c->chars, (size_t)lang + 1, sizeof(*c->chars));
        for (; c->n_lang <= lang; c->n_lang++)
            c->chars[c->n_lang] = 0;
    }
    while (next_word(&c->plan.rule, &text, &w, &c->chars[lang]))
        if (count(c, w, (uint32_t)lang, 1, err) < 0)
            return -1;
    return 0;
}

/* The end: words with weights. */

/* What a word of each language counts, so that n characters count as n ^ alpha, the sum of all
 * as it is. */
static void weigh(struct corpus *c)
{
    double all = 0, sum = 0;
    int i;

    c->weight = xcalloc((size_t)c->n_lang + 1, sizeof(*c->weight));
    for (i = 0; i < c->n_lang; i++) {
        all += (double)c->chars[i];
        sum += c->chars[i] ? pow((double)c->chars[i], c->plan.alpha) : 0;
    }
    for (i = 0; i < c->n_lang; i++)
        if (c->chars[i])
            c->weight[i] =
                c->plan.alpha == 1 ? 1 : pow((double)c->chars[i], c->plan.alpha - 1) * all / sum;
}

static void drop_rare(struct corpus *c)
{
    size_t i, n = 0, used = 0;

    for (i = 0; i < c->n_word; i++) {
        struct word w = c->word[i];

        if (w.count < c->floor) {
            c->rare++;
            continue;
        }
        memmove(c->kept.p + used, c->kept.p + (size_t)w.p, w.n);    // p is still an offset
        w.p = (const unsigned char *)used;
        used += w.n;
        c->word[n++] = w;
    }
    c->n_word = n;
    c->kept.n = used;
}

static void keep(struct corpus *c, struct bytes text, uint64_t n)
{
    if (n < c->floor) {
        c->rare++;
        return;
    }
    while (c->n_word && c->kept.n + c->n_word * sizeof(*c->word) > c->plan.mem / 4) {
        c->floor = c->floor ? 2 * c->floor : 2 * CORPUS_ONE;
        drop_rare(c);
    }
    if (c->n_word == c->cap_word) {
        c->cap_word = c->cap_word ? 2 * c->cap_word : FIRST_SLOTS;
        c->word = xreallocarray(c->word, c->cap_word, sizeof(*c->word));
    }
    c->word[c->n_word++] = (struct word){ (const unsigned char *)c->kept.n, (uint32_t)text.n, n };
    buf_add(&c->kept, text.p, text.n);
}

static void count_letters(struct corpus *c, struct bytes w, uint64_t n)
{
    size_t at;
    int len;

    for (at = 0; at < w.n; at += (size_t)len)
        c->letters[utf8_get(w.p + at, w.n - at, &len)] += n;
}

/* Merge what the runs hold into words. */
static int merge(struct corpus *c, struct err *err)
{
    struct runs_entry e;
    struct buf last = { 0 };
    double n = 0;
    int got, any = 0;

    c->letters = xcalloc(LETTERS, sizeof(*c->letters));
    if (spill(c, err) < 0 || runs_end(c->runs, c->plan.mem / 4, err) < 0)
        return -1;
    do {
        got = runs_next(c->runs, &e, err);
        if (any && (got != 1 || e.text.n != last.n || memcmp(e.text.p, last.p, last.n) != 0)) {
            uint64_t whole = (uint64_t)llround(n * CORPUS_ONE);

            count_letters(c, buf_bytes(&last), whole);
            keep(c, buf_bytes(&last), whole ? whole : 1);
            n = 0;
        }
        if (got == 1) {
            buf_reset(&last);
            buf_add(&last, e.text.p, e.text.n);
            n += (double)e.count * c->weight[e.lang];
            any = 1;
        }
    } while (got == 1);
    buf_release(&last);
    return got;
}

static int by_count(const void *a, const void *b)
{
    const struct letter *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->c < y->c) - (x->c > y->c);
}

/* The alphabet: most common letters until they cover enough. */
static void cover(struct corpus *c)
{
    uint64_t all = 0, sum = 0;
    size_t i, n = 0;

    for (i = 0; i < LETTERS; i++)
        n += c->letters[i] > 0;
    c->letter = xcalloc(n + 1, sizeof(*c->letter));
    for (n = 0, i = 0; i < LETTERS; i++)
        if (c->letters[i] && i != 0x2585 && i != '\t' && i != 0) {
            c->letter[n++] = (struct letter){ (uint32_t)i, c->letters[i] };
            all += c->letters[i];
        }
    qsort(c->letter, n, sizeof(*c->letter), by_count);
    while (c->n_letter < n && (double)sum < c->plan.coverage * (double)all)
        sum += c->letter[c->n_letter++].count;
    c->covered = all ? (double)sum / (double)all : 1;
    memset(c->letters, 0, LETTERS * sizeof(*c->letters));
    for (i = 0; i < c->n_letter; i++)
        c->letters[c->letter[i].c] = c->letter[i].count;
}

static void add_fragments(struct corpus *c, struct bytes w, uint64_t n)
{
    size_t at, from = 0;
    int len;
    struct err err;

    for (at = 0; at <= w.n; at += (size_t)len) {
        uint32_t x = at < w.n ? utf8_get(w.p + at, w.n - at, &len) : 0;

        if (at == w.n)
            len = 1;
        if (at < w.n && c->letters[x])
            continue;
        if (at > from)
            count(c, (struct bytes){ w.p + from, at - from }, 0, n, &err);
        from = at + (size_t)len;
    }
}

static int is_covered(const struct corpus *c, struct bytes w)
{
    size_t at;
    int len;

    for (at = 0; at < w.n; at += (size_t)len)
        if (!c->letters[utf8_get(w.p + at, w.n - at, &len)])
            return 0;
    return 1;
}

static int word_order(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    int d = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return d ? d : (x->n > y->n) - (x->n < y->n);
}

/* Cut words at letters that are not covered. What is left of them joins its like. */
static void cut_words(struct corpus *c)
{
    size_t i, n = 0, limit = c->plan.mem;

    c->plan.mem = SIZE_MAX;    // fragments are few: no spilling now
    for (i = 0; i < c->n_word; i++) {
        struct word w = c->word[i];
        struct bytes text = { c->kept.p + (size_t)w.p, w.n };

        if (is_covered(c, text)) {
            w.p = text.p;
            c->word[n++] = w;
        } else {
            add_fragments(c, text, w.count);
        }
    }
    c->plan.mem = limit;
    c->word = xreallocarray(c->word, n + c->n_entry + 1, sizeof(*c->word));
    for (i = 0; i < c->n_entry; i++)
        c->word[n++] =
            (struct word){ c->text.p + c->entry[i].at, c->entry[i].n, c->entry[i].count };
    qsort(c->word, n, sizeof(*c->word), word_order);
    for (c->n_word = 0, i = 0; i < n; i++) {
        struct word *last = c->n_word ? &c->word[c->n_word - 1] : NULL;

        if (last && word_order(last, &c->word[i]) == 0)
            last->count += c->word[i].count;
        else
            c->word[c->n_word++] = c->word[i];
    }
}

int corpus_end(struct corpus *c, struct err *err)
{
    weigh(c);
    if (merge(c, err) < 0)
        return -1;
    cover(c);
    cut_words(c);
    free(c->letters);
    c->letters = NULL;
    return 0;
}

const struct word *corpus_words(const struct corpus *c, size_t *n)
{
    *n = c->n_word;
    return c->word;
}

const struct letter *corpus_letters(const struct corpus *c, size_t *n)
{
    *n = c->n_letter;
    return c->letter;
}

double corpus_covered(const struct corpus *c)
{
    return c->covered;
}

uint64_t corpus_chars(const struct corpus *c)
{
    uint64_t sum = 0;
    int i;

    for (i = 0; i < c->n_lang; i++)
        sum += c->chars[i];
    return sum;
}

uint64_t corpus_rare(const struct corpus *c)
{
    return c->rare;
}

uint64_t corpus_spilled(const struct corpus *c)
{
    return runs_spilled(c->runs);
}

void corpus_free(struct corpus *c)
{
    if (!c)
        return;
    runs_free(c->runs);
    buf_release(&c->text);
    buf_release(&c->kept);
    free(c->entry);
    free(c->slot);
    free(c->chars);
    free(c->weight);
    free(c->word);
    free(c->letter);
    free(c->letters);
    free(c);
}
