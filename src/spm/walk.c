/* walk.c - see walk.h. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spm/encoder.h"
#include "spm/walk.h"

enum { STEPS = WALK_STEPS, PIECE_CODES_MAX = 255 };    // what fits above WALK_CODE_BITS

/* What is worse than any way, which choose_lane() of encode.c sees to, and no dead end. */
#define UNREACHED (-FLT_MAX)

/* Mark the codes that pieces of such scores begin with. */
static void find_odd(struct walk *w, const struct encoder *e)
{
    int32_t id;

    for (id = 0; e->score_old && id < e->vocab->n_piece; id++) {
        if (!e->used[id] || (double)e->score[id] == e->score_old[id])
            continue;
        if (!w->odd)
            w->odd = xcalloc(256, 1);
        w->odd[codes_first(&e->codes, e->vocab->piece[id].p)] = 1;
    }
}

int walk_init(struct walk *w, struct trie *t, size_t most, const struct encoder *e)
{
    size_t i;

    if (t->n_node > WALK_UNKNOWN || most > PIECE_CODES_MAX)
        return -1;
    *w = (struct walk){ .root = t->root, .node = (void *)t->node, .cap = t->cap };
    w->id = xreallocarray(NULL, t->n_node, sizeof(*w->id));
    for (i = 0; i < t->n_node; i++) {    // each becomes the other where it is
        struct trie_node from = t->node[i];
        uint32_t id = from.tag >> 8;
        struct walk_node to = { from.base << 8 | (from.tag & 0xFF),
                                id == TRIE_NONE ? -INFINITY : e->score[id] };

        w->id[i] = id;
        memcpy(&w->node[i], &to, sizeof(to));
    }
    *t = (struct trie){ 0 };
    find_odd(w, e);
    return 0;
}

void walk_release(struct walk *w)
{
    mem_unmap(w->node, w->cap * sizeof(*w->node));
    free(w->id);
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

/* A piece ends at this node, n codes from here; or none does, if it is a dead end. */
static inline __attribute__((always_inline)) void
offer(const struct walk_ways *w, struct here h, uint32_t n, uint32_t node, const enum lane lane)
{
    const struct walk *walk = &h.e->walk;
    float piece = walk->node[node].score, score = h.score + piece;
    float *best = &w->score[h.at + n], was = *best;
    uint32_t *from = &w->from[h.at + n], better = score > was;

    if (lane == OLD && score == was)    // the sum is rounded only where it is kept
        better = (double)h.score + (double)piece > (double)was;
    if (lane == ODD && piece > -INFINITY) {
        double sum = (double)h.score + h.e->score_old[walk->id[node]];

        better = sum > (double)was;
        *best = better ? (float)sum : was;
    } else {
        *best = score > was ? score : was;
    }
    if (lane == GAPS) {
        float *second = &w->second[h.at + n], worse = score < was ? score : was;

        *second = worse > *second ? worse : *second;
    }
    *from ^= (*from ^ (n << WALK_CODE_BITS | node)) & (0 - better);
}

/* The node that c leads to, or the dead end; *base is where it goes on. */
static inline uint32_t step(const struct walk_node *node, uint32_t *base, unsigned char c)
{
    uint32_t at = *base ^ c, tag = node[at].tag, good = 0 - (uint32_t)((tag & 0xFF) == c);

    *base = tag >> 8 & good;
    return at & good;
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
    const struct walk_node *node = e->walk.node;
    const unsigned char *c = work->code;
    struct walk_ways *w = &work->ways;
    uint32_t a, k, len;

    for (k = 0; k <= n + STEPS; k++)
        w->score[k] = UNREACHED;
    for (k = 0; lane == GAPS && k <= n + STEPS; k++)
        w->second[k] = UNREACHED;
    w->score[0] = start;
    for (a = 0; a < n; a += len) {
        uint32_t base = e->walk.root, at[STEPS];
        struct here h;

        if (lane == NEW && fabsf(w->score[a]) > RESET_AT)
            rebase(w->score + a, n - a);
        h = (struct here){ e, w->score[a], a };
        len = code_length(&e->codes, c[a]);
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            at[k] = step(node, &base, c[a + k]);
#pragma GCC unroll 4
        for (k = 0; k < STEPS; k++)
            offer(w, h, k + 1, at[k], lane);
        for (; base; k++)
            offer(w, h, k + 1, step(node, &base, c[a + k]), lane);
        if (node[len == 1 ? at[0] : at[1]].score == -INFINITY) {    // the character is no piece
            float score = h.score + e->unknown_score, was = w->score[a + len];

            if (lane == GAPS)
                w->second[a + len] = score > was ? was : fmaxf(w->second[a + len], score);
            if (score > was) {
                w->score[a + len] = score;
                w->from[a + len] = len << WALK_CODE_BITS | WALK_UNKNOWN;
            }
        }
    }
    return w->score[n];
}

static int holds_odd(const unsigned char *odd, const unsigned char *c, uint32_t n)
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
