/* keyset.c - see keyset.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "lists/keyset.h"

void keyset_add(struct keyset *k, struct bytes s)
{
    if (k->n == k->cap) {
        k->cap = k->cap + k->cap / 2 + 64;
        k->key = xreallocarray(k->key, k->cap, sizeof(*k->key));
    }
    hash_md5(s.p, s.n, k->key[k->n++]);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

void keyset_seal(struct keyset *k)
{
    size_t i, n = 0;

    if (k->n)
        qsort(k->key, k->n, sizeof(*k->key), by_bytes);
    for (i = 0; i < k->n; i++)
        if (!n || memcmp(k->key[i], k->key[n - 1], 16) != 0)
            memmove(k->key[n++], k->key[i], 16);
    k->n = n;
}

void keyset_release(struct keyset *k)
{
    free(k->key);
    *k = (struct keyset){ 0 };
}

int keyset_has_key(const struct keyset *k, const unsigned char key[16])
{
    return k->n && bsearch(key, k->key, k->n, sizeof(*k->key), by_bytes) != NULL;
}

int keyset_has(const struct keyset *k, struct bytes s)
{
    unsigned char key[16];

    if (!k->n)
        return 0;
    hash_md5(s.p, s.n, key);
    return keyset_has_key(k, key);
}

uint64_t keyset_fingerprint(const struct keyset *k)
{
    return hash_xx64(k->key, k->n * sizeof(*k->key), k->n);
}
