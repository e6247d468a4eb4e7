/* trie.h - a set of byte strings, each with a number, walked a byte at a time.
 *
 * A double array of 8-byte nodes. From a place with base b the byte c leads to node b ^ c, if
 * that node's label is c; every node can be asked for every byte, so a walk needs no bounds.
 */
#ifndef TEXT_TRIE_H
#define TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;

enum { TRIE_NONE = 0xFFFFFF };    // the number of a node where no key ends; keys have less

struct trie_node {
    uint32_t base;
    uint32_t tag;    // number << 8 | label
};

struct trie {
    struct trie_node *node;
    size_t n_node, cap;    // cap: nodes of the block from mem_map() that they are in
    uint32_t root;    // the base to begin with
};

/* Build from n keys (none empty, no two equal, none with a NUL byte) with their numbers. An
 * empty set is allowed. 0 or -1. */
int trie_build(struct trie *t, const struct bytes *key, const uint32_t *number, size_t n,
               struct err *err);
void trie_release(struct trie *t);

/* One step from *base by c: the number of the key that ends there, TRIE_NONE where none does,
 * -1 where no key goes on so. */
static inline int32_t trie_step(const struct trie *t, uint32_t *base, unsigned char c)
{
    struct trie_node to = t->node[*base ^ c];

    if ((to.tag & 0xFF) != c)
        return -1;
    *base = to.base;
    return (int32_t)(to.tag >> 8);
}

/* Bytes of the longest key that s begins with, 0 if none. */
size_t trie_longest(const struct trie *t, struct bytes s);

#endif
