/* unigram.c - the best way through a text: of all ways to cut it into pieces, the one whose
 * scores have the greatest sum.
 *
 * Dynamic programming over byte positions: from each character's start, all pieces that begin
 * there are walked in one trie. A position is set when the first piece that ends there comes;
 * `frontier` is the last such one, so nothing is cleared beforehand. This is the definition;
 * parts.c is faster.
 */
#include <assert.h>
#include <math.h>

#include "spm/encoder.h"

/* Clears the positions up to end that no piece has reached; they stay so unless one does. */
static uint32_t reach(struct way *best, uint32_t frontier, uint32_t end)
{
    while (frontier < end)
        best[++frontier].piece = NOT_SET;
    return end;
}

/* Scores are kept near 0: what is subtracted from all is the same for all. */
static void rebase(struct way *best, uint32_t at, uint32_t frontier)
{
    float by = best[at].score;
    uint32_t i;

    for (i = at; i <= frontier; i++)
        if (best[i].piece != NOT_SET)
            best[i].score -= by;
}

static void find_best(const struct encoder *e, const unsigned char *t, uint32_t n, struct way *best)
{
    uint32_t a, len, k, frontier = 0;

    best[0] = (struct way){ 0, 0 };
    for (a = 0; a < n; a += len) {
        uint32_t base = e->trie.root;
        int single = 0;
        float here;

        len = char_length(t[a], n - a);
        if (fabsf(best[a].score) > RESET_AT)
            rebase(best, a, frontier);
        here = best[a].score;
        for (k = a; k < n;) {
            int32_t id = trie_step(&e->trie, &base, t[k]);
            float score;

            if (id < 0)
                break;
            k++;
            if (id == TRIE_NONE)
                continue;
            score = here + e->score[id];
            if (k > frontier)
                frontier = reach(best, frontier, k);
            if (best[k].piece == NOT_SET || score > best[k].score)
                best[k] = (struct way){ score, id };
            single |= k - a == len;
        }
        if (single)
            continue;
        k = a + len;
        if (k > frontier)
            frontier = reach(best, frontier, k);
        if (best[k].piece == NOT_SET || here + e->unknown_score > best[k].score)
            best[k] = (struct way){ here + e->unknown_score, UNKNOWN1 + (int32_t)len - 1 };
    }
}

/* The same, with sums formed and compared in double, stored in float, never rebased. */
static void find_best_old(const struct encoder *e, const unsigned char *t, uint32_t n,
                          struct way *best)
{
    uint32_t a, len, k, frontier = 0;

    best[0] = (struct way){ 0, 0 };
    for (a = 0; a < n; a += len) {
        uint32_t base = e->trie.root;
        float here = best[a].score;
        int single = 0;

        len = char_length(t[a], n - a);
        for (k = a; k < n;) {
            int32_t id = trie_step(&e->trie, &base, t[k]);
            double score;

            if (id < 0)
                break;
            k++;
            if (id == TRIE_NONE)
                continue;
            score = (double)here + (e->score_old ? e->score_old[id] : (double)e->score[id]);
            if (k > frontier)
                frontier = reach(best, frontier, k);
            if (best[k].piece == NOT_SET || score > (double)best[k].score)
                best[k] = (struct way){ (float)score, id };
            single |= k - a == len;
        }
        if (single)
            continue;
        k = a + len;
        if (k > frontier)
            frontier = reach(best, frontier, k);
        if (best[k].piece == NOT_SET || here + e->unknown_score > best[k].score)
            best[k] = (struct way){ here + e->unknown_score, UNKNOWN1 + (int32_t)len - 1 };
    }
}

/* Walk back from the end, then put the pieces in their order. */
static void put_back(const struct encoder *e, struct encoding *to, uint32_t at)
{
    const struct way *way = to->work->way;
    int32_t *back = to->work->back;
    size_t n = 0;

    while (at > 0) {
        int32_t piece = way[at].piece;

        assert(piece != NOT_SET);
        back[n++] = piece;
        at -= piece < UNKNOWN1 ? e->n_byte[piece] : (uint32_t)(piece - UNKNOWN1) + 1;
    }
    while (n) {
        int32_t piece = back[--n];

        if (piece < UNKNOWN1)
            encoding_put(e, to, piece, e->n_byte[piece]);
        else
            encoding_put(e, to, -1, (uint32_t)(piece - UNKNOWN1) + 1);
    }
}

void unigram_run(const struct encoder *e, struct encoding *to)
{
    uint32_t n = (uint32_t)to->text.n;

    work_need(to->work, n);
    if (e->old)
        find_best_old(e, to->text.p, n, to->work->way);
    else
        find_best(e, to->text.p, n, to->work->way);
    put_back(e, to, n);
}
