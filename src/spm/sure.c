/* sure.c - the search of walk.c where no rounding decides: from a score of 0, with the least gap
 * between two ways to one place.
 *
 * Nothing is known of the score before, so parts of a text wait for nothing. Ways to the next eight
 * places are held in vectors; a walk's first four steps are taken whether or not it goes on, and
 * four more if it does. Pieces that are longer are rare: ways by them wait in memory.
 */
#include <float.h>
#include <math.h>

#include "spm/encoder.h"
#include "spm/walk.h"

enum { STEPS = 4, NEAR = 2 * STEPS };    // steps at a time; codes of a piece that is not long
enum { UNKNOWNS = 255 };                 // that one step of a way takes at most
enum { RUNS_FROM = 12 };                 // codes of a part within which places are told apart

#define BASE 0xFFFFFFu    // of a node

#define FOUR __attribute__((vector_size(16)))
#define UNREACHED (-FLT_MAX)

static inline float FOUR higher(float FOUR a, float FOUR b)
{
#ifdef __SSE__
    return __builtin_ia32_maxps(a, b);
#else
    int32_t FOUR is = a > b;

    return (float FOUR)(((int32_t FOUR)a & is) | ((int32_t FOUR)b & ~is));
#endif
}

static inline float FOUR lower(float FOUR a, float FOUR b)
{
#ifdef __SSE__
    return __builtin_ia32_minps(a, b);
#else
    int32_t FOUR is = a < b;

    return (float FOUR)(((int32_t FOUR)a & is) | ((int32_t FOUR)b & ~is));
#endif
}

/* The gap to a single way; no NaN comes here, and no call of fminf(). */
static inline void see_gap(float FOUR *gap, float score, float was)
{
    float size = score > was ? score - was : was - score;

    if (size < (*gap)[0])
        (*gap)[0] = size;
}

struct lanes {    // ways to four places, one after the other
    float FOUR score;
    int32_t FOUR from;
};

/* Pieces from here end at these places. */
static inline void offer_four(struct lanes *l, float FOUR score, int32_t FOUR from, float FOUR *gap)
{
    const int32_t FOUR size = { INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX };
    int32_t FOUR better = score > l->score;

    *gap = lower((float FOUR)((int32_t FOUR)(score - l->score) & size), *gap);
    l->score = higher(score, l->score);
    l->from ^= (l->from ^ from) & better;
}

/* On to the next place: a new one comes in at the end. */
static inline void shift(struct lanes *l, float score, int32_t from)
{
    l->score[0] = score;
    l->from[0] = from;
    l->score = __builtin_shufflevector(l->score, l->score, 1, 2, 3, 0);
    l->from = __builtin_shufflevector(l->from, l->from, 1, 2, 3, 0);
}

struct far {    // ways by long pieces, which wait in w
    struct walk_ways *w;
    uint32_t end;    // none of them leads further
};

static inline void offer_far(struct far *far, uint32_t at, uint32_t n, float score, uint32_t number,
                             float FOUR *gap)
{
    struct walk_ways *w = far->w;
    float was;

    far->end = far->end > at ? far->end : at;
    while (far->end < at + n)
        w->score[++far->end] = UNREACHED;
    was = w->score[at + n];
    see_gap(gap, score, was);
    if (score > was) {
        w->score[at + n] = score;
        w->from[at + n] = n << WALK_CODE_BITS | number;
    }
}

/* A way that waits at a place that is reached. */
static inline void take_far(const struct far *far, uint32_t at, struct lanes *l, float FOUR *gap)
{
    float score = far->w->score[at], was = l->score[0];

    if (score == UNREACHED)
        return;
    see_gap(gap, score, was);
    if (score > was) {
        l->score[0] = score;
        l->from[0] = (int32_t)far->w->from[at];
    }
}

/* What the node that c leads to holds, but its label; 0 if there is none. */
static inline uint64_t step(const struct trie_node *node, uint64_t x, uint32_t c)
{
    uint64_t to = node[(x & BASE) + c].bits ^ (uint64_t)c << 48;

    return to & (0 - (uint64_t)(to < (uint64_t)1 << 48));
}

/* On from x, where c[0] led to, by the next three: the scores of the pieces, whose numbers go to
 * id, and x of the last. */
static inline float FOUR steps(const struct walk *walk, uint64_t *x, const uint16_t *c,
                               uint32_t *id)
{
    const struct trie_node *node = walk->trie.node;
    const float *of = walk->score;
    uint64_t x0 = *x, x1 = step(node, x0, c[1]), x2 = step(node, x1, c[2]),
             x3 = step(node, x2, c[3]);

    id[0] = (uint32_t)(x0 >> 24);
    id[1] = (uint32_t)(x1 >> 24);
    id[2] = (uint32_t)(x2 >> 24);
    id[3] = (uint32_t)(x3 >> 24);
    *x = x3;
    return (float FOUR){ of[x0 >> 24], of[x1 >> 24], of[x2 >> 24], of[x3 >> 24] };
}

static inline int any_reached(const struct lanes *a, const struct lanes *b)
{
    const float FOUR unreached = { UNREACHED, UNREACHED, UNREACHED, UNREACHED };
    int64_t FOUR two = (int64_t FOUR)(higher(a->score, b->score) > unreached);

    return (two[0] | two[1]) != 0;
}

/* Characters that no piece holds, from a: all ways pass before and behind each. Where the last one
 * ends. */
static inline uint32_t skip_unknown(struct walk_ways *w, const uint16_t *c, uint32_t a, uint32_t n)
{
    uint32_t end = n - a > UNKNOWNS ? a + UNKNOWNS : n, at = a;

    while (++at < end && !c[at])
        ;
    w->from[at] = (at - a) << WALK_CODE_BITS | WALK_UNKNOWN;
    return at;
}

/* runs: places that all ways pass are told. */
static inline __attribute__((always_inline)) struct walk_sure
find(const struct encoder *e, struct walk_ways *w, const uint16_t *c, uint32_t n, const int runs)
{
    const int32_t FOUR one = { 1 << WALK_CODE_BITS, 2 << WALK_CODE_BITS, 3 << WALK_CODE_BITS,
                               4 << WALK_CODE_BITS },
                       other = one + (STEPS << WALK_CODE_BITS);
    struct lanes near = { { UNREACHED, UNREACHED, UNREACHED, UNREACHED }, { 0 } }, next = near;
    const struct walk *walk = &e->walk;
    struct far far = { w, 0 };
    float FOUR gap = { INFINITY, INFINITY, INFINITY, INFINITY };
    uint32_t a, k, run = 0, most = 0;
    float h = 0;

    for (a = 0; a < n; a++) {
        if (!c[a]) {
            k = a;
            a = skip_unknown(w, c, a, n) - 1;
            h += (float)(a + 1 - k) * e->unknown_score;
            continue;
        }
        const float FOUR here = { h, h, h, h };
        uint64_t x = walk->first[c[a]];
        uint32_t *id = w->id + (size_t)a * NEAR, single = x >> 24 != 0;

        offer_four(&near, here + steps(walk, &x, c + a, id), one, &gap);
        if (x & BASE) {
            x = step(walk->trie.node, x, c[a + STEPS]);
            offer_four(&next, here + steps(walk, &x, c + a + STEPS, id + STEPS), other, &gap);
            for (k = NEAR; x & BASE; k++) {
                x = step(walk->trie.node, x, c[a + k]);
                if (x >> 24)
                    offer_far(&far, a, k + 1, h + walk->score[x >> 24], (uint32_t)(x >> 24), &gap);
            }
        }
        if (!single) {    // the character is no piece
            float score = h + e->unknown_score;

            see_gap(&gap, score, near.score[0]);
            if (score > near.score[0]) {
                near.score[0] = score;
                near.from[0] = 1 << WALK_CODE_BITS | WALK_UNKNOWN;
            }
        }
        if (far.end > a)
            take_far(&far, a + 1, &near, &gap);
        h = near.score[0];
        w->from[a + 1] = (uint32_t)near.from[0];
        shift(&near, next.score[0], next.from[0]);
        shift(&next, UNREACHED, 0);
        if (runs) {
            most = ++run > most ? run : most;
            run = any_reached(&near, &next) || far.end > a + 1 ? run : 0;
        }
    }
    gap = lower(gap, __builtin_shufflevector(gap, gap, 2, 3, 0, 1));
    return (struct walk_sure){ gap[0] < gap[1] ? gap[0] : gap[1], runs ? most : n };
}

int walk_sure(const struct encoder *e, struct encode_work *work, uint32_t n, struct walk_sure *s)
{
    uint32_t i;

    if (n > WALK_SURE_MAX)
        return -1;
    for (i = 0; e->walk.odd && i < n; i++)
        if (e->walk.odd[work->code[i]])
            return -1;
    *s = n > RUNS_FROM ? find(e, &work->ways, work->code, n, 1)
                       : find(e, &work->ways, work->code, n, 0);
    return 0;
}
