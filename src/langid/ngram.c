/* ngram.c - see ngram.h. */
#include <stdlib.h>
#include <string.h>

#include "langid/ngram.h"

#define MULTIPLIER 0x5bd1e995u
#define SEED 0xBEEFu

void counter_init(struct counter *c, uint32_t ids)
{
    *c = (struct counter){ .ids = ids, .inverse = UINT64_MAX / ids + 1 };
    c->count = xcalloc(ids, sizeof(*c->count));
    c->touched = xcalloc((size_t)ids + 1, sizeof(*c->touched));    // one is written too far
}

void counter_release(struct counter *c)
{
    free(c->count);
    free(c->touched);
}

uint32_t ngram_hash(const unsigned char *p, size_t n)
{
    uint32_t h = SEED ^ (uint32_t)n, k;

    for (; n >= 4; p += 4, n -= 4) {
        k = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= MULTIPLIER;
        k ^= k >> 24;
        h = h * MULTIPLIER ^ k * MULTIPLIER;
    }
    if (n) {
        k = p[0];
        k |= n > 1 ? (uint32_t)p[1] << 8 : 0;
        k |= n > 2 ? (uint32_t)p[2] << 16 : 0;
        h = (h ^ k) * MULTIPLIER;
    }
    h ^= h >> 13;
    h *= MULTIPLIER;
    return h ^ h >> 15;
}

/* The n-grams of the word [p, end), its marks included. */
static void count_word(struct counter *to, size_t size, const unsigned char *p,
                       const unsigned char *end)
{
    const unsigned char *q = p;
    size_t n = 0;

    for (; q < end; p += ngram_char_len(*p)) {
        for (; n < size && q < end; n++)
            q += ngram_char_len(*q);
        if (n < size)
            return;
        counter_add(to, counter_id(to, ngram_hash(p, (size_t)(q - p))), 1);
        n--;
    }
}

void ngram_count_plain(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes text)
{
    unsigned char *p = (unsigned char *)text.p, *end = p + text.n, *q;
    size_t size;

    for (; p <= end; p = q + 1) {
        for (q = p; q < end && *q != ' '; q++)
            ;
        p[-1] = '^';
        *q = '$';
        for (size = 1; size <= LANGID_NGRAM_MAX; size++)
            if (to[size])
                count_word(to[size], size, p - 1, q + 1);
        p[-1] = *q = ' ';
    }
}

void ngram_count(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes text)
{
    ngram_count_plain(to, text);
}
