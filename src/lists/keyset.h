/* keyset.h - a set of strings that is only asked whether it has one: 16 bytes each, their MD5. */
#ifndef LISTS_KEYSET_H
#define LISTS_KEYSET_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct keyset {    // { 0 } is empty
    unsigned char (*key)[16];
    size_t n, cap;
};

void keyset_add(struct keyset *k, struct bytes s);
void keyset_seal(struct keyset *k);    // after all were added, before any is asked for
void keyset_release(struct keyset *k);

int keyset_has(const struct keyset *k, struct bytes s);
int keyset_has_key(const struct keyset *k, const unsigned char key[16]);

uint64_t keyset_fingerprint(const struct keyset *k);

#endif
