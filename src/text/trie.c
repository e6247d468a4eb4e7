/* trie.c - see trie.h.
 *
 * Keys are sorted, then placed depth first, so that the nodes of one word lie near each other.
 * Bases are never shared, so a label that fits is proof of the parent. The first 256 nodes are
 * a dead end that leaves point to: their labels fit no byte. Free nodes inside get a label that
 * no parent can ask them for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/trie.h"

enum {
    BLOCK = 256,
    LOOK_BACK =
        1 << 8,    // nodes: how far from the end children look for gaps; a lone one takes the next
    DIGIT = 11,    // bits sorted by at a time
};

struct item {
    uint64_t head;    // the first 8 bytes, big endian, so that they compare as a number
    const unsigned char *p;
    uint32_t n, number;
};

struct place {    // keys lo .. hi agree in their first depth bytes, which lead to node
    uint32_t lo, hi, depth, node;
};

struct build {
    struct trie_node *node;
    uint64_t *taken, *based;    // bits: node in use; base in use
    size_t n, cap;              // nodes
    size_t lone;                // a lone child looks from this word of taken on
    struct place *stack;
    size_t n_stack, cap_stack;
};

static int item_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c;

    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    c = memcmp(x->p, y->p, n);
    return c ? c : (x->n > y->n) - (x->n < y->n);
}

/* Sort by heads, a digit at a time from the lowest; to has room for n as well. Returns which of the
 * two they are in. */
static struct item *heads_sort(struct item *from, struct item *to, size_t n)
{
    enum { N_DIGIT = (64 + DIGIT - 1) / DIGIT, MASK = (1 << DIGIT) - 1 };
    uint32_t(*place)[MASK + 1] = xcalloc(N_DIGIT, sizeof(*place)), sum, here;
    size_t i, d;

    for (i = 0; i < n; i++)
        for (d = 0; d < N_DIGIT; d++)
            place[d][from[i].head >> d * DIGIT & MASK]++;
    for (d = 0; d < N_DIGIT; d++) {
        uint32_t *at = place[d];
        struct item *other = from;

        if (n && at[from[0].head >> d * DIGIT & MASK] == n)
            continue;    // all the same
        for (i = sum = 0; i <= MASK; i++) {
            here = at[i];
            at[i] = sum;
            sum += here;
        }
        for (i = 0; i < n; i++)
            to[at[from[i].head >> d * DIGIT & MASK]++] = from[i];
        from = to;
        to = other;
    }
    free(place);
    return from;
}

/* The first 8 bytes as a number, big endian; zeros behind the last one. */
static uint64_t head_of(struct bytes key)
{
    uint64_t x = 0;
    size_t i;

    if (key.n >= 8) {
        memcpy(&x, key.p, 8);
        return __builtin_bswap64(x);
    }
    for (i = 0; i < key.n; i++)
        x |= (uint64_t)key.p[i] << (56 - 8 * i);
    return x;
}

static size_t sort_size(size_t n)
{
    return 2 * (n + 1) * sizeof(struct item);
}

/* In order, in room for n twice. */
static struct item *items_sort(struct item *room, const struct bytes *key, const uint32_t *number,
                               size_t n)
{
    struct item *item;
    size_t i, end;

    for (i = 0; i < n; i++)
        room[i] = (struct item){ head_of(key[i]), key[i].p, (uint32_t)key[i].n, number[i] };
    item = heads_sort(room, room + n, n);
    for (i = 0; i < n; i = end) {    // keys whose first 8 bytes are the same
        for (end = i + 1; end < n && item[end].head == item[i].head; end++)
            ;
        if (end - i > 1)
            qsort(item + i, end - i, sizeof(*item), item_order);
    }
    return item;
}

static int bit(const uint64_t *set, size_t i)
{
    return (int)(set[i >> 6] >> (i & 63) & 1);
}

static void bit_set(uint64_t *set, size_t i)
{
    set[i >> 6] |= (uint64_t)1 << (i & 63);
}

static struct trie_node *nodes_more(struct trie_node *node, size_t had, size_t cap)
{
    struct trie_node *more = mem_map(cap * sizeof(*more));

    if (had)
        memcpy(more, node, had * sizeof(*more));
    mem_unmap(node, had * sizeof(*node));
    return more;
}

static void grow(struct build *b)
{
    size_t cap = b->cap ? b->cap * 2 : (size_t)16 * BLOCK;

    if (b->n + BLOCK > b->cap) {
        b->node = nodes_more(b->node, b->cap, cap);
        b->taken = xreallocarray(b->taken, cap / 64, sizeof(*b->taken));
        b->based = xreallocarray(b->based, cap / 64, sizeof(*b->based));
        b->cap = cap;
    }
    memset(b->taken + b->n / 64, 0, BLOCK / 8);
    memset(b->based + b->n / 64, 0, BLOCK / 8);
    b->n += BLOCK;
}

static int fits(const struct build *b, size_t base, const unsigned char *label, size_t n)
{
    size_t i;

    if (bit(b->based, base))
        return 0;
    for (i = 1; i < n; i++)
        if (bit(b->taken, base ^ label[i]))
            return 0;
    return 1;
}

/* A base under which all of n labels find a free node. */
static uint32_t find_base(struct build *b, const unsigned char *label, size_t n)
{
    size_t w = (b->n > LOOK_BACK + BLOCK ? b->n - LOOK_BACK : BLOCK) / 64, at;

    for (; w < b->n / 64; w++) {
        uint64_t gaps = ~b->taken[w];

        for (; gaps; gaps &= gaps - 1) {
            at = w * 64 + (size_t)__builtin_ctzll(gaps);
            if (fits(b, at ^ label[0], label, n))
                return (uint32_t)(at ^ label[0]);
        }
    }
    at = b->n;
    grow(b);
    return (uint32_t)(at ^ label[0]);
}

/* The same for a lone label: it takes the next gap, which is not looked at again. */
static uint32_t find_lone(struct build *b, unsigned char label)
{
    size_t at;

    for (; b->lone < b->n / 64; b->lone++) {
        uint64_t gaps = ~b->taken[b->lone];

        for (; gaps; gaps &= gaps - 1) {
            at = b->lone * 64 + (size_t)__builtin_ctzll(gaps);
            if (!bit(b->based, at ^ label))
                return (uint32_t)(at ^ label);
        }
    }
    at = b->n;
    grow(b);
    return (uint32_t)(at ^ label);
}

static void push(struct build *b, struct place p)
{
    if (b->n_stack == b->cap_stack) {
        b->cap_stack = b->cap_stack ? b->cap_stack * 2 : 256;
        b->stack = xreallocarray(b->stack, b->cap_stack, sizeof(*b->stack));
    }
    b->stack[b->n_stack++] = p;
}

static unsigned char byte_at(const struct item *item, uint32_t depth)
{
    return depth < 8 ? (unsigned char)(item->head >> (56 - 8 * depth)) : item->p[depth];
}

/* Place what is left of one key, a node a byte. Returns the base of p, 0 if nothing is left. */
static uint32_t place_tail(struct build *b, const struct item *item, struct place p)
{
    uint32_t first = 0, base, at = 0, depth;

    for (depth = p.depth; depth < item->n; depth++) {
        unsigned char c = byte_at(item, depth);
        uint32_t number = depth + 1 == item->n ? item->number : TRIE_NONE;

        base = find_lone(b, c);
        if (depth == p.depth)
            first = base;
        else
            b->node[at].base = base;
        at = base ^ c;
        bit_set(b->based, base);
        bit_set(b->taken, at);
        b->node[at] = (struct trie_node){ 0, number << 8 | c };
    }
    return first;
}

/* Place the children of p. Returns the base of p, 0 (the dead end) if it has none. */
static uint32_t place_children(struct build *b, const struct item *item, struct place p)
{
    unsigned char label[256];
    uint32_t start[257], base, i, n = 0;

    if (p.hi - p.lo == 1)
        return place_tail(b, &item[p.lo], p);
    for (i = p.lo; i < p.hi; i++) {
        unsigned char c = byte_at(&item[i], p.depth);

        if (n == 0 || label[n - 1] != c) {
            start[n] = i;
            label[n++] = c;
        }
    }
    if (n == 0)
        return 0;
    start[n] = p.hi;
    base = n == 1 ? find_lone(b, label[0]) : find_base(b, label, n);
    bit_set(b->based, base);
    for (i = 0; i < n; i++)
        bit_set(b->taken, base ^ label[i]);
    for (i = n; i-- > 0;) {    // the stack turns them round again
        uint32_t lo = start[i], at = base ^ label[i], number = TRIE_NONE;

        if (item[lo].n == p.depth + 1)
            number = item[lo++].number;
        b->node[at] = (struct trie_node){ 0, number << 8 | label[i] };
        if (lo < start[i + 1])
            push(b, (struct place){ lo, start[i + 1], p.depth + 1, at });
    }
    return base;
}

static void close_gaps(struct build *b)
{
    size_t at;
    uint32_t label;

    for (at = 0; at < BLOCK; at++)
        b->node[at] = (struct trie_node){ 0, (uint32_t)TRIE_NONE << 8 | (uint32_t)(at ^ 1) };
    for (; at < b->n; at++) {
        if (bit(b->taken, at))
            continue;
        for (label = 0; label < BLOCK - 1 && bit(b->based, at ^ label); label++)
            ;
        b->node[at] = (struct trie_node){ 0, (uint32_t)TRIE_NONE << 8 | label };
    }
}

static int check(const struct item *item, size_t n, struct err *err)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (item[i].n == 0)
            return err_set(err, "number %u: empty", item[i].number);
        if (item[i].number >= TRIE_NONE)
            return err_set(err, "more than %d pieces", TRIE_NONE);
        if (i && item_order(&item[i - 1], &item[i]) == 0)
            return err_set(err, "numbers %u and %u are the same piece", item[i - 1].number,
                           item[i].number);
    }
    return 0;
}

int trie_build(struct trie *t, const struct bytes *key, const uint32_t *number, size_t n,
               struct err *err)
{
    struct build b = { .lone = BLOCK / 64 };
    struct item *room, *item;
    int bad;

    *t = (struct trie){ 0 };
    if (n >= UINT32_MAX)
        return err_set(err, "too many pieces");
    room = mem_map(sort_size(n));
    item = items_sort(room, key, number, n);
    bad = check(item, n, err);
    if (!bad) {
        grow(&b);
        t->root = place_children(&b, item, (struct place){ 0, (uint32_t)n, 0, 0 });
        while (b.n_stack) {
            struct place p = b.stack[--b.n_stack];
            uint32_t base = place_children(&b, item, p);

            b.node[p.node].base = base;
        }
        close_gaps(&b);
        t->node = b.node;
        t->n_node = b.n;
        t->cap = b.cap;
    }
    free(b.taken);
    free(b.based);
    free(b.stack);
    mem_unmap(room, sort_size(n));
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
