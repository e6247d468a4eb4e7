/* ngram.c - see ngram.h. Characters are gone through once for all sizes up to 4, a block at a
 * time: first all ids of a block, without a branch in ASCII, then the counts of each size. */
#include <stdlib.h>
#include <string.h>

#include "langid/ngram.h"

enum { BLOCK = 128, FAST = 4 };    // characters; the longest n-gram of the fast way

#define MULTIPLIER 0x5bd1e995u
#define SEED 0xBEEFu

void counter_init(struct counter *c, uint32_t ids)
{
    *c = (struct counter){ .by = { ids, UINT64_MAX / ids + 1 } };
    c->count = xcalloc(ids, sizeof(*c->count));
    c->touched = xcalloc((size_t)ids + 1, sizeof(*c->touched));    // one is written too far
}

void counter_clear(struct counter *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        c->count[c->touched[i]] = 0;
    c->n = 0;
    c->total = 0;
}

void counter_release(struct counter *c)
{
    free(c->count);
    free(c->touched);
}

static inline uint32_t load(const unsigned char *p)    // one instruction where bytes lie so
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t mix(uint32_t k)
{
    k *= MULTIPLIER;
    k ^= k >> 24;
    return k * MULTIPLIER;
}

static inline uint32_t finish(uint32_t h)
{
    h ^= h >> 13;
    h *= MULTIPLIER;
    return h ^ h >> 15;
}

uint32_t ngram_hash(const unsigned char *p, size_t n)
{
    uint32_t h = SEED ^ (uint32_t)n, k;

    for (; n >= 4; p += 4, n -= 4)
        h = h * MULTIPLIER ^ mix(load(p));
    if (n) {
        k = p[0];
        k |= n > 1 ? (uint32_t)p[1] << 8 : 0;
        k |= n > 2 ? (uint32_t)p[2] << 16 : 0;
        h = (h ^ k) * MULTIPLIER;
    }
    return finish(h);
}

void ngram_mark(struct buf *marked, struct bytes text)
{
    unsigned char *to;
    size_t i;

    buf_need(marked, marked->n + 2 * text.n + 2 + NGRAM_PAD);
    to = marked->p + marked->n;
    *to++ = '^';
    for (i = 0; i < text.n; i++) {
        int space = text.p[i] == ' ';

        to[0] = space ? '$' : text.p[i];
        to[1] = '^';
        to += 1 + space;
    }
    *to++ = '$';
    marked->n = (size_t)(to - marked->p);
    memset(to, '$', NGRAM_PAD);
}

static void count_plain(struct counter *to, size_t size, struct bytes marked)
{
    const unsigned char *p = marked.p, *end = p + marked.n, *q;
    size_t n;

    for (; p < end; p += ngram_char_len(*p)) {
        for (q = p, n = 0; n < size; n++) {
            if (n && q[-1] == '$')
                break;
            q += ngram_char_len(*q);
        }
        if (n == size)
            counter_add(to, divisor_rest(&to->by, ngram_hash(p, (size_t)(q - p))));
    }
}

void ngram_count_plain(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes marked)
{
    size_t size;

    for (size = 1; size <= LANGID_NGRAM_MAX; size++)
        if (to[size])
            count_plain(to[size], size, marked);
}

/* What a block of characters comes to: for each size the ids of its n-grams. */
struct block {
    struct divisor by[FAST + 1];    // ids 1 where nobody asks for that size
    uint32_t id[FAST + 1][BLOCK];
    size_t n[FAST + 1];
};

static inline void put_id(struct block *b, int size, uint32_t hash, int valid)
{
    b->id[size][b->n[size]] = divisor_rest(&b->by[size], hash);
    b->n[size] += (size_t)valid;
}

static inline void put_ascii(struct block *b, uint32_t x)
{
    int in1 = (x & 0xFF) != '$', in2 = in1 & ((x >> 8 & 0xFF) != '$'),
        in3 = in2 & ((x >> 16 & 0xFF) != '$');

    put_id(b, 1, finish((SEED ^ 1 ^ (x & 0xFF)) * MULTIPLIER), 1);
    put_id(b, 2, finish((SEED ^ 2 ^ (x & 0xFFFF)) * MULTIPLIER), in1);
    put_id(b, 3, finish((SEED ^ 3 ^ (x & 0xFFFFFF)) * MULTIPLIER), in2);
    put_id(b, 4, finish((SEED ^ 4) * MULTIPLIER ^ mix(x)), in3);
}

/* The hash of n <= 16 bytes at p; k are their words, mixed. */
static inline uint32_t hash_mixed(const unsigned char *p, size_t n, const uint32_t k[FAST])
{
    static const uint32_t mask[4] = { 0, 0xFF, 0xFFFF, 0xFFFFFF };
    uint32_t h = SEED ^ (uint32_t)n;
    size_t i;

    for (i = 0; i < n / 4; i++)
        h = h * MULTIPLIER ^ k[i];
    if (n % 4)
        h = (h ^ (load(p + n / 4 * 4) & mask[n % 4])) * MULTIPLIER;
    return finish(h);
}

/* The n-grams at p, of characters of any length; returns the length of the first. */
static inline size_t put_any(struct block *b, const unsigned char *p)
{
    uint32_t k[FAST] = { mix(load(p)), mix(load(p + 4)), mix(load(p + 8)), mix(load(p + 12)) };
    const unsigned char *end = p;
    int size, valid = 1;

    for (size = 1; size <= FAST; size++) {
        size_t len = ngram_char_len(*end);

        valid = valid && (size == 1 || end[-1] != '$');
        end += len;
        put_id(b, size, hash_mixed(p, (size_t)(end - p), k), valid);
    }
    return ngram_char_len(*p);
}

static void count_block(struct counter *c, const uint32_t *id, size_t n)
{
    uint32_t *count = c->count, *touched = c->touched + c->n;
    size_t i;

    for (i = 0; i < n; i++) {
        *touched = id[i];
        touched += !count[id[i]]++;
    }
    c->n = (size_t)(touched - c->touched);
    c->total += n;
}

void ngram_count(struct counter *const to[LANGID_NGRAM_MAX + 1], struct bytes marked)
{
    const unsigned char *p = marked.p, *end = p + marked.n;
    struct block b;
    size_t size, i;

    for (size = 1; size <= FAST; size++)
        b.by[size] = to[size] ? to[size]->by : (struct divisor){ 1, 0 };
    while (p < end) {
        memset(b.n, 0, sizeof(b.n));
        for (i = 0; i < BLOCK && p < end; i++) {
            uint32_t x = load(p);

            if (!(x & 0x80808080)) {
                put_ascii(&b, x);
                p++;
            } else
                p += put_any(&b, p);
        }
        for (size = 1; size <= FAST; size++)
            if (to[size])
                count_block(to[size], b.id[size], b.n[size]);
    }
    for (; size <= LANGID_NGRAM_MAX; size++)
        if (to[size])
            count_plain(to[size], size, marked);
}
