/* ngram.h - counts of hashed n-grams of characters within words: the inner loop. */
#ifndef LANGID_NGRAM_H
#define LANGID_NGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "langid/model.h"

struct divisor {
    uint64_t ids, inverse;    // inverse: ceil(2^64 / ids), to divide by multiplying
};

/* Counts by id in one flat table, and a list of the ids that were touched: what is counted is
 * what is cleared. */
struct counter {
    struct divisor by;
    uint32_t *count;      // [ids]
    uint32_t *touched;    // ids whose count is not 0, in the order in which they were met
    size_t n;             // how many
    uint64_t total;
    uint32_t ascii[128];    // ids of one byte
};

void counter_init(struct counter *c, uint32_t ids);
void counter_clear(struct counter *c);
void counter_release(struct counter *c);

/* hash modulo ids, exactly: ids times the fraction of hash / ids, which is rounded up to 42 bits
 * (after Lemire, Kaser and Kurz 2019; ids are at most 2^22). */
static inline uint32_t divisor_rest(const struct divisor *d, uint32_t hash)
{
    uint64_t fraction = d->inverse * hash;

    return (uint32_t)(((fraction >> 22) + 1) * d->ids >> 42);
}

static inline void counter_add_many(struct counter *c, uint32_t id, uint32_t n)    // n > 0
{
    c->touched[c->n] = id;
    c->n += !c->count[id];
    c->count[id] += n;
    c->total += n;
}

static inline void counter_add(struct counter *c, uint32_t id)
{
    counter_add_many(c, id, 1);
}

/* Bytes of a character, by its first one. */
static inline size_t ngram_char_len(unsigned char c)
{
    return 1u + (c >= 0xC0) + (c >= 0xE0) + (c >= 0xF0);
}

uint32_t ngram_hash(const unsigned char *p, size_t n);    // as cld3 hashes

/* Append the words of text, "^" before each and "$" after it, and NGRAM_PAD bytes that are not
 * counted in marked->n. Words are parted by single spaces: between two is an empty one. */
enum { NGRAM_PAD = 24 };
void ngram_mark(struct buf *marked, struct bytes text);

/* Count the n-grams of marked text into to[n], n from 1 to LANGID_NGRAM_MAX, where that is not
 * NULL. */
void ngram_count(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes marked);
void ngram_count_plain(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes marked);

#endif
