/* trie.c - see trie.h.
 *
 * Keys are sorted, then placed depth first, so that the nodes of one word lie near each other.
 * Bases are never shared, so a label that fits is proof of the parent. Free nodes inside get a
 * label that no parent can ask them for. A block is as large as labels are, so that what is asked
 * for lies in the same one as the base.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/trie.h"

enum {
    BLOCK_MIN = 256,
    TRIES =
        32,    // words and gaps looked at in vain after which those before are left to lone labels
    FEW = 16,
    DIGIT = 11,     // bits sorted by at a time
    IN_HEAD = 4,    // labels
    LABEL_BITS = 16,
    NODES_MAX = 1 << 24,
};

struct item {
    uint64_t head;    // the first labels, so that they compare as a number
    const uint16_t *p;
    uint32_t n, number;
};

struct place {    // keys lo .. hi agree in their first depth labels, which lead to node
    uint32_t lo, hi, depth, node;
};

struct build {
    struct trie_node *node;
    uint32_t none;
    uint64_t *taken, *based;    // bits: node in use; base in use
    size_t n, cap, block;       // nodes
    size_t lone, many;          // the words of taken that one label, and more, are looked for from
    uint16_t *label;            // of the place at work, block of them at most
    uint32_t *start;            // where their keys begin
    struct place *stack;
    size_t n_stack, cap_stack;
};

static int item_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n, i;

    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    for (i = IN_HEAD; i < n; i++)
        if (x->p[i] != y->p[i])
            return x->p[i] < y->p[i] ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
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

static uint64_t head_of(struct trie_key key)
{
    uint64_t x = 0;
    size_t i;

    for (i = 0; i < IN_HEAD; i++)
        x = x << LABEL_BITS | (i < key.n ? key.p[i] : 0);
    return x;
}

static size_t sort_size(size_t n)
{
    return 2 * (n + 1) * sizeof(struct item);
}

/* Items whose heads are the same. */
static void rest_sort(struct item *item, size_t n)
{
    size_t i, k;

    if (n > FEW)
        qsort(item, n, sizeof(*item), item_order);
    for (i = 1; i < n && n <= FEW; i++) {
        struct item x = item[i];

        for (k = i; k && item_order(&item[k - 1], &x) > 0; k--)
            item[k] = item[k - 1];
        item[k] = x;
    }
}

/* In order, in room for n twice. */
static struct item *items_sort(struct item *room, const struct trie_key *key,
                               const uint32_t *number, size_t n)
{
    struct item *item;
    size_t i, end;

    for (i = 0; i < n; i++)
        room[i] = (struct item){ head_of(key[i]), key[i].p, (uint32_t)key[i].n, number[i] };
    item = heads_sort(room, room + n, n);
    for (i = 0; i < n; i = end) {
        for (end = i + 1; end < n && item[end].head == item[i].head; end++)
            ;
        rest_sort(item + i, end - i);
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
    size_t cap = b->cap ? b->cap * 2 : (size_t)16 * b->block;

    if (b->n + b->block > b->cap) {
        b->node = nodes_more(b->node, b->cap, cap);
        b->taken = xreallocarray(b->taken, cap / 64, sizeof(*b->taken));
        b->based = xreallocarray(b->based, cap / 64, sizeof(*b->based));
        b->cap = cap;
    }
    memset(b->taken + b->n / 64, 0, b->block / 8);
    memset(b->based + b->n / 64, 0, b->block / 8);
    if (!b->n) {    // the dead end
        bit_set(b->taken, 0);
        bit_set(b->based, 0);
    }
    b->n += b->block;
}

/* How many of n labels find a free node under a base, up to the first that does not. */
static size_t fits(const struct build *b, size_t base, size_t n)
{
    size_t i;

    if (bit(b->based, base))
        return 0;
    for (i = 1; i < n; i++)
        if (bit(b->taken, base ^ b->label[i]))
            break;
    return i;
}

/* A base under which all of n labels find a free node. Gaps where it took long to see that they do
 * not are a sign to look further away, twice as far each time. */
static uint32_t find_base(struct build *b, size_t n)
{
    size_t w, at, n_fit, tried = 0, stride = 1;

    for (w = b->many; w < b->n / 64; w += stride, tried++) {
        uint64_t gaps = ~b->taken[w];

        for (; gaps; gaps &= gaps - 1, tried++) {
            at = w * 64 + (size_t)__builtin_ctzll(gaps);
            n_fit = fits(b, at ^ b->label[0], n);
            if (n_fit == n) {
                if (tried > TRIES && n <= FEW)
                    b->many = w;
                return (uint32_t)(at ^ b->label[0]);
            }
            if (n_fit > FEW) {
                stride *= 2;
                break;
            }
        }
    }
    at = b->n;
    grow(b);
    return (uint32_t)(at ^ b->label[0]);
}

/* The same for a lone label: it takes the next gap, which is not looked at again. */
static uint32_t find_lone(struct build *b, uint32_t label)
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

static uint32_t label_at(const struct item *item, uint32_t depth)
{
    return depth < IN_HEAD
               ? item->head >> (IN_HEAD - 1 - depth) * LABEL_BITS & ((1 << LABEL_BITS) - 1)
               : item->p[depth];
}

static void put_node(struct build *b, uint32_t at, uint32_t number, uint32_t label)
{
    bit_set(b->taken, at);
    b->node[at] = (struct trie_node){ .number = number, .label = label };
}

/* Place what is left of one key, a node a label. Returns the base of p, 0 if nothing is left. */
static uint32_t place_tail(struct build *b, const struct item *item, struct place p)
{
    uint32_t first = 0, base, at = 0, depth;

    for (depth = p.depth; depth < item->n; depth++) {
        uint32_t c = label_at(item, depth);

        base = find_lone(b, c);
        if (depth == p.depth)
            first = base;
        else
            b->node[at].base = base;
        at = base ^ c;
        bit_set(b->based, base);
        put_node(b, at, depth + 1 == item->n ? item->number : b->none, c);
    }
    return first;
}

/* Place the children of p. Returns the base of p, 0 (the dead end) if it has none. */
static uint32_t place_children(struct build *b, const struct item *item, struct place p)
{
    uint32_t base, i, n = 0;

    if (p.hi - p.lo == 1)
        return place_tail(b, &item[p.lo], p);
    for (i = p.lo; i < p.hi; i++) {
        uint32_t c = label_at(&item[i], p.depth);

        if (n == 0 || b->label[n - 1] != c) {
            b->start[n] = i;
            b->label[n++] = (uint16_t)c;
        }
    }
    if (n == 0)
        return 0;
    b->start[n] = p.hi;
    base = n == 1 ? find_lone(b, b->label[0]) : find_base(b, n);
    bit_set(b->based, base);
    for (i = n; i-- > 0;) {    // the stack turns them round again
        uint32_t lo = b->start[i], at = base ^ b->label[i], number = b->none;

        if (item[lo].n == p.depth + 1)
            number = item[lo++].number;
        put_node(b, at, number, b->label[i]);
        if (lo < b->start[i + 1])
            push(b, (struct place){ lo, b->start[i + 1], p.depth + 1, at });
    }
    return base;
}

static void close_gaps(struct build *b)
{
    uint32_t at, label;

    for (at = 0; at < b->n; at++) {
        if (at && bit(b->taken, at))
            continue;
        for (label = 0; bit(b->based, at ^ label); label++)
            ;    // there is one: each base of a block has a node of its own in it
        b->node[at] = (struct trie_node){ .number = b->none, .label = label };
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

/* As many as there are labels, so that they stay in their block; more nodes than 64 of them. */
static size_t block_size(const struct trie_key *key, size_t n)
{
    size_t i, k, block = BLOCK_MIN;

    for (i = 0; i < n; i++)
        for (k = 0; k < key[i].n; k++)
            while (key[i].p[k] >= block)
                block *= 2;
    return block;
}

static int place_all(struct build *b, const struct item *item, uint32_t n, struct trie *t,
                     struct err *err)
{
    b->label = xreallocarray(NULL, b->block, sizeof(*b->label));
    b->start = xreallocarray(NULL, b->block + 1, sizeof(*b->start));
    grow(b);
    t->root = place_children(b, item, (struct place){ 0, n, 0, 0 });
    while (b->n_stack && b->n <= NODES_MAX) {
        struct place p = b->stack[--b->n_stack];
        uint32_t base = place_children(b, item, p);

        b->node[p.node].base = base;
    }
    if (b->n <= NODES_MAX)
        close_gaps(b);
    t->node = b->node;
    t->n_node = b->n;
    t->cap = b->cap;
    free(b->taken);
    free(b->based);
    free(b->stack);
    free(b->label);
    free(b->start);
    if (b->n <= NODES_MAX)
        return 0;
    trie_release(t);
    return err_set(err, "more than %d steps of a search", NODES_MAX);
}

int trie_build_wide(struct trie *t, const struct trie_key *key, const uint32_t *number, size_t n,
                    uint32_t none, struct err *err)
{
    struct build b = { .none = none, .block = block_size(key, n) };
    struct item *room, *item;
    int bad;

    *t = (struct trie){ 0 };
    if (n >= UINT32_MAX)
        return err_set(err, "too many pieces");
    room = mem_map(sort_size(n));
    item = items_sort(room, key, number, n);
    bad = check(item, n, err);
    if (!bad)
        bad = place_all(&b, item, (uint32_t)n, t, err);
    mem_unmap(room, sort_size(n));
    return bad;
}

int trie_build(struct trie *t, const struct bytes *key, const uint32_t *number, size_t n,
               struct err *err)
{
    struct trie_key *wide = xreallocarray(NULL, n + 1, sizeof(*wide));
    size_t i, k, total = 0;
    uint16_t *label, *to;
    int bad;

    for (i = 0; i < n; i++)
        total += key[i].n;
    label = to = xreallocarray(NULL, total + 1, sizeof(*label));
    for (i = 0; i < n; i++) {
        wide[i] = (struct trie_key){ to, key[i].n };
        for (k = 0; k < key[i].n; k++)
            *to++ = key[i].p[k];
    }
    bad = trie_build_wide(t, wide, number, n, TRIE_NONE, err);
    free(wide);
    free(label);
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
