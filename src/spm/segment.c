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

/* Where spaces stand in the piece, but at its beginning: only behind others, or elsewhere too. */
enum { NO_SPACE, IN_RUN, WITHIN };

static int holds_space(struct bytes p)
{
    int holds = NO_SPACE;
    size_t i;

    for (i = 1; i + sizeof(SPACE) <= p.n; i++) {
        if (!is_space(p.p + i))
            continue;
        if (i < sizeof(SPACE) || !is_space(p.p + i - sizeof(SPACE)))
            return WITHIN;
        holds = IN_RUN;
    }
    return holds;
}

static void add_pairs(struct cuts *c, struct bytes p)
{
    uint32_t at, len, before = 0, bits, h;

    for (at = 0; at < p.n; at += len) {
        len = char_length(p.p[at], p.n - at);
        bits = 0;
        if (len >= 3)
            memcpy(&bits, p.p + at, len);
        h = pair_hash(before, bits);
        if (before && bits)
            c->pair[h >> 6] |= (uint64_t)1 << (h & 63);
        before = bits;
    }
}

void cuts_init(struct cuts *c, const struct vocab *v, const unsigned char *used)
{
    int32_t id;
    int holds;

    *c = (struct cuts){ .on = 1 };
    c->pair = xcalloc((size_t)1 << (PAIR_BITS - 6), sizeof(*c->pair));
    for (id = 0; id < v->n_piece && c->on; id++) {
        if (!used[id])
            continue;
        holds = holds_space(vocab_piece(v, id));
        c->runs |= holds == IN_RUN;
        c->on = utf8_valid(vocab_piece(v, id)) &&    // else one could begin within a character
                holds != WITHIN;
        if (c->on)
            add_pairs(c, vocab_piece(v, id));
    }
}

void cuts_release(struct cuts *c)
{
    free(c->pair);
    *c = (struct cuts){ 0 };
}

enum { CUTS_WINDOW = 64 };    // bytes that are looked through at first

/* How many of the next 8 bytes come before the first one that a space could begin with. */
static inline uint32_t before_space(const unsigned char *p)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    x ^= ones * 0xE2;
    x = (x - ones) & ~x & ones << 7;
    return x ? (uint32_t)__builtin_ctzll(x) >> 3 : 8;
}

/* The character at p if it has three bytes or more, else 0. */
static inline uint32_t wide_bits(const unsigned char *p)
{
    return p[0] < 0xE0 ? 0 : char_bits(p, p[0] < 0xF0 ? 3 : 4);
}

/* The first place from `at` to `end` between wide characters of which no piece holds the pair. */
static uint32_t pair_next(const struct cuts *c, const unsigned char *t, uint32_t at, uint32_t end)
{
    uint32_t before = 0, bits, h;

    for (; at < end; before = bits) {
        bits = wide_bits(t + at);
        h = pair_hash(before, bits);
        if (before && bits && !(c->pair[h >> 6] >> (h & 63) & 1))
            return at;
        at += char_length(t[at], end - at);
    }
    return end;
}

/* The first place behind `from` where spaces say to cut; end if there is none before it. */
static uint32_t space_next(const struct cuts *c, const unsigned char *t, uint32_t from,
                           uint32_t end)
{
    uint32_t at = from + 1, skip;

    for (; at < end; at += skip) {
        skip = before_space(t + at);
        if (skip == 0 && is_space(t + at) &&
            !(c->runs && at >= sizeof(SPACE) && is_space(t + at - sizeof(SPACE))))
            break;
        skip += skip == 0;
    }
    return at < end ? at : end;
}

uint32_t cuts_next(const struct cuts *c, const unsigned char *t, uint32_t n, uint32_t from)
{
    uint32_t window = CUTS_WINDOW, end, at;

    if (!c->pair)
        return space_next(c, t, from, n);
    for (;; window *= 2) {    // the next space may be far away, and be looked for in vain
        end = n - from > window ? from + window : n;
        at = pair_next(c, t, from, space_next(c, t, from, end));
        if (at < end || end == n)
            return at;
    }
}

enum { MEMO_ROWS = MEMO_WAYS << MEMO_BITS };

struct memo *memo_new(void)
{
    struct memo *m = xcalloc(1, sizeof(*m));

    m->row = mem_map(sizeof(*m->row) * MEMO_ROWS);
    m->ring = mem_map((size_t)MEMO_RING * MEMO_UNIT);
    return m;
}

void memo_free(struct memo *m)
{
    if (!m)
        return;
    mem_unmap(m->row, sizeof(*m->row) * MEMO_ROWS);
    mem_unmap(m->ring, (size_t)MEMO_RING * MEMO_UNIT);
    free(m);
}

static inline uint64_t word_at(const unsigned char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return x;
}

static inline uint64_t turned(uint64_t x, unsigned by)
{
    return x << by | x >> (-by & 63);    // by may be 0
}

void memo_key_init(struct memo_key *k, const unsigned char *p, uint32_t n)
{
    static const unsigned char mask[16 * MEMO_HEAD] = {
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    };
    static const uint64_t prime[MEMO_HEAD] = { 0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu,
                                               0x165667B19E3779F9u, 0xD6E8FEB86659FD93u };
    const unsigned char *left = mask + (n < 8 * MEMO_HEAD ? 8 * MEMO_HEAD - n : 0);
    uint64_t h = n;
    uint32_t i;

    k->p = p;
    k->n = n;
    for (i = 0; i < MEMO_HEAD; i++) {
        k->head[i] = word_at(p + (size_t)8 * i) & word_at(left + (size_t)8 * i);
        h += turned(k->head[i] * prime[i], 17 * i);
    }
    for (; 8 * i < n; i++) {
        uint32_t over = 8 * (i + 1) > n ? 8 * (i + 1) - n : 0;

        h = turned(h * prime[0], 31) ^ word_at(p + (size_t)8 * i) << 8 * (over & 7);
    }
    k->hash = (h ^ h >> 32) * prime[3];
}

/* Room for n bytes in the ring. */
static uint32_t ring_take(struct memo *m, size_t n)
{
    uint32_t units = (uint32_t)((n + MEMO_UNIT - 1) / MEMO_UNIT), left;

    if (m->at > UINT32_MAX - 2 * MEMO_RING) {    // rows of so long ago are forgotten
        memset(m->row, 0, sizeof(*m->row) * MEMO_ROWS);
        m->at = 0;
    }
    left = MEMO_RING - m->at % MEMO_RING;
    m->at += units > left ? left + units : units;
    return m->at - units;
}

struct memo_row *memo_claim(struct memo *m, const struct memo_key *k, const int32_t *id, size_t n)
{
    struct memo_row *r = memo_set(m, k);
    size_t head = k->n < sizeof(r->head) ? k->n : sizeof(r->head);
    size_t id_head = n < MEMO_ID_HEAD ? n : MEMO_ID_HEAD;
    size_t rest_ids = (n - id_head) * sizeof(*id), rest = k->n - head;
    unsigned char *to;

    if (r[0].used && r[1].used) {
        r[0].used = r[1].used = 0;
        return NULL;
    }
    r += !r[1].used;
    if (rest + rest_ids) {
        r->rest = ring_take(m, rest + rest_ids);
        to = m->ring + (size_t)(r->rest % MEMO_RING) * MEMO_UNIT;
        memcpy(to, id + id_head, rest_ids);
        memcpy(to + rest_ids, k->p + head, rest);
    }
    memcpy(r->head, k->head, sizeof(r->head));
    memcpy(r->id, id, id_head * sizeof(*id));
    r->n_key = (uint16_t)k->n;
    r->n = (unsigned char)n;
    r->used = 0;
    return r;
}
