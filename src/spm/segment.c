/* segment.c - see segment.h. */
#include <stdlib.h>
#include <string.h>

#include "spm/encoder.h"
#include "spm/segment.h"
#include "spm/vocab.h"
#include "text/utf8.h"

static const unsigned char SPACE[] = { 0xE2, 0x96, 0x81 };

/* A character's bytes as a number; four bytes must be readable. */
static inline uint32_t char_bits(const unsigned char *p, uint32_t len)
{
    uint32_t x;

    memcpy(&x, p, sizeof(x));
    return x & 0xFFFFFFFFu >> (32 - 8 * len);
}

static inline uint32_t pair_hash(uint32_t a, uint32_t b)
{
    return (a * 0x9E3779B1u + b * 0x85EBCA6Bu) * 0xC2B2AE35u >> (32 - PAIR_BITS);
}

static inline int is_space(const unsigned char *p)
{
    return p[0] == SPACE[0] && p[1] == SPACE[1] && p[2] == SPACE[2];
}

static void add_piece(struct cuts *c, struct bytes piece)
{
    const unsigned char *p = piece.p;
    uint32_t at, len, before = 0, bits, h;

    for (at = 0; at < piece.n; at += len) {
        len = char_length(p[at], piece.n - at);
        bits = 0;
        if (len >= 3) {
            memcpy(&bits, p + at, len);
            if (at && !memcmp(p + at, SPACE, sizeof(SPACE)))
                c->at_spaces = 0;
        }
        if (before && bits) {
            h = pair_hash(before, bits);
            c->pair[h >> 6] |= (uint64_t)1 << (h & 63);
        }
        before = bits;
    }
}

void cuts_init(struct cuts *c, const struct vocab *v, const unsigned char *used)
{
    int32_t id;

    *c = (struct cuts){ .on = 1, .at_spaces = 1 };
    c->pair = xcalloc((size_t)1 << (PAIR_BITS - 6), sizeof(*c->pair));
    for (id = 0; id < v->n_piece && c->on; id++) {
        if (!used[id])
            continue;
        c->on = utf8_valid(vocab_piece(v, id));    // else a piece could begin within a character
        add_piece(c, vocab_piece(v, id));
    }
    c->on &= c->at_spaces;
}

void cuts_release(struct cuts *c)
{
    free(c->pair);
    *c = (struct cuts){ 0 };
}

/* How many of the next 8 bytes come before the first one that begins three bytes or more. */
static inline uint32_t before_wide(const unsigned char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    x &= x << 1 & x << 2 & 0x8080808080808080u;
    return x ? (uint32_t)__builtin_ctzll(x) >> 3 : 8;
}

/* Only between characters of three bytes and more are pairs looked for: elsewhere words are short,
 * and the spaces between them are enough. */
uint32_t cuts_next(const struct cuts *c, const unsigned char *t, uint32_t n, uint32_t from)
{
    uint32_t at = from, len = char_length(t[at], n - at), next = at + len, skip, h;

    while (next < n) {
        skip = before_wide(t + next);
        if (skip) {
            next += skip;
            len = 0;
            continue;
        }
        if (is_space(t + next))
            return next;
        at = next - len;
        if (len >= 3) {
            h = pair_hash(char_bits(t + at, len), char_bits(t + next, char_length(t[next], 4)));
            if (!(c->pair[h >> 6] >> (h & 63) & 1))
                return next;
        }
        len = char_length(t[next], n - next);
        next += len;
    }
    return n;
}

static const size_t MEMO_SIZE = sizeof(struct memo_row) * MEMO_WAYS << MEMO_BITS;

struct memo *memo_new(void)
{
    struct memo *m = xcalloc(1, sizeof(*m));

    m->row = mem_map(MEMO_SIZE);
    m->seen = xcalloc((size_t)1 << MEMO_BITS, sizeof(*m->seen));
    return m;
}

void memo_free(struct memo *m)
{
    if (!m)
        return;
    mem_unmap(m->row, MEMO_SIZE);
    free(m->seen);
    free(m);
}

struct memo_row *memo_claim(struct memo *m, uint64_t hash, const unsigned char *p, uint32_t n)
{
    struct memo_row *r = memo_set(m, hash);
    uint32_t *seen = &m->seen[hash >> (64 - MEMO_BITS)], i;

    if (*seen != (uint32_t)hash) {
        *seen = (uint32_t)hash;
        return NULL;
    }
    r[1] = r[0];    // what came first goes first
    for (i = 0; 8 * i < n; i++)
        *(i < MEMO_HEAD ? &r->head[i] : &r->tail[i - MEMO_HEAD]) =
            memo_word(p + (size_t)8 * i, n - 8 * i);
    r->n_key = (unsigned char)n;
    r->n = 0;
    return r;
}
