/* trie.h - a set of strings, each with a number, walked a byte at a time; or a label at a time, for
 * those who have numbered their characters.
 *
 * A double array. From a place with base b the label c leads to node b + c, if that node's label is
 * c; every place can be asked for every byte and every label, so a walk needs no bounds.
 */
#ifndef TEXT_TRIE_H
#define TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;

enum { TRIE_NONE = 0xFFFFFF };    // the number of a node where no key ends; keys have less

struct trie_node {    // from the low bits on: base, 24; number, 24; label, 16
    uint64_t bits;
};

static inline uint32_t trie_base(struct trie_node n)    // 0: no key goes on
{
    return n.bits & 0xFFFFFF;
}

/* Of the key that ends here, or what says that none does. */
static inline uint32_t trie_number(struct trie_node n)
{
    return n.bits >> 24 & 0xFFFFFF;
}

static inline uint32_t trie_label(struct trie_node n)
{
    return (uint32_t)(n.bits >> 48);
}

struct trie {
    struct trie_node *node;    // node 0 and base 0 are a dead end, which no label leads from
    size_t n_node, cap;        // cap: nodes of the block from mem_map() that they are in
    uint32_t root;             // the base to begin with
};

/* Build from n keys (none empty, no two equal, none with a NUL byte) with their numbers. An
 * empty set is allowed. 0 or -1. */
int trie_build(struct trie *t, const struct bytes *key, const uint32_t *number, size_t n,
               struct err *err);

enum { TRIE_LABEL_MAX = 0xFFFE };

struct trie_key {
    uint32_t at;    // of its first label
    uint32_t number;
};

struct trie_keys {
    const uint16_t *label;    // of all keys, 1 .. TRIE_LABEL_MAX; behind a key's last one is a 0
    size_t n_label;           // with the zeros; TRIE_SPARE more can be read
    uint32_t most;            // no label is above
    const struct trie_key *key;
    size_t n;
};

enum { TRIE_SPARE = 3 };

/* The same, of keys of labels; `none` is the number of a node where no key ends. */
int trie_build_wide(struct trie *t, const struct trie_keys *keys, uint32_t none, struct err *err);
void trie_release(struct trie *t);

/* One step from *base by c: the number of the key that ends there, TRIE_NONE where none does,
 * -1 where no key goes on so. */
static inline int32_t trie_step(const struct trie *t, uint32_t *base, unsigned char c)
{
    struct trie_node to = t->node[*base + c];

    if (trie_label(to) != c)
        return -1;
    *base = trie_base(to);
    return (int32_t)trie_number(to);
}

/* Bytes of the longest key that s begins with, 0 if none. */
size_t trie_longest(const struct trie *t, struct bytes s);

#endif
