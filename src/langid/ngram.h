/* ngram.h - counts of hashed n-grams of characters within words: the inner loop. */
#ifndef LANGID_NGRAM_H
#define LANGID_NGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "langid/model.h"

struct counter {
    uint32_t *count;      // [ids]
    uint32_t *touched;    // ids that are not 0, in the order in which they were met
    size_t n;             // how many
    uint64_t total;
    uint32_t ids;
    uint64_t inverse;    // ceil(2^64 / ids): to divide by multiplying
};

void counter_init(struct counter *c, uint32_t ids);
void counter_release(struct counter *c);

/* hash modulo ids, exactly (Lemire, Kaser, Kurz 2019). */
static inline uint32_t counter_id(const struct counter *c, uint32_t hash)
{
    uint64_t low = c->inverse * hash;

    return (uint32_t)(__extension__((unsigned __int128)low * c->ids) >> 64);
}

static inline void counter_add(struct counter *c, uint32_t id, uint32_t n)
{
    c->touched[c->n] = id;
    c->n += !c->count[id];
    c->count[id] += n;
    c->total += n;
}

/* Bytes of a character, by its first one. */
static inline size_t ngram_char_len(unsigned char c)
{
    return c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

uint32_t ngram_hash(const unsigned char *p, size_t n);    // as cld3 hashes

/* Count the n-grams of text's words, "^" before each and "$" after it, into to[n], n from 1 to
 * LANGID_NGRAM_MAX, where that is not NULL. Words are parted by single spaces: two of them have
 * an empty word between them. text has a space before it, and a space and SCAN_PAD bytes behind
 * it, all of which may be written to. */
void ngram_count(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes text);
void ngram_count_plain(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes text);

#endif
