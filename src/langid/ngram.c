/* ngram.c - see ngram.h. Characters are gone through once for all sizes up to 4, a block at a
 * time: first all ids of a block, without a branch in ASCII, then the counts of each size. */
#include <stdlib.h>
#include <string.h>

#include "langid/ngram.h"

enum { BLOCK = 128, FAST = 4 };    // characters; the longest n-gram of the fast way

#define MULTIPLIER 0x5bd1e995u
#define SEED 0xBEEFu

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

void counter_init(struct counter *c, uint32_t ids)
{
    unsigned char byte;
    int i;

    *c = (struct counter){ .by = { ids, UINT64_MAX / ids + 1 } };
    for (i = 0; i < 128; i++) {
        byte = (unsigned char)i;
        c->ascii[i] = divisor_rest(&c->by, ngram_hash(&byte, 1));
    }
    c->count = xcalloc(ids, sizeof(*c->count));
    c->touched = xcalloc((size_t)ids + 1, sizeof(*c->touched));    // one is written too far
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
    const unsigned char *p = marked.p, *end = bytes_end(marked), *q;
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
    const uint32_t *ascii;          // ids of one byte
    uint32_t id[FAST + 1][BLOCK];
    size_t n[FAST + 1];
};

/* The n-grams at p and behind it, up to most of them, as long as four bytes are ASCII; returns
 * the first of which that is not so. An n-gram with "$" before its end is written and forgotten. */
static const unsigned char *put_ascii(struct block *b, const unsigned char *p, size_t most)
{
    const struct divisor by2 = b->by[2], by3 = b->by[3], by4 = b->by[4];
    const uint32_t *ascii = b->ascii;
    uint32_t *to1 = b->id[1] + b->n[1], *to2 = b->id[2] + b->n[2], *to3 = b->id[3] + b->n[3],
             *to4 = b->id[4] + b->n[4], x;
    const unsigned char *end = p + most;

    for (; p < end && !((x = load(p)) & 0x80808080); p++) {
        size_t in1 = (x & 0xFF) != '$', in2 = in1 & ((x & 0xFF00) != '$' << 8),
               in3 = in2 & ((x & 0xFF0000) != '$' << 16);

        *to1++ = ascii[x & 0xFF];
        *to2 = divisor_rest(&by2, finish((SEED ^ 2 ^ (x & 0xFFFF)) * MULTIPLIER));
        to2 += in1;
        *to3 = divisor_rest(&by3, finish((SEED ^ 3 ^ (x & 0xFFFFFF)) * MULTIPLIER));
        to3 += in2;
        *to4 = divisor_rest(&by4, finish((SEED ^ 4) * MULTIPLIER ^ mix(x)));
        to4 += in3;
    }
    b->n[1] = (size_t)(to1 - b->id[1]);
    b->n[2] = (size_t)(to2 - b->id[2]);
    b->n[3] = (size_t)(to3 - b->id[3]);
    b->n[4] = (size_t)(to4 - b->id[4]);
    return p;
}

/* The hash of n bytes at p, at most 4 times size; k are their words, mixed. */
static inline uint32_t hash_mixed(const unsigned char *p, size_t n, const uint32_t k[FAST],
                                  int size)
{
    static const uint32_t mask[4] = { 0, 0xFF, 0xFFFF, 0xFFFFFF };
    uint32_t h = SEED ^ (uint32_t)n;

    if (n >= 4)
        h = h * MULTIPLIER ^ k[0];
    if (size > 1 && n >= 8)
        h = h * MULTIPLIER ^ k[1];
    if (size > 2 && n >= 12)
        h = h * MULTIPLIER ^ k[2];
    if (size > 3 && n >= 16)
        h = h * MULTIPLIER ^ k[3];
    if (n % 4)
        h = (h ^ (load(p + n / 4 * 4) & mask[n % 4])) * MULTIPLIER;
    return finish(h);
}

/* As put_ascii() with characters of any length, as long as one of four bytes is not ASCII; takes
 * what it did off *most. */
static const unsigned char *put_any(struct block *b, const unsigned char *p,
                                    const unsigned char *end, size_t *most)
{
    const unsigned char *end1 = p + ngram_char_len(*p), *end2 = end1 + ngram_char_len(*end1),
                        *end3 = end2 + ngram_char_len(*end2), *end4 = end3 + ngram_char_len(*end3);
    const struct divisor by1 = b->by[1], by2 = b->by[2], by3 = b->by[3], by4 = b->by[4];
    uint32_t *to1 = b->id[1] + b->n[1], *to2 = b->id[2] + b->n[2], *to3 = b->id[3] + b->n[3],
             *to4 = b->id[4] + b->n[4];

    for (; *most && p < end && (load(p) & 0x80808080); --*most) {
        uint32_t k[FAST] = { mix(load(p)), mix(load(p + 4)), mix(load(p + 8)), mix(load(p + 12)) };
        size_t in1 = *p != '$', in2 = in1 & (*end1 != '$'), in3 = in2 & (*end2 != '$');

        *to1++ = divisor_rest(&by1, hash_mixed(p, (size_t)(end1 - p), k, 1));
        *to2 = divisor_rest(&by2, hash_mixed(p, (size_t)(end2 - p), k, 2));
        to2 += in1;
        *to3 = divisor_rest(&by3, hash_mixed(p, (size_t)(end3 - p), k, 3));
        to3 += in2;
        *to4 = divisor_rest(&by4, hash_mixed(p, (size_t)(end4 - p), k, 4));
        to4 += in3;
        p = end1;
        end1 = end2;
        end2 = end3;
        end3 = end4;
        end4 += ngram_char_len(*end4);
    }
    b->n[1] = (size_t)(to1 - b->id[1]);
    b->n[2] = (size_t)(to2 - b->id[2]);
    b->n[3] = (size_t)(to3 - b->id[3]);
    b->n[4] = (size_t)(to4 - b->id[4]);
    return p;
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
    static const uint32_t none[128] = { 0 };
    const unsigned char *p = marked.p, *end = bytes_end(marked);
    struct block b = { .ascii = to[1] ? to[1]->ascii : none };
    size_t size;

    for (size = 1; size <= FAST; size++)
        b.by[size] = to[size] ? to[size]->by : (struct divisor){ 1, 0 };
    while (p < end) {
        size_t most = BLOCK;

        memset(b.n, 0, sizeof(b.n));
        while (most && p < end) {
            const unsigned char *next =
                put_ascii(&b, p, (size_t)(end - p) < most ? (size_t)(end - p) : most);

            most -= (size_t)(next - p);
            p = put_any(&b, next, end, &most);
        }
        for (size = 1; size <= FAST; size++)
            if (to[size])
                count_block(to[size], b.id[size], b.n[size]);
    }
    for (; size <= LANGID_NGRAM_MAX; size++)
        if (to[size])
            count_plain(to[size], size, marked);
}
