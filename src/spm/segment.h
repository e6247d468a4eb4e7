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
    int on;      // U+2581 begins pieces, alone or several, but follows nothing else: cut before it
    int runs;    // there are pieces with several: cut before the first of a run only
    uint64_t
        *pair;    // or NULL: bits by pair_hash(): the pair of characters of three bytes and
                  // more stands in a piece, or one like it does; where it does not, cut as well
};

enum { PAIR_BITS = 20 };

/* used: by id, whether text may become the piece. Cutting between pairs is for encoders that are
 * slow with long words (BPE): elsewhere words are short, and spaces are enough. */
void cuts_init(struct cuts *c, const struct vocab *v, const unsigned char *used);
void cuts_release(struct cuts *c);

/* Where the part of valid text that begins at `from` ends; at most n. 8 bytes more must be
 * readable. */
uint32_t cuts_next(const struct cuts *c, const unsigned char *t, uint32_t n, uint32_t from);

enum { MEMO_HEAD = 4, MEMO_KEY = 1024 };    // words of a key in its row; bytes of a key
enum { MEMO_ID_HEAD = 4, MEMO_IDS = 255 };
enum { MEMO_BITS = 15, MEMO_WAYS = 2 };    // of the number of a set; rows of one

/* What a part became. It holds as long as the score before the part is not over the limit. A line
 * of the processor's cache; what does not fit in there is in the ring. */
struct memo_row {
    uint64_t head[MEMO_HEAD];
    int32_t id[MEMO_ID_HEAD];
    float limit, total;    // what it adds to the score, sign apart, at most
    uint32_t rest;      // where in the ring the ids and the bytes of the key are that are not here
    uint16_t n_key;     // 0: nothing here
    unsigned char n;    // ids
    unsigned char used : 1;       // since a row was last looked for in this set
    unsigned char unknown : 1;    // its user's: some ids are not of the vocabulary
};

enum { MEMO_UNIT = 8, MEMO_RING = 1 << 19 };    // bytes of a unit, units in the ring

struct memo {    // of one thread
    struct memo_row *row;
    unsigned char *ring;
    uint32_t at;    // units that were ever written
};

struct memo *memo_new(void);
void memo_free(struct memo *m);    // m may be NULL

struct memo_key {    // of a part
    uint64_t head[MEMO_HEAD], hash;
    const unsigned char *p;
    uint32_t n;
};

/* The key of n bytes at p, MEMO_KEY at most, of which 8 * MEMO_HEAD can be read. */
void memo_key_init(struct memo_key *k, const unsigned char *p, uint32_t n);

/* The rows where it may be: MEMO_WAYS of them. */
static inline struct memo_row *memo_set(const struct memo *m, const struct memo_key *k)
{
    return &m->row[(k->hash >> (64 - MEMO_BITS)) * MEMO_WAYS];
}

/* The ids of a row that are not in it; behind them is the rest of its key. */
static inline const unsigned char *memo_rest(const struct memo *m, const struct memo_row *r)
{
    return m->ring + (size_t)(r->rest % MEMO_RING) * MEMO_UNIT;
}

static inline size_t memo_rest_ids(const struct memo_row *r)
{
    return r->n > MEMO_ID_HEAD ? (r->n - MEMO_ID_HEAD) * sizeof(*r->id) : 0;
}

static inline int memo_is(const struct memo *m, const struct memo_row *r, const struct memo_key *k)
{
    uint64_t differ = (r->head[0] ^ k->head[0]) | (r->head[1] ^ k->head[1]) |
                      (r->head[2] ^ k->head[2]) | (r->head[3] ^ k->head[3]) | (r->n_key ^ k->n);
    size_t head = sizeof(k->head);

    if (differ || (k->n <= head && r->n <= MEMO_ID_HEAD))
        return !differ;
    if (m->at - r->rest > MEMO_RING)    // it was written over
        return 0;
    return k->n <= head || !memcmp(memo_rest(m, r) + memo_rest_ids(r), k->p + head, k->n - head);
}

static inline struct memo_row *memo_find(const struct memo *m, const struct memo_key *k)
{
    struct memo_row *r = memo_set(m, k);

    return memo_is(m, r, k) ? r : memo_is(m, r + 1, k) ? r + 1 : NULL;
}

/* A row for a part that was looked for in vain, with n of its ids; NULL if those that are there are
 * of more use. */
struct memo_row *memo_claim(struct memo *m, const struct memo_key *k, const int32_t *id, size_t n);

#endif
