/* parts.c - what unigram.c and bpe.c do, faster: the text is cut where no piece spans, short
 * parts that were met before are recalled, and for unigram models the others are searched in codes.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "spm/code.h"
#include "spm/encoder.h"
#include "spm/segment.h"

enum { AHEAD = 16 };    // parts looked for in memory at the same time

/* A way's piece that is an unknown of n_byte bytes and n_code codes. */
static int32_t unknown_piece(uint32_t n_byte, uint32_t n_code)
{
    return UNKNOWN1 + (int32_t)(2 * (n_byte - 1) + n_code - 1);
}

/* Takes the better way without a branch, which could not be foreseen. */
static inline void way_offer(struct way *best, float score, int32_t piece, int better)
{
    struct way new = { score, piece };
    uint64_t a, b, take = 0 - (uint64_t)better;

    memcpy(&a, best, sizeof(a));
    memcpy(&b, &new, sizeof(b));
    a = (a & ~take) | (b & take);
    memcpy(best, &a, sizeof(a));
}

static inline uint32_t clear_ways(struct way *best, uint32_t from, uint32_t to, uint32_t n)
{
    for (; from <= to && from <= n; from++)
        best[from] = (struct way){ -INFINITY, NOT_SET };
    return from;
}

/* As find_best() or find_best_old() of unigram.c, over codes. A place that no piece reached has a
 * score of minus infinity, which choose_lane() sees to that no sum can be. c[n] is 0, on which no
 * walk goes on. */
static inline float find_ways(const struct encoder *e, const unsigned char *c, uint32_t n,
                              const unsigned char *text, float start, struct way *best,
                              const int old)
{
    const struct trie_node *node = e->trie.node, *to;
    uint32_t a, k, len, cleared = clear_ways(best, 1, e->most_codes, n), i;

    best[0] = (struct way){ start, 0 };
    for (a = 0; a < n; a += len) {
        uint32_t base = e->trie.root, n_byte = char_length(*text, 4);
        float here = best[a].score, unknown;
        int single = 0;

        len = code_length(&e->codes, c[a]);
        text += n_byte;
        if (!old && fabsf(here) > RESET_AT) {
            for (i = a; i < cleared; i++)
                best[i].score -= here;
            here = best[a].score;
        }
        for (k = a; ((to = &node[base ^ c[k]])->tag & 0xFF) == c[k];) {
            uint32_t id = to->tag >> 8;

            base = to->base;
            k++;
            if (id == TRIE_NONE)
                continue;
            if (old) {
                double score = (double)here + e->score_old[id];

                way_offer(&best[k], (float)score, (int32_t)id, score > (double)best[k].score);
            } else {
                float score = here + e->score[id];

                way_offer(&best[k], score, (int32_t)id, score > best[k].score);
            }
            single |= k - a == len;
        }
        cleared = clear_ways(best, cleared, a + len + e->most_codes, n);
        if (single)
            continue;
        unknown = here + e->unknown_score;
        way_offer(&best[a + len], unknown, unknown_piece(n_byte, len),
                  unknown > best[a + len].score);
    }
    return best[n].score;
}

/* Walk back from the end, then put the pieces in their order. */
static void put_ways(const struct encoder *e, struct encoding *to, uint32_t at)
{
    const struct way *way = to->work->way;
    int32_t *back = to->work->back;
    size_t n = 0;

    while (at > 0) {
        int32_t piece = way[at].piece;

        assert(piece != NOT_SET);
        back[n++] = piece;
        at -= piece < UNKNOWN1 ? e->n_code[piece] : (uint32_t)(piece - UNKNOWN1) % 2 + 1;
    }
    while (n) {
        int32_t piece = back[--n];

        if (piece < UNKNOWN1)
            encoding_put(e, to, piece, e->n_byte[piece]);
        else
            encoding_put(e, to, -1, (uint32_t)(piece - UNKNOWN1) / 2 + 1);
    }
}

/* Puts n bytes at t whose way begins with a score of `start`; returns the score of the whole. Their
 * codes stay. */
static float run_part(const struct encoder *e, struct encoding *to, const unsigned char *t,
                      uint32_t n, float start, uint32_t *n_code)
{
    unsigned char *c = to->work->code;
    struct way *way = to->work->way;
    float score;

    *n_code = codes_write(&e->codes, t, n, c);
    c[*n_code] = 0;
    score = e->score_old ? find_ways(e, c, *n_code, t, start, way, 1)
                         : find_ways(e, c, *n_code, t, start, way, 0);
    put_ways(e, to, *n_code);
    return score;
}

struct exact {    // the best way to a place in a part, without rounding to speak of
    double best, second;
    int32_t piece;    // NOT_SET: none leads here; -1: the unknown
};

static void exact_offer(struct exact *to, double score, int32_t piece)
{
    if (to->piece == NOT_SET)
        *to = (struct exact){ score, -INFINITY, piece };
    else if (score > to->best)
        *to = (struct exact){ score, to->best, piece };
    else if (score > to->second)
        to->second = score;
}

static void exact_ways(const struct encoder *e, const unsigned char *c, uint32_t n,
                       struct exact *way)
{
    uint32_t a, k, len;

    way[0] = (struct exact){ 0, -INFINITY, 0 };
    for (k = 1; k <= n; k++)
        way[k].piece = NOT_SET;
    for (a = 0; a < n; a += len) {
        uint32_t base = e->trie.root;
        int single = 0;

        len = code_length(&e->codes, c[a]);
        for (k = a; k < n;) {
            int32_t id = trie_step(&e->trie, &base, c[k]);

            if (id < 0)
                break;
            k++;
            if (id == TRIE_NONE)
                continue;
            exact_offer(&way[k],
                        way[a].best + (e->score_old ? e->score_old[id] : (double)e->score[id]), id);
            single |= k - a == len;
        }
        if (!single)
            exact_offer(&way[a + len], way[a].best + (double)e->unknown_score, -1);
    }
}

static void turn_round(struct memo_row *r)
{
    unsigned i, k;

    for (i = 0, k = r->n; i + 1 < k--; i++) {
        int32_t id = r->id[i];
        unsigned char n_byte = r->n_byte[i];

        r->id[i] = r->id[k];
        r->id[k] = id;
        r->n_byte[i] = r->n_byte[k];
        r->n_byte[k] = n_byte;
    }
}

/* What becomes of n codes in exact arithmetic, and up to which score before them that of floats is
 * no other. A sum of floats is off by at most 2^-24 of the greatest score met, for each addition; a
 * way to a place has at most as many as characters. Where the best way leads by more than twice
 * that, which is asked of every place on it, no rounding changes what is taken. Nor may the scores
 * be brought back to 0 on the way. */
static void memorise(const struct encoder *e, const unsigned char *c, uint32_t n,
                     struct memo_row *r)
{
    struct exact way[MEMO_KEY + 1];
    double limit = INFINITY, most = (double)n * (double)e->score_most;
    uint32_t at = n;

    exact_ways(e, c, n, way);
    for (r->n = 0; at > 0; at -= e->n_code[r->id[r->n++]]) {
        double gap = way[at].best - way[at].second;

        if (way[at].piece < 0 || r->n == MEMO_IDS) {    // an unknown, or too many
            r->n_key = 0;
            return;
        }
        limit = fmin(limit, 0x1p24 * gap / (2 * (double)(at + 1)));
        r->id[r->n] = way[at].piece;
        r->n_byte[r->n] = (unsigned char)e->n_byte[way[at].piece];
    }
    turn_round(r);
    r->limit = (float)(0.99 * fmin(limit, (double)RESET_AT) - most - 1);
}

/* Puts what the row holds; returns the score after it. */
static inline float recall(const struct encoder *e, struct encoding *to, const struct memo_row *r,
                           float score)
{
    uint32_t end = to->n ? to->end_store[to->n - 1] : 0;
    int32_t *id = to->id_store + to->n;
    uint32_t *ends = to->end_store + to->n;
    unsigned i;

    for (i = 0; i < r->n; i++) {
        id[i] = r->id[i];
        ends[i] = end += r->n_byte[i];
        if (e->score_old)
            score = (float)((double)score + e->score_old[r->id[i]]);
        else if (e->score)
            score += e->score[r->id[i]];
    }
    to->n += r->n;
    to->work->last_unknown = 0;
    return score;
}

/* A part that is not in memory. Unigram: returns the score after it. */
static float search(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n,
                    struct memo_row *claim, float score)
{
    size_t before = to->n, i;
    uint32_t n_code;

    if (e->score) {
        score = run_part(e, to, to->text.p + at, n, score, &n_code);
        if (claim)
            memorise(e, to->work->code, n_code, claim);
        return score;
    }
    bpe_part(e, to, at, n);
    if (!claim)
        return 0;
    claim->n_key = 0;
    if (to->n == before || to->n - before > MEMO_IDS || (before && to->end_store[before - 1] != at))
        return 0;    // unknowns that go on from the part before are no part of their own
    for (i = before; i < to->n; i++) {
        int32_t id = to->id_store[i];

        if (id == e->vocab->unk)
            return 0;
        claim->id[i - before] = id;
        claim->n_byte[i - before] =
            (unsigned char)(to->end_store[i] - (i ? to->end_store[i - 1] : 0));
    }
    claim->n = (unsigned char)(to->n - before);
    claim->n_key = (unsigned char)n;
    claim->limit = INFINITY;
    return 0;
}

void parts_run(const struct encoder *e, struct encoding *to)
{
    const unsigned char *t = to->text.p;
    uint32_t n = (uint32_t)to->text.n, at[AHEAD + 1], n_part, i;
    struct memo *m = to->work->memo;
    uint64_t hash[AHEAD] = { 0 };
    float score = 0;

    for (at[0] = 0; at[0] < n; at[0] = at[n_part]) {
        for (n_part = 0; n_part < AHEAD && at[n_part] < n; n_part++) {
            uint32_t len = (at[n_part + 1] = cuts_next(&e->cuts, t, n, at[n_part])) - at[n_part];

            if (len > MEMO_KEY)
                continue;
            hash[n_part] = memo_hash(t + at[n_part], len);
            __builtin_prefetch(memo_set(m, hash[n_part]));
        }
        for (i = 0; i < n_part; i++) {
            uint32_t len = at[i + 1] - at[i];
            const struct memo_row *r =
                len <= MEMO_KEY ? memo_find(m, hash[i], t + at[i], len) : NULL;
            struct memo_row *claim = NULL;

            if (r && fabsf(score) <= r->limit) {
                score = recall(e, to, r, score);
                continue;
            }
            if (!r && len <= MEMO_KEY)
                claim = memo_claim(m, hash[i], t + at[i], len);
            score = search(e, to, at[i], len, claim, score);
        }
    }
}
