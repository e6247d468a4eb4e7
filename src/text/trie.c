/* trie.c - see trie.h.
 *
 * Keys are sorted by their first labels and placed depth first, so that the nodes of one word lie
 * near each other; where those labels end, keys that agree in them are sorted by the next ones.
 * Bases are never shared, so a label that fits is proof of the parent. Free nodes have a label that
 * nobody asks for. A base is looked for among 64 at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/trie.h"

enum {
    BYTES = 256,
    TRIES = 1,      // words looked at in vain, after which those before are left to lone labels
    MANY = 2000,    // items that are worth a sort by labels
    AHEAD = 64,     // items whose labels are asked for early
    IN_HEAD = 4,    // labels
    LABEL_BITS = 16,
    NODES_MAX = 1 << 24,
    HUGE_PAGE = 2 << 20,
    FREE = TRIE_LABEL_MAX + 1,    // label of a free node
};

struct item {
    uint64_t head;    // IN_HEAD labels, 0 behind the last, so that they compare as a number
    uint32_t at;      // where the key's labels begin
    uint32_t number;
};

struct place {    // keys lo .. hi agree in their first depth labels, which lead to node
    uint32_t lo, hi, depth, node, label;
};

struct build {
    struct trie_node *node;
    uint32_t none;
    const uint16_t *label;      // of all keys
    size_t span;                // nodes from a base on that can be asked for
    unsigned bits;              // of a label
    struct item *item;          // n_item
    size_t n_item, soon;        // before the latter, their labels are on the way from memory
    uint64_t *taken, *based;    // bits, the first after `span` of them: node in use; base in use
    size_t n, cap;              // nodes: up to the last base, and its span
    size_t lone, many;          // the words of taken that one label, and more, are looked for from
    uint32_t *child, *start;    // of the place at work: labels, and where their keys begin
    struct place *stack;
    size_t n_stack, cap_stack;
};

/* IN_HEAD labels from p on, of a key that a 0 ends. */
static inline uint64_t head_at(const uint16_t *p)
{
    const uint64_t ones = 0x0001000100010001u;
    uint64_t x, end;

    memcpy(&x, p, sizeof(x));
    end = (x - ones) & ~x & ones << 15;    // the lowest one is true
    if (end)
        x &= ((end & (0 - end)) >> 15) - 1;
    x = x >> 32 | x << 32;
    return (x & 0xFFFF0000FFFF0000u) >> 16 | (x & 0x0000FFFF0000FFFFu) << 16;
}

static inline uint32_t label_at(const struct item *item, uint32_t depth)
{
    return item->head >> (IN_HEAD - 1 - depth % IN_HEAD) * LABEL_BITS & FREE;
}

/* By heads of labels of so many bits, from the last label on; room for n as well. */
static void labels_sort(struct item *item, struct item *room, size_t n, unsigned bits)
{
    size_t n_place = (size_t)1 << bits, i, d;
    uint32_t *place = xcalloc(IN_HEAD * n_place, sizeof(*place)), sum, here;
    struct item *from = item, *to = room, *other;

    for (i = 0; i < n; i++)
        for (d = 0; d < IN_HEAD; d++)
            place[d << bits | (item[i].head >> d * LABEL_BITS & FREE)]++;
    for (d = 0; d < IN_HEAD; d++) {    // an even number of times
        uint32_t *at = place + d * n_place;

        for (i = sum = 0; i < n_place; i++) {
            here = at[i];
            at[i] = sum;
            sum += here;
        }
        for (i = 0; i < n; i++)
            to[at[from[i].head >> d * LABEL_BITS & FREE]++] = from[i];
        other = from;
        from = to;
        to = other;
    }
    free(place);
}

/* Items that agree in the labels before their heads. */
static void items_sort(const struct build *b, struct item *item, size_t n)
{
    static const size_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };
    size_t g, i, k;

    if (n > MANY) {
        struct item *room = xreallocarray(NULL, n, sizeof(*room));

        labels_sort(item, room, n, b->bits);
        free(room);
        return;
    }
    for (g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
        for (i = gaps[g]; i < n; i++) {
            struct item x = item[i];

            for (k = i; k >= gaps[g] && item[k - gaps[g]].head > x.head; k -= gaps[g])
                item[k] = item[k - gaps[g]];
            item[k] = x;
        }
}

/* 64 bits from `at` on. */
static inline uint64_t bits_at(const uint64_t *set, size_t at)
{
    unsigned by = at & 63;

    return set[at >> 6] >> by | set[(at >> 6) + 1] << 1 << (63 - by);
}

static inline void bit_set(uint64_t *set, size_t i)
{
    set[i >> 6] |= (uint64_t)1 << (i & 63);
}

static uint64_t *bits_more(uint64_t *set, size_t had, size_t n)
{
    set = xreallocarray(set, n / 64, sizeof(*set));
    memset(set + had / 64, 0, (n - had) / 8);
    return set;
}

/* A size that leaves no part of a large block to small pages. */
static size_t whole(size_t size)
{
    return size < HUGE_PAGE ? size : (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/* Room for n nodes. Bits have room for two spans more, so that a search ends. */
static void grow(struct build *b, size_t n)
{
    size_t cap = b->cap ? 2 * b->cap : n, had = b->cap ? b->cap + 3 * b->span : 0;
    struct trie_node *more;

    while (cap < n)
        cap *= 2;
    cap = whole((cap + 63) / 64 * 64 * sizeof(*more)) / sizeof(*more);
    more = mem_map(cap * sizeof(*more));
    if (b->cap)
        memcpy(more, b->node, b->cap * sizeof(*more));
    mem_unmap(b->node, b->cap * sizeof(*more));
    b->node = more;
    b->taken = bits_more(b->taken, had, cap + 3 * b->span);
    b->based = bits_more(b->based, had, cap + 3 * b->span);
    b->cap = cap;
}

/* The base is in use, and the nodes from there on that can be asked for are ours. */
static inline uint32_t take_base(struct build *b, size_t base)
{
    bit_set(b->based, base + b->span);
    if (base + b->span > b->n) {
        b->n = base + b->span;
        if (b->n > b->cap)
            grow(b, b->n);
    }
    return (uint32_t)base;
}

/* A base under which all n of b->child find a free node. */
static uint32_t find_base(struct build *b, size_t n)
{
    const uint32_t *c = b->child;
    const uint64_t *taken = b->taken, *based = b->based;
    size_t w, i, first = c[0];
    uint64_t fit;

    for (w = b->many;; w++) {
        fit = ~taken[w] & ~bits_at(based, w * 64 - first);
        for (i = 1; i < n && fit; i++)
            fit &= ~bits_at(taken, w * 64 - first + c[i]);
        if (fit)
            break;
    }
    if (w > b->many + TRIES)
        b->many = w - TRIES;
    return take_base(b, w * 64 + (size_t)__builtin_ctzll(fit) - first - b->span);
}

/* The same for a lone label: it takes the next gap. */
static inline uint32_t find_lone(struct build *b, uint32_t label)
{
    const uint64_t *taken = b->taken, *based = b->based;
    uint64_t fit;
    size_t w = b->lone;

    while (!(fit = ~taken[w] & ~bits_at(based, w * 64 - label)))
        w++;
    if (w > b->lone + TRIES)
        b->lone = w - TRIES;
    return take_base(b, w * 64 + (size_t)__builtin_ctzll(fit) - label - b->span);
}

static void push(struct build *b, struct place p)
{
    if (b->n_stack == b->cap_stack) {
        b->cap_stack = b->cap_stack ? b->cap_stack * 2 : 256;
        b->stack = xreallocarray(b->stack, b->cap_stack, sizeof(*b->stack));
    }
    b->stack[b->n_stack++] = p;
}

static inline struct trie_node node_of(uint32_t base, uint32_t number, uint32_t label)
{
    return (struct trie_node){ base | (uint64_t)number << 24 | (uint64_t)label << 48 };
}

/* What is left of one key after the node `at` with its label, and that node. */
static inline void place_tail(struct build *b, const struct item *item, struct place p)
{
    const uint16_t *c = b->label + item->at + p.depth;
    uint32_t base;

    for (; *c; p.label = *c++) {
        base = find_lone(b, *c);
        b->node[p.node] = node_of(base, b->none, p.label);
        p.node = base + *c;
        bit_set(b->taken, p.node + b->span);
    }
    b->node[p.node] = node_of(0, item->number, p.label);
}

/* The labels of the keys of p at its depth, and where each one's keys begin. Returns how many. */
static uint32_t find_children(struct build *b, const struct place *p)
{
    const struct item *item = b->item;
    uint32_t i, c, n = 0, last = 0, *child = b->child, *start = b->start;
    uint32_t depth = p->depth, hi = p->hi;

    for (i = p->lo; i < hi; i++) {
        c = label_at(&item[i], depth);
        if (c != last) {
            start[n] = i;
            child[n++] = last = c;
        }
    }
    start[n] = hi;
    return n;
}

/* Labels are in the order of the file, but items are not. */
static inline void prefetch(struct build *b, size_t at)
{
    at = at + AHEAD < b->n_item ? at + AHEAD : b->n_item;
    for (; b->soon < at; b->soon++)
        __builtin_prefetch(b->label + b->item[b->soon].at + IN_HEAD);
}

/* Labels of the keys of p, if it is time for those that are not in the heads yet. */
static inline void next_heads(struct build *b, const struct place *p)
{
    struct item *item = b->item;
    uint32_t i;

    if (p->depth % IN_HEAD || !p->depth)
        return;
    for (i = p->lo; i < p->hi; i++)
        item[i].head = head_at(b->label + item[i].at + p->depth);
    items_sort(b, item + p->lo, p->hi - p->lo);
}

/* The nodes from that of p on to where its keys part, and what they part to. */
static int place_children(struct build *b, struct place p, struct err *err)
{
    struct item *item = b->item;
    uint32_t i, n, c, base, number = b->none;

    prefetch(b, p.lo);
    for (;;) {
        next_heads(b, &p);
        if (!label_at(&item[p.lo], p.depth)) {    // a key ends here
            number = item[p.lo++].number;
            if (!p.depth)
                return err_set(err, "number %u: empty", number);
            if (!label_at(&item[p.lo], p.depth))
                return err_set(err, "numbers %u and %u are the same piece", number,
                               item[p.lo].number);
        }
        c = label_at(&item[p.lo], p.depth);
        if (c != label_at(&item[p.hi - 1], p.depth))
            break;
        base = find_lone(b, c);
        b->node[p.node] = node_of(base, number, p.label);
        bit_set(b->taken, base + c + b->span);
        p = (struct place){ p.lo, p.hi, p.depth + 1, base + c, c };
        if (p.hi - p.lo == 1) {
            place_tail(b, &item[p.lo], p);
            return 0;
        }
        number = b->none;
    }
    n = find_children(b, &p);
    base = find_base(b, n);
    b->node[p.node] = node_of(base, number, p.label);
    for (i = 0; i < n; i++)
        bit_set(b->taken, base + b->child[i] + b->span);
    for (i = n; i-- > 0;) {    // the stack turns them round again
        struct place to = { b->start[i], b->start[i + 1], p.depth + 1, base + b->child[i],
                            b->child[i] };

        if (to.hi - to.lo > 1)
            push(b, to);
        else
            place_tail(b, &item[to.lo], to);
    }
    return 0;
}

static void close_gaps(struct build *b)
{
    size_t w;

    for (w = b->span / 64; w < (b->n + b->span) / 64; w++) {
        uint64_t gaps = ~b->taken[w];

        for (; gaps; gaps &= gaps - 1)
            b->node[w * 64 + (size_t)__builtin_ctzll(gaps) - b->span] = node_of(0, b->none, FREE);
    }
    b->node[0] = node_of(0, b->none, FREE);
}

static int place_all(struct build *b, struct trie *t, struct err *err)
{
    int bad = b->n_item ? place_children(b, (struct place){ .hi = (uint32_t)b->n_item }, err) : 0;

    while (!bad && b->n_stack && b->n <= NODES_MAX)
        bad = place_children(b, b->stack[--b->n_stack], err);
    if (!bad && b->n > NODES_MAX)
        bad = err_set(err, "more than %d steps of a search", NODES_MAX);
    t->node = b->node;
    t->n_node = b->n;
    t->cap = b->cap;
    t->root = trie_base(b->node[0]);
    if (bad)
        trie_release(t);
    else
        close_gaps(b);
    return bad;
}

/* The keys in the order of their heads. Nodes are not in use yet: they have room. */
static int read_keys(struct build *b, const struct trie_keys *keys, struct err *err)
{
    size_t i;

    for (i = 0; i < keys->n; i++) {
        const struct trie_key *k = &keys->key[i];

        if (k->number >= TRIE_NONE)
            return err_set(err, "more than %d pieces", TRIE_NONE);
        b->item[i] = (struct item){ head_at(keys->label + k->at), k->at, k->number };
    }
    labels_sort(b->item, (struct item *)(void *)b->node, keys->n, b->bits);
    return 0;
}

static void begin(struct build *b, const struct trie_keys *keys)
{
    size_t most = keys->most > BYTES - 1 ? keys->most : BYTES - 1;
    size_t n_label = keys->n_label > 2 * keys->n ? keys->n_label : 2 * keys->n;

    b->label = keys->label;
    b->n_item = keys->n;
    b->item = mem_map(whole(keys->n * sizeof(*b->item)));
    b->bits = 32 - (unsigned)__builtin_clz(keys->most | 1);
    b->span = (most + 64) / 64 * 64;
    b->child = xreallocarray(NULL, most + 1, sizeof(*b->child));
    b->start = xreallocarray(NULL, most + 2, sizeof(*b->start));
    grow(b, n_label + 2 * b->span);    // hardly ever too few
    memset(b->based, 0xFF, b->span / 8);
    b->lone = b->many = b->span / 64;
    bit_set(b->taken, b->span);    // the dead end
    take_base(b, 0);
}

int trie_build_wide(struct trie *t, const struct trie_keys *keys, uint32_t none, struct err *err)
{
    struct build b = { .none = none };
    int bad;

    *t = (struct trie){ 0 };
    if (keys->n_label >= UINT32_MAX)
        return err_set(err, "too many pieces");
    begin(&b, keys);
    bad = read_keys(&b, keys, err);
    if (bad)
        mem_unmap(b.node, b.cap * sizeof(*b.node));
    else
        bad = place_all(&b, t, err);
    free(b.taken);
    free(b.based);
    free(b.stack);
    free(b.child);
    free(b.start);
    mem_unmap(b.item, whole(keys->n * sizeof(*b.item)));
    return bad;
}

int trie_build(struct trie *t, const struct bytes *key, const uint32_t *number, size_t n,
               struct err *err)
{
    struct trie_keys keys = { .most = BYTES - 1, .n = n };
    struct trie_key *k = xreallocarray(NULL, n + 1, sizeof(*k));
    size_t i, j, at = 0;
    uint16_t *label;
    int bad;

    for (i = 0; i < n; i++)
        keys.n_label += key[i].n + 1;
    label = xcalloc(keys.n_label + TRIE_SPARE, sizeof(*label));
    for (i = 0; i < n; i++) {
        k[i] = (struct trie_key){ (uint32_t)at, number[i] };
        for (j = 0; j < key[i].n; j++)
            label[at++] = key[i].p[j];
        at++;
    }
    keys.label = label;
    keys.key = k;
    bad = trie_build_wide(t, &keys, TRIE_NONE, err);
    free(label);
    free(k);
    return bad;
}

void trie_release(struct trie *t)
{
    mem_unmap(t->node, t->cap * sizeof(*t->node));
    *t = (struct trie){ 0 };
}

size_t trie_longest(const struct trie *t, struct bytes s)
{
    uint32_t base = t->root;
    size_t i, longest = 0;

    for (i = 0; i < s.n; i++) {
        int32_t number = trie_step(t, &base, s.p[i]);

        if (number < 0)
            break;
        if (number != TRIE_NONE)
            longest = i + 1;
    }
    return longest;
}
