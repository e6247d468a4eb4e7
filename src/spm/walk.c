/* walk.c - see walk.h. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spm/encoder.h"
#include "spm/walk.h"

enum { STEPS = WALK_STEPS };

/* What is worse than any way, which choose_lane() of encode.c sees to, and no dead end. */
#define UNREACHED (-FLT_MAX)

/* Mark the codes that pieces of such scores begin with. */
void walk_find_odd(struct walk *w, const struct encoder *e)
{
    uint16_t c[WALK_PIECE_MAX];
    int32_t id;

    for (id = 0; e->score_old && id < e->vocab->n_piece; id++) {
        const struct piece *p = &e->vocab->piece[id];

        if (!e->used[id] || (double)e->score[id] == e->score_old[id])
            continue;
        if (!w->odd)
            w->odd = xcalloc((size_t)UINT16_MAX + 1, 1);
        codes_write(&e->codes, p->p, p->n, c);
        w->odd[c[0]] = 1;
    }
}

void walk_release(struct walk *w)
{
    trie_release(&w->trie);
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
    w->second = xreallocarray(NULL, w->cap, sizeof(*w->second));
    w->from = xreallocarray(NULL, w->cap, sizeof(*w->from));
    w->back = xreallocarray(NULL, w->cap, sizeof(*w->back));
}

void walk_ways_release(struct walk_ways *w)
{
    free(w->score);
    free(w->second);
    free(w->from);
    free(w->back);
    *w = (struct walk_ways){ 0 };
}

enum lane { NEW, OLD, ODD, GAPS };    // arithmetics; ODD: old, and some scores are no floats

struct here {    // a way, which pieces go on from
    const struct encoder *e;
    float score;
    uint32_t at;
};

/* The piece, or none, ends n codes from here. */
static inline __attribute__((always_inline)) void
offer(const struct walk_ways *w, struct here h, uint32_t n, uint32_t id, const enum lane lane)
{
    float piece = h.e->score[id], score = h.score + piece;
    float *best = &w->score[h.at + n], was = *best;
    uint32_t *from = &w->from[h.at + n], better = score > was;

    if (lane == OLD && score == was)    // the sum is rounded only where it is kept
        better = (double)h.score + (double)piece > (double)was;
    if (lane == ODD && piece > -INFINITY) {
        double sum = (double)h.score + h.e->score_old[id];

        better = sum > (double)was;
        *best = better ? (float)sum : was;
    } else {
        *best = score > was ? score : was;
    }
    if (lane == GAPS) {
        float *second = &w->second[h.at + n], worse = score < was ? score : was;

        *second = worse > *second ? worse : *second;
    }
    *from ^= (*from ^ (n << WALK_CODE_BITS | id)) & (0 - better);
}

/* The piece that c leads to, or none; *base is where it goes on. */
static inline uint32_t step(const struct trie_node *node, uint32_t none, uint32_t *base, uint32_t c)
{
    struct trie_node to = node[*base ^ c];
    uint32_t good = 0 - (uint32_t)(to.label == c);

    *base = to.base & good;
    return none ^ ((none ^ to.number) & good);
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
    const uint32_t root = e->walk.trie.root, none = (uint32_t)e->vocab->n_piece;
    const uint16_t *c = work->code;
    const struct walk_ways w = work->ways;
    uint32_t a, k, id[STEPS];

    for (k = 0; k <= n + STEPS; k++)
        w.score[k] = UNREACHED;
    for (k = 0; lane == GAPS && k <= n + STEPS; k++)
        w.second[k] = UNREACHED;
    w.score[0] = start;
    for (a = 0; a < n; a++) {
        uint32_t base = root;
        struct here h;

        if (lane == NEW && fabsf(w.score[a]) > RESET_AT)
            rebase(w.score + a, n - a);
        h = (struct here){ e, w.score[a], a };
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            id[k] = step(node, none, &base, c[a + k]);
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            offer(&w, h, k + 1, id[k], lane);
        for (; base; k++)
            offer(&w, h, k + 1, step(node, none, &base, c[a + k]), lane);
        if (id[0] == none) {    // the character is no piece
            float score = h.score + e->unknown_score, was = w.score[a + 1];

            if (lane == GAPS)
                w.second[a + 1] = score > was ? was : fmaxf(w.second[a + 1], score);
            if (score > was) {
                w.score[a + 1] = score;
                w.from[a + 1] = 1 << WALK_CODE_BITS | WALK_UNKNOWN;
            }
        }
    }
    return w.score[n];
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
    if (!e->score_old)
        return find(e, w, n, start, NEW);
    if (holds_odd(e->walk.odd, w->code, n))
        return find(e, w, n, start, ODD);
    return find(e, w, n, start, OLD);
}

int walk_gaps(const struct encoder *e, struct encode_work *w, uint32_t n)
{
    if (holds_odd(e->walk.odd, w->code, n))
        return -1;
    find(e, w, n, 0, GAPS);
    return 0;
}

size_t walk_back(struct walk_ways *w, uint32_t at)
{
    size_t n = 0;

    while (at > 0) {
        uint32_t from = w->from[at];

        w->back[n++] = from;
        at -= from >> WALK_CODE_BITS;
    }
    return n;
}
