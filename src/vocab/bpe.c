/* bpe.c - the most common pair becomes one symbol, again and again (Sennrich et al. 2016); see
 * pieces.h. A pair knows the words it was seen in; a heap knows the pairs by count, and a count
 * that is out of date is put right when it comes to the top.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/utf8.h"
#include "vocab/corpus.h"
#include "vocab/pieces.h"

struct symbol {
    size_t at;    // in text
    uint32_t n, chars;
};

struct pair {
    uint32_t left, right;
    uint64_t count;
    uint32_t *word;    // those it was seen in, some of them no more
    size_t n_word, cap_word;
};

struct top {
    uint64_t count;    // as it was when this was put on the heap
    uint32_t pair;
};

struct merger {
    const struct word *word;
    size_t n_word;
    uint32_t *line;    // symbols of all words
    size_t *start;     // [n_word + 1] where each word's begin
    uint32_t *len;     // symbols of each now
    struct symbol *symbol;
    size_t n_symbol, cap_symbol;
    struct buf text;
    struct pair *pair;
    size_t n_pair, cap_pair;
    uint32_t *slot, *name;    // hash tables of pairs + 1, of symbols + 1 by their text
    size_t n_slot, n_name;
    struct top *heap;
    size_t n_heap, cap_heap;
    int max_chars;
};

static size_t slot_of(const struct merger *m, uint32_t left, uint32_t right)
{
    uint32_t key[2] = { left, right };
    size_t i = hash_xx64(key, sizeof(key), 0) & (m->n_slot - 1);

    while (m->slot[i] &&
           (m->pair[m->slot[i] - 1].left != left || m->pair[m->slot[i] - 1].right != right))
        i = (i + 1) & (m->n_slot - 1);
    return i;
}

static void grow_slots(struct merger *m)
{
    size_t i;

    m->n_slot = m->n_slot ? 2 * m->n_slot : 1 << 16;
    free(m->slot);
    m->slot = xcalloc(m->n_slot, sizeof(*m->slot));
    for (i = 0; i < m->n_pair; i++)
        m->slot[slot_of(m, m->pair[i].left, m->pair[i].right)] = (uint32_t)i + 1;
}

static uint32_t pair_of(struct merger *m, uint32_t left, uint32_t right)
{
    size_t i;

    if (m->n_pair + 1 > m->n_slot / 2)
        grow_slots(m);
    i = slot_of(m, left, right);
    if (!m->slot[i]) {
        if (m->n_pair == m->cap_pair) {
            m->cap_pair = m->cap_pair ? 2 * m->cap_pair : 1 << 14;
            m->pair = xreallocarray(m->pair, m->cap_pair, sizeof(*m->pair));
        }
        m->pair[m->n_pair] = (struct pair){ .left = left, .right = right };
        m->slot[i] = (uint32_t)++m->n_pair;
    }
    return m->slot[i] - 1;
}

static struct bytes text_of(const struct merger *m, uint32_t symbol)
{
    return (struct bytes){ m->text.p + m->symbol[symbol].at, m->symbol[symbol].n };
}

/* Greater counts first; of equal ones shorter text, then the text itself. */
static int is_above(const struct merger *m, const struct top *a, const struct top *b)
{
    const struct pair *x = &m->pair[a->pair], *y = &m->pair[b->pair];
    uint32_t n, k;
    int d;

    if (a->count != b->count)
        return a->count > b->count;
    n = m->symbol[x->left].n + m->symbol[x->right].n;
    k = m->symbol[y->left].n + m->symbol[y->right].n;
    if (n != k)
        return n < k;
    n = m->symbol[x->left].n < m->symbol[y->left].n ? m->symbol[x->left].n : m->symbol[y->left].n;
    d = memcmp(text_of(m, x->left).p, text_of(m, y->left).p, n);
    if (!d && m->symbol[x->left].n != m->symbol[y->left].n)
        return m->symbol[x->left].n < m->symbol[y->left].n;
    if (!d)
        d = memcmp(text_of(m, x->right).p, text_of(m, y->right).p,
                   m->symbol[x->right].n < m->symbol[y->right].n ? m->symbol[x->right].n
                                                                 : m->symbol[y->right].n);
    return d ? d < 0 : a->pair < b->pair;
}

static void sift_down(struct merger *m, size_t i)
{
    struct top top = m->heap[i];
    size_t child;

    while ((child = 2 * i + 1) < m->n_heap) {
        if (child + 1 < m->n_heap && is_above(m, &m->heap[child + 1], &m->heap[child]))
            child++;
        if (!is_above(m, &m->heap[child], &top))
            break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = top;
}

static void offer(struct merger *m, uint32_t pair)
{
    struct top top = { m->pair[pair].count, pair };
    size_t i = m->n_heap++;

    if (m->n_heap > m->cap_heap) {
        m->cap_heap = m->cap_heap ? 2 * m->cap_heap : 1 << 14;
        m->heap = xreallocarray(m->heap, m->cap_heap, sizeof(*m->heap));
    }
    for (; i && is_above(m, &top, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = top;
}

/* A pair was seen in a word. */
static void see(struct merger *m, uint32_t left, uint32_t right, size_t word)
{
    uint32_t pair;
    struct pair *p;

    if (m->symbol[left].chars + m->symbol[right].chars > (uint32_t)m->max_chars)
        return;
    pair = pair_of(m, left, right);
    p = &m->pair[pair];
    p->count += m->word[word].count;
    if (p->n_word && p->word[p->n_word - 1] == word)
        return;
    if (p->n_word == p->cap_word) {
        p->cap_word = p->cap_word ? 2 * p->cap_word : 4;
        p->word = xreallocarray(p->word, p->cap_word, sizeof(*p->word));
    }
    p->word[p->n_word++] = (uint32_t)word;
}

static void unsee(struct merger *m, uint32_t left, uint32_t right, size_t word)
{
    if (m->symbol[left].chars + m->symbol[right].chars <= (uint32_t)m->max_chars)
        m->pair[pair_of(m, left, right)].count -= m->word[word].count;
}

/* The place in the table of names where a text is, or would be. */
static size_t name_slot(const struct merger *m, struct bytes a, struct bytes b)
{
    unsigned char whole[8 * WORD_CHARS_MAX];
    size_t i;

    memcpy(whole, a.p, a.n);
    memcpy(whole + a.n, b.p, b.n);
    i = hash_xx64(whole, a.n + b.n, 0) & (m->n_name - 1);
    while (m->name[i]) {
        struct bytes s = text_of(m, m->name[i] - 1);

        if (s.n == a.n + b.n && !memcmp(s.p, whole, s.n))
            break;
        i = (i + 1) & (m->n_name - 1);
    }
    return i;
}

/* Is the text of a pair that of a symbol already, from another pair? It is not merged, then. */
static int is_named(const struct merger *m, uint32_t left, uint32_t right)
{
    return m->name[name_slot(m, text_of(m, left), text_of(m, right))] != 0;
}

static void grow_names(struct merger *m)
{
    size_t i;

    m->n_name = m->n_name ? 2 * m->n_name : 1 << 12;
    free(m->name);
    m->name = xcalloc(m->n_name, sizeof(*m->name));
    for (i = 0; i < m->n_symbol; i++)
        m->name[name_slot(m, text_of(m, (uint32_t)i), (struct bytes){ m->text.p, 0 })] =
            (uint32_t)i + 1;
}

static uint32_t add_symbol(struct merger *m, struct bytes a, struct bytes b, uint32_t chars)
{
    struct symbol s = { m->text.n, (uint32_t)(a.n + b.n), chars };

    buf_need(&m->text, m->text.n + s.n);    // a and b lie in it
    memcpy(m->text.p + s.at, a.p, a.n);
    memcpy(m->text.p + s.at + a.n, b.p, b.n);
    m->text.n += s.n;
    if (m->n_symbol == m->cap_symbol) {
        m->cap_symbol = m->cap_symbol ? 2 * m->cap_symbol : 1 << 12;
        m->symbol = xreallocarray(m->symbol, m->cap_symbol, sizeof(*m->symbol));
    }
    m->symbol[m->n_symbol] = s;
    if (2 * (m->n_symbol + 1) > m->n_name)
        grow_names(m);
    m->name[name_slot(m, (struct bytes){ m->text.p + s.at, s.n }, (struct bytes){ m->text.p, 0 })] =
        (uint32_t)m->n_symbol + 1;
    return (uint32_t)m->n_symbol++;
}

/* Words as letters; symbol numbers are those of the corpus's letters. */
static void lay_out(struct merger *m, const struct corpus *from)
{
    size_t n_letter, i, at, n = 0;
    const struct letter *letter = corpus_letters(from, &n_letter);
    uint32_t *number = xcalloc(0x110000, sizeof(*number));
    unsigned char p[4];
    int len;

    buf_need(&m->text, 4 * n_letter + 4);
    for (i = 0; i < n_letter; i++) {
        len = utf8_put(p, letter[i].c);
        number[letter[i].c] =
            add_symbol(m, (struct bytes){ p, (size_t)len }, (struct bytes){ p, 0 }, 1);
    }
    for (i = 0; i < m->n_word; i++)
        n += m->word[i].n;
    m->line = xreallocarray(NULL, n + 1, sizeof(*m->line));
    m->start = xcalloc(m->n_word + 1, sizeof(*m->start));
    m->len = xcalloc(m->n_word + 1, sizeof(*m->len));
    for (n = 0, i = 0; i < m->n_word; i++) {
        m->start[i] = n;
        for (at = 0; at < m->word[i].n; at += (size_t)len)
            m->line[n++] = number[utf8_get(m->word[i].p + at, m->word[i].n - at, &len)];
        m->len[i] = (uint32_t)(n - m->start[i]);
    }
    free(number);
}

/* Put symbol `made`, which is new, where left and right stand together in a word. Pairs that
 * this breaks are not seen any more, those with the new symbol are. */
static void replace(struct merger *m, size_t word, uint32_t left, uint32_t right, uint32_t made)
{
    uint32_t *s = m->line + m->start[word], i, n = 0, len = m->len[word];
    unsigned char part[WORD_CHARS_MAX + 1] = "";    // of a pair to be merged

    for (i = 0; i + 1 < len; i++)
        if (s[i] == left && s[i + 1] == right) {
            part[i] = part[i + 1] = 1;
            i++;
        }
    for (i = 0; i + 1 < len; i++)
        if (part[i] || part[i + 1])
            unsee(m, s[i], s[i + 1], word);
    for (i = 0; i < len; i++) {
        int here = i + 1 < len && s[i] == left && s[i + 1] == right;

        s[n++] = here ? made : s[i];
        i += (uint32_t)here;
    }
    m->len[word] = n;
    for (i = 0; i + 1 < n; i++)
        if (s[i] == made || s[i + 1] == made)
            see(m, s[i], s[i + 1], word);
}

/* Merge a pair, and offer those that are there since. */
static void merge(struct merger *m, uint32_t pair)
{
    uint32_t left = m->pair[pair].left, right = m->pair[pair].right, made, *word;
    size_t n = m->pair[pair].n_word, i, first = m->n_pair;

    word = m->pair[pair].word;
    m->pair[pair].word = NULL;
    m->pair[pair].n_word = m->pair[pair].cap_word = 0;
    m->pair[pair].count = 0;
    if (!is_named(m, left, right)) {
        buf_need(&m->text, m->text.n + m->symbol[left].n + m->symbol[right].n);
        made = add_symbol(m, text_of(m, left), text_of(m, right),
                          m->symbol[left].chars + m->symbol[right].chars);
        for (i = 0; i < n; i++)
            replace(m, word[i], left, right, made);
    }
    free(word);
    for (; first < m->n_pair; first++)
        offer(m, (uint32_t)first);
}

/* The most common pair, or -1 when none comes twice. */
static int64_t most_common(struct merger *m)
{
    while (m->n_heap) {
        struct top top = m->heap[0];
        uint64_t count = m->pair[top.pair].count;

        if (count == top.count && count >= 2 * CORPUS_ONE) {
            m->heap[0] = m->heap[--m->n_heap];
            sift_down(m, 0);
            return top.pair;
        }
        if (count >= 2 * CORPUS_ONE && count < top.count) {
            m->heap[0].count = count;
            sift_down(m, 0);
            continue;
        }
        m->heap[0] = m->heap[--m->n_heap];
        sift_down(m, 0);
    }
    return -1;
}

static void hand_out(struct candidates *c, struct merger *m, size_t n_letter)
{
    size_t i;

    c->letters = m->text;
    m->text = (struct buf){ 0 };
    c->n = m->n_symbol;
    c->of = xcalloc(c->n + 1, sizeof(*c->of));
    for (i = 0; i < c->n; i++) {    // merges in their order, then letters
        const struct symbol *s = &m->symbol[(i + n_letter) % c->n];

        c->of[i] = (struct candidate){
            { c->letters.p + s->at, s->n }, -(double)i, s->chars, s->chars == 1
        };
    }
}

static void release(struct merger *m)
{
    size_t i;

    for (i = 0; i < m->n_pair; i++)
        free(m->pair[i].word);
    free(m->pair);
    free(m->symbol);
    free(m->line);
    free(m->start);
    free(m->len);
    free(m->slot);
    free(m->name);
    free(m->heap);
    buf_release(&m->text);
}

void bpe_train(struct candidates *c, const struct corpus *from, int max_chars, size_t want)
{
    struct merger m = { .max_chars = max_chars };
    size_t i, k, n_letter;
    int64_t pair;

    m.word = corpus_words(from, &m.n_word);
    lay_out(&m, from);
    n_letter = m.n_symbol;
    for (i = 0; i < m.n_word; i++)
        for (k = 0; k + 1 < m.len[i]; k++)
            see(&m, m.line[m.start[i] + k], m.line[m.start[i] + k + 1], i);
    for (i = 0; i < m.n_pair; i++)
        offer(&m, (uint32_t)i);
    while (m.n_symbol < want && (pair = most_common(&m)) >= 0)
        merge(&m, (uint32_t)pair);
    hand_out(c, &m, n_letter);
    release(&m);
}
