/* walk.c - see walk.h. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spm/encoder.h"
#include "spm/walk.h"

enum { STEPS = 4, IDS = 8 };    // taken at a time; of a start, in id

/* What is worse than any way, which choose_lane() of encode.c sees to, and no dead end. */
#define UNREACHED (-FLT_MAX)

/* Mark the codes that pieces of such scores begin with. */
static void find_odd(struct walk *w, const struct encoder *e)
{
    uint16_t c[CODES_PIECE_MAX];
    int32_t id;

    for (id = 0; id < e->vocab->n_piece; id++) {
        const struct piece *p = &e->vocab->piece[id];

        if (!e->used[id] || (double)e->score[id] == e->score_old[id])
            continue;
        if (!w->odd)
            w->odd = xcalloc((size_t)UINT16_MAX + 1, 1);
        codes_write(&e->codes, p->p, p->n, c);
        w->odd[c[0]] = 1;
    }
}

void walk_init(struct walk *w, const struct encoder *e)
{
    uint32_t c;

    w->first = xcalloc(e->codes.n + 1, sizeof(*w->first));
    for (c = 1; c <= e->codes.n; c++) {
        struct trie_node to = w->trie.node[w->trie.root + c];

        w->first[c] = trie_label(to) == c ? to.bits ^ (uint64_t)c << 48 : 0;
    }
    w->score = e->score - 1;
    if (e->score_old)
        find_odd(w, e);
}

void walk_release(struct walk *w)
{
    trie_release(&w->trie);
    free(w->first);
    free(w->odd);
    *w = (struct walk){ 0 };
}

void walk_need(struct walk_ways *w, size_t n)
{
    if (n + STEPS + 1 <= w->cap)
        return;
    walk_ways_release(w);
    w->cap = n + STEPS + 1 + n / 2;
    w->score = xreallocarray(NULL, w->cap, sizeof(*w->score));
    w->from = xreallocarray(NULL, w->cap, sizeof(*w->from));
    w->back = xreallocarray(NULL, w->cap, sizeof(*w->back));
    w->id = xreallocarray(NULL, IDS * (w->cap < WALK_SURE_MAX ? w->cap : WALK_SURE_MAX),
                          sizeof(*w->id));
}

void walk_ways_release(struct walk_ways *w)
{
    free(w->score);
    free(w->from);
    free(w->back);
    free(w->id);
    *w = (struct walk_ways){ 0 };
}

enum lane { NEW, OLD, ODD };    // arithmetics; ODD: old, and some scores are no floats

struct here {    // a way, which pieces go on from
    const struct encoder *e;
    float score;
    uint32_t at;
};

/* The piece, or none, ends n codes from here. */
static inline __attribute__((always_inline)) void
offer(const struct walk_ways *w, struct here h, uint32_t n, uint32_t id, const enum lane lane)
{
    float piece = h.e->walk.score[id], score = h.score + piece;
    float *best = &w->score[h.at + n], was = *best;
    uint32_t *from = &w->from[h.at + n], better = score > was;

    if (lane == OLD && score == was)    // the sum is rounded only where it is kept
        better = (double)h.score + (double)piece > (double)was;
    if (lane == ODD && piece > -INFINITY) {
        double sum = (double)h.score + h.e->score_old[id - 1];

        better = sum > (double)was;
        *best = better ? (float)sum : was;
    } else {
        *best = score > was ? score : was;
    }
    *from ^= (*from ^ (n << WALK_CODE_BITS | id)) & (0 - better);
}

/* The number of the piece that c leads to, 0 if there is none; *base is where it goes on. */
static inline uint32_t step(const struct trie_node *node, uint32_t *base, uint32_t c)
{
    struct trie_node to = node[*base + c];

    to.bits &= 0 - (uint64_t)(trie_label(to) == c);
    *base = trie_base(to);
    return trie_number(to);
}

/* Scores are kept near 0: what is subtracted from all is the same for all. */
static __attribute__((noinline)) void rebase(float *score, uint32_t n)
{
    float by = *score;
    uint32_t i;

    for (i = 0; i <= n; i++)
        if (score[i] > UNREACHED)
            score[i] -= by;
}

static inline __attribute__((always_inline)) float find(const struct encoder *e,
                                                        struct encode_work *work, uint32_t n,
                                                        float start, const enum lane lane)
{
    const struct trie_node *node = e->walk.trie.node;
    const uint32_t root = e->walk.trie.root;
    const uint16_t *c = work->code;
    const struct walk_ways w = work->ways;
    uint32_t a, k, id[STEPS];

    for (k = 0; k <= n + STEPS; k++)
        w.score[k] = UNREACHED;
    w.score[0] = start;
    for (a = 0; a < n; a++) {
        uint32_t base = root;
        struct here h;

        h = (struct here){ e, w.score[a], a };
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            id[k] = step(node, &base, c[a + k]);
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            offer(&w, h, k + 1, id[k], lane);
        for (; base; k++)
            offer(&w, h, k + 1, step(node, &base, c[a + k]), lane);
        if (!id[0]) {    // the character is no piece
            float score = h.score + e->unknown_score, was = w.score[a + 1];

            if (score > was) {
                w.score[a + 1] = score;
                w.from[a + 1] = 1 << WALK_CODE_BITS | WALK_UNKNOWN;
            }
        }
    }
    return w.score[n];
}

#define FOUR __attribute__((vector_size(16)))

static inline int any_of(int32_t FOUR x)
{
    int64_t FOUR two = (int64_t FOUR)x;

    return (two[0] | two[1]) != 0;
}

/* The sum is rounded only where it is kept, not where it is compared. */
static __attribute__((noinline)) int32_t FOUR better_old(float here, float FOUR piece,
                                                         float FOUR best)
{
    int32_t FOUR better = { 0 };
    int k;

    for (k = 0; k < STEPS; k++)
        better[k] = -((double)here + (double)piece[k] > (double)best[k]);
    return better;
}

/* Brings the scores of a place and all after it near 0, four of them in hand. */
static __attribute__((noinline)) float FOUR rebase_four(struct walk_ways w, uint32_t a, uint32_t n,
                                                        float FOUR score)
{
    memcpy(&w.score[a + 1], &score, sizeof(score));
    rebase(w.score + a, n + STEPS - a);
    memcpy(&score, &w.score[a + 1], sizeof(score));
    return score;
}

/* The same with lanes NEW and OLD, the places that the first four steps lead to in vectors. */
static inline __attribute__((always_inline)) float find_four(const struct encoder *e,
                                                             struct encode_work *work, uint32_t n,
                                                             float start, const enum lane lane)
{
    const struct trie_node *node = e->walk.trie.node;
    const uint32_t root = e->walk.trie.root;
    const uint16_t *c = work->code;
    const struct walk_ways w = work->ways;
    const int32_t FOUR length = { 1 << WALK_CODE_BITS, 2 << WALK_CODE_BITS, 3 << WALK_CODE_BITS,
                                  4 << WALK_CODE_BITS };
    float FOUR best = { UNREACHED, UNREACHED, UNREACHED, UNREACHED };
    int32_t FOUR from = { 0 };
    const float *of = e->walk.score;
    float here = start;
    uint32_t a, k;

    for (k = 0; k <= n + STEPS; k++)
        w.score[k] = UNREACHED;
    for (a = 0; a < n; a++) {
        uint32_t base = root, id[STEPS];
        float FOUR piece, score;
        int32_t FOUR better, way;

        if (lane == NEW && fabsf(here) > RESET_AT) {
            w.score[a] = here;
            best = rebase_four(w, a, n, best);
            here = 0;
        }
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            id[k] = step(node, &base, c[a + k]);
        piece = (float FOUR){ of[id[0]], of[id[1]], of[id[2]], of[id[3]] };
        way = (int32_t FOUR){ (int32_t)id[0], (int32_t)id[1], (int32_t)id[2], (int32_t)id[3] };
        score = (float FOUR){ here, here, here, here } + piece;
        better = score > best;
        if (lane == OLD && any_of(score == best))
            better = better_old(here, piece, best);
        best = (float FOUR)(((int32_t FOUR)score & better) | ((int32_t FOUR)best & ~better));
        from = ((way | length) & better) | (from & ~better);
        for (k = STEPS; base; k++)
            offer(&w, (struct here){ e, here, a }, k + 1, step(node, &base, c[a + k]), lane);
        if (!id[0] && here + e->unknown_score > best[0]) {    // the character is no piece
            best[0] = here + e->unknown_score;
            from[0] = 1 << WALK_CODE_BITS | WALK_UNKNOWN;
        }
        here = best[0];
        w.from[a + 1] = (uint32_t)from[0];
        best = __builtin_shufflevector(best, (float FOUR){ w.score[a + STEPS + 1] }, 1, 2, 3, 4);
        from = __builtin_shufflevector(from, (int32_t FOUR){ (int32_t)w.from[a + STEPS + 1] }, 1, 2,
                                       3, 4);
    }
    return here;
}

static int holds_odd(const unsigned char *odd, const uint16_t *c, uint32_t n)
{
    uint32_t i;

    for (i = 0; odd && i < n; i++)
        if (odd[c[i]])
            return 1;
    return 0;
}

float walk_best(const struct encoder *e, struct encode_work *w, uint32_t n, float start)
{
    if (!e->old)
        return find_four(e, w, n, start, NEW);
    if (holds_odd(e->walk.odd, w->code, n))
        return find(e, w, n, start, ODD);
    return find_four(e, w, n, start, OLD);
}

size_t walk_back(struct walk_ways *w, uint32_t at)
{
    size_t n = 0;

    while (at > 0) {
        uint32_t from = w->from[at], len = from >> WALK_CODE_BITS;

        at -= len;
        if (!(from & WALK_UNKNOWN))
            from |= w->id[(size_t)at * IDS + len - 1];
        w->back[n++] = from;
    }
    return n;
}
