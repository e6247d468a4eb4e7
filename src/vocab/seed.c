/* seed.c - strings that are worth being pieces, by a suffix array; see pieces.h.
 *
 * Words lie one after the other with a 0 between. What suffixes that are neighbours in the array
 * have in common, cut at the word's end, are the nodes of the suffix tree; a node comes as often
 * as the words below it count. Nodes are met in one walk over the array with a stack.
 */
#include <divsufsort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/utf8.h"
#include "vocab/corpus.h"
#include "vocab/pieces.h"

enum { BYTES_A_BYTE = 14 };    // text, suffix array, common prefixes, word numbers, and some

struct found {
    uint32_t at;    // in text
    uint16_t n, chars;
    double worth;    // count times characters
};

struct finder {
    unsigned char *text;
    int32_t n;                   // bytes of text
    int32_t *suffix, *common;    // common[i]: bytes that suffixes i - 1 and i share
    uint32_t *word;              // [n] which word a byte is of
    const struct word **of;
    size_t n_word;
    int max_chars;
    struct found *found;
    size_t n_found, cap_found, most;
};

static int by_count(const void *a, const void *b)
{
    const struct word *x = *(const struct word *const *)a, *y = *(const struct word *const *)b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x > y) - (x < y);
}

/* The words that mem has room for, the most common first, as text. */
static void lay_out(struct finder *f, const struct word *w, size_t n, size_t mem)
{
    size_t i, k, bytes = 0,
                 limit = mem / BYTES_A_BYTE < INT32_MAX / 2 ? mem / BYTES_A_BYTE : INT32_MAX / 2;

    f->of = xcalloc(n + 1, sizeof(*f->of));
    for (i = 0; i < n; i++)
        f->of[i] = &w[i];
    qsort(f->of, n, sizeof(*f->of), by_count);
    for (i = 0; i < n && bytes + f->of[i]->n + 1 <= limit; i++)
        bytes += f->of[i]->n + 1;
    f->n_word = i;
    f->n = (int32_t)bytes;
    f->text = xmalloc(bytes + 1);
    f->word = xreallocarray(NULL, bytes + 1, sizeof(*f->word));
    for (bytes = 0, i = 0; i < f->n_word; i++) {
        memcpy(f->text + bytes, f->of[i]->p, f->of[i]->n);
        f->text[bytes + f->of[i]->n] = 0;
        for (k = 0; k <= f->of[i]->n; k++)
            f->word[bytes++] = (uint32_t)i;
    }
}

/* Common prefixes in the order of the text (Kasai et al. 2001), then of the array. They end with
 * the word. */
static void measure(struct finder *f)
{
    int32_t *rank = xreallocarray(NULL, (size_t)f->n + 1, sizeof(*rank)), i, j, k = 0;

    f->common = xcalloc((size_t)f->n + 1, sizeof(*f->common));
    for (i = 0; i < f->n; i++)
        rank[f->suffix[i]] = i;
    for (i = 0; i < f->n; i++) {
        if (!rank[i]) {
            k = 0;
            continue;
        }
        j = f->suffix[rank[i] - 1];
        while (f->text[i + k] && f->text[i + k] == f->text[j + k])
            k++;
        f->common[rank[i]] = k;
        k -= k > 0;
    }
    free(rank);
}

static int better(const struct finder *f, const struct found *a, const struct found *b)
{
    int d;

    if (a->worth != b->worth)
        return a->worth > b->worth;
    if (a->chars != b->chars)
        return a->chars > b->chars;
    d = memcmp(f->text + a->at, f->text + b->at, a->n < b->n ? a->n : b->n);
    return d ? d > 0 : a->n > b->n;
}

static const struct finder *order_of;    // for qsort()

static int by_worth(const void *a, const void *b)
{
    return better(order_of, a, b) ? -1 : better(order_of, b, a);
}

static void keep_best(struct finder *f)
{
    order_of = f;
    qsort(f->found, f->n_found, sizeof(*f->found), by_worth);
    if (f->n_found > f->most)
        f->n_found = f->most;
}

/* A node: n bytes at `at` that come `count` times; its parent has `less` bytes. */
static void consider(struct finder *f, uint32_t at, int32_t n, int32_t less, uint64_t count)
{
    struct found x = { .at = at };
    int32_t i;
    int len;

    if (count < 2 * CORPUS_ONE || (f->text[at] & 0xC0) == 0x80)
        return;
    for (i = 0; i < n && x.chars < f->max_chars; i += len, x.chars++) {
        len = f->text[at + (uint32_t)i] < 0x80   ? 1
              : f->text[at + (uint32_t)i] < 0xE0 ? 2
              : f->text[at + (uint32_t)i] < 0xF0 ? 3
                                                 : 4;
        if (i + len > n)
            break;
    }
    if (x.chars < 2 || i <= less)
        return;
    x.n = (uint16_t)i;
    x.worth = (double)count * x.chars;
    if (f->n_found == f->cap_found) {
        if (f->cap_found >= 2 * f->most && f->cap_found)
            keep_best(f);
        else
            f->cap_found = f->cap_found ? 2 * f->cap_found : 1 << 14;
        f->found = xreallocarray(f->found, f->cap_found, sizeof(*f->found));
    }
    f->found[f->n_found++] = x;
}

struct node {
    int32_t n;          // bytes
    uint64_t before;    // what was counted before its first suffix
    uint32_t at;
};

/* Close the nodes deeper than n; the one that is left open, or a new one, has n bytes. */
static size_t close_nodes(struct finder *f, struct node *stack, size_t depth, int32_t n,
                          uint64_t counted)
{
    uint64_t before = counted;
    uint32_t at = 0;

    while (depth && stack[depth - 1].n > n) {
        const struct node *top = &stack[--depth];
        int32_t less = depth && stack[depth - 1].n > n ? stack[depth - 1].n : n;

        consider(f, top->at, top->n, less, counted - top->before);
        before = top->before;
        at = top->at;
    }
    if (n && (!depth || stack[depth - 1].n < n))
        stack[depth++] = (struct node){ n, before, at };
    return depth;
}

/* Every suffix is a leaf: what it has to its word's end, if the word is common. */
static void walk(struct finder *f)
{
    struct node *stack = xreallocarray(NULL, 4 * WORD_CHARS_MAX + 4, sizeof(*stack));
    uint64_t counted = 0;
    size_t depth = 0;
    int32_t i;

    for (i = 0; i < f->n; i++) {
        uint32_t at = (uint32_t)f->suffix[i];
        const struct word *w = f->of[f->word[at]];
        int32_t next = i + 1 < f->n ? f->common[i + 1] : 0, above, rest;

        if (!f->text[at])
            continue;
        rest = (int32_t)strlen((const char *)f->text + at);
        above = f->common[i] > next ? f->common[i] : next;
        depth = close_nodes(f, stack, depth, f->common[i], counted);
        if (rest > above)
            consider(f, at, rest, above, w->count);
        if (next > f->common[i])    // a node begins with this suffix
            stack[depth++] = (struct node){ next, counted, at };
        counted += w->count;
    }
    close_nodes(f, stack, depth, 0, counted);
    free(stack);
}

static void release(struct finder *f)
{
    free(f->text);
    free(f->word);
    free(f->of);
    free(f->suffix);
    free(f->common);
    free(f->found);
}

/* Letters, then what was found, with logarithms of shares. */
static void hand_out(struct candidates *c, struct finder *f, const struct corpus *from)
{
    size_t n_letter, i, bytes = 0;
    const struct letter *letter = corpus_letters(from, &n_letter);
    double sum = 0;

    for (i = 0; i < f->n_found; i++)
        bytes += f->found[i].n;

    c->of = xcalloc(n_letter + f->n_found + 1, sizeof(*c->of));
    c->n = n_letter + f->n_found;
    buf_need(&c->letters, 4 * n_letter + bytes + 1);
    for (i = 0; i < n_letter; i++) {
        unsigned char *p = c->letters.p + c->letters.n;
        int len = utf8_put(p, letter[i].c);

        c->letters.n += (size_t)len;
        c->of[i] = (struct candidate){ { p, (size_t)len }, (double)letter[i].count, 1, 1 };
        sum += (double)letter[i].count;
    }
    for (i = 0; i < f->n_found; i++) {
        const struct found *x = &f->found[i];
        unsigned char *p = c->letters.p + c->letters.n;

        memcpy(p, f->text + x->at, x->n);
        c->letters.n += x->n;
        c->of[n_letter + i] = (struct candidate){ { p, x->n }, x->worth, x->chars, 0 };
        sum += x->worth;
    }
    for (i = 0; i < c->n; i++)
        c->of[i].score = log(c->of[i].score) - log(sum);
}

int seeds_find(struct candidates *c, const struct corpus *from, int max_chars, size_t n, size_t mem,
               struct err *err)
{
    struct finder f = { .max_chars = max_chars, .most = n };
    size_t n_word;
    const struct word *w = corpus_words(from, &n_word);

    *c = (struct candidates){ 0 };
    lay_out(&f, w, n_word, mem);
    f.suffix = xreallocarray(NULL, (size_t)f.n + 1, sizeof(*f.suffix));
    if (f.n && divsufsort(f.text, f.suffix, f.n) != 0) {
        release(&f);
        return err_set(err, "no suffix array of %d bytes", f.n);
    }
    measure(&f);
    walk(&f);
    keep_best(&f);
    hand_out(c, &f, from);
    release(&f);
    return 0;
}

void candidates_release(struct candidates *c)
{
    free(c->of);
    buf_release(&c->letters);
    *c = (struct candidates){ 0 };
}
