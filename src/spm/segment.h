/* segment.h - a text in parts that know nothing of each other, and what became of them before.
 *
 * No piece spans a place between two characters that stand next to each other in none. So the
 * text may be cut there: what is before and what is after are encoded each by itself. A unigram
 * model carries its score over the place, for rounding depends on it.
 */
#ifndef SPM_SEGMENT_H
#define SPM_SEGMENT_H

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct vocab;

struct cuts {
    int on;    // U+2581 begins pieces, or is one, but stands nowhere else in them: cut at it
    uint64_t
        *pair;    // or NULL: bits by pair_hash(): the pair of characters of three bytes and more
                  // stands in a piece, or one like it does; where it does not, cut as well
};

enum { PAIR_BITS = 20 };

/* used: by id, whether text may become the piece. Cutting between pairs is for encoders that are
 * slow with long words (BPE): in other scripts words are short, and spaces are enough. */
void cuts_init(struct cuts *c, const struct vocab *v, const unsigned char *used, int pairs);
void cuts_release(struct cuts *c);

/* Where the part of valid text that begins at `from` ends; at most n. 8 bytes more must be
 * readable. */
uint32_t cuts_next(const struct cuts *c, const unsigned char *t, uint32_t n, uint32_t from);

enum { MEMO_HEAD = 4, MEMO_TAIL = 5, MEMO_KEY = 8 * (MEMO_HEAD + MEMO_TAIL), MEMO_IDS = 10 };
enum { MEMO_BITS = 14, MEMO_WAYS = 2 };    // of the number of a set; rows of one

/* What a short part became. It holds as long as the score before the part is not over the limit.
 * Two lines of the processor's cache, of which most words need the first one. */
struct memo_row {
    float limit;
    unsigned char n_key, n;
    unsigned char n_byte[MEMO_IDS];
    uint64_t head[MEMO_HEAD];
    int32_t id[MEMO_IDS];
    uint64_t tail[MEMO_TAIL];
};

struct memo {    // of one thread
    struct memo_row *row;
    uint32_t *seen;    // by set: the hash of the part that was last looked for in vain
};

struct memo *memo_new(void);
void memo_free(struct memo *m);    // m may be NULL

/* The last bytes of a key as a number: n of 8, which must be readable. */
static inline uint64_t memo_word(const unsigned char *p, uint32_t n)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return n >= 8 ? x : x & (((uint64_t)1 << 8 * n) - 1);
}

static inline uint64_t memo_hash(const unsigned char *p, uint32_t n)
{
    uint64_t h = n, at;

    for (at = 0; at < n; at += 8) {
        h = (h ^ memo_word(p + at, n - (uint32_t)at)) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return h * 0xD6E8FEB86659FD93u;
}

/* The rows where a part with this hash may be: MEMO_WAYS of them. */
static inline struct memo_row *memo_set(const struct memo *m, uint64_t hash)
{
    return &m->row[(hash >> (64 - MEMO_BITS)) * MEMO_WAYS];
}

/* Is the row that of the n bytes at p? */
static inline int memo_is(const struct memo_row *r, const unsigned char *p, uint32_t n)
{
    uint32_t i;

    if (r->n_key != n)
        return 0;
    for (i = 0; 8 * i < n; i++)
        if ((i < MEMO_HEAD ? r->head[i] : r->tail[i - MEMO_HEAD]) !=
            memo_word(p + (size_t)8 * i, n - 8 * i))
            return 0;
    return 1;
}

static inline const struct memo_row *memo_find(const struct memo *m, uint64_t hash,
                                               const unsigned char *p, uint32_t n)
{
    const struct memo_row *r = memo_set(m, hash);

    return memo_is(r, p, n) ? r : memo_is(r + 1, p, n) ? r + 1 : NULL;
}

/* A row for a part that was looked for in vain before as well, else NULL: it is worth the work. */
struct memo_row *memo_claim(struct memo *m, uint64_t hash, const unsigned char *p, uint32_t n);

#endif
