/* parts.c - what unigram.c and bpe.c do, faster: the text is cut where no piece spans, short
 * parts that were met before are recalled, and for unigram models the others are searched in codes.
 *
 * The score before a part matters only where rounding decides. So it is not known most of the time,
 * but a bound is; where that is not enough, it is added up from the ids since it was known.
 */
#include <math.h>
#include <string.h>

#include "spm/code.h"
#include "spm/encoder.h"
#include "spm/segment.h"
#include "spm/walk.h"

enum { AHEAD = 16 };    // parts looked for in memory at the same time

#define ROUNDING 0.02f    // of one sum up to RESET_AT in floats, and to spare

struct so_far {
    float score;    // of the first n_known ids
    float bound;    // of the score of all of them, sign apart
    size_t n_known;
};

static void know_score(const struct encoder *e, const struct encoding *to, struct so_far *s)
{
    float score = s->score;
    size_t i;

    for (i = s->n_known; i < to->n; i++)    // the old sum too: rounded twice, it is no other
        score += e->score[to->id_store[i]];
    *s = (struct so_far){ score, fabsf(score), to->n };
}

/* Codes of n bytes, and the zeros behind them. */
static uint32_t write_part(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n)
{
    uint16_t *c = to->work->code;
    uint32_t n_code = codes_write(&e->codes, to->text.p + at, n, c);

    memset(c + n_code, 0, WALK_STEPS * sizeof(*c));
    return n_code;
}

/* Puts the pieces that walk_back() found. */
static void put_back(const struct encoder *e, struct encoding *to, size_t n)
{
    const uint32_t *back = to->work->ways.back;

    while (n) {
        uint32_t number = back[--n] & WALK_UNKNOWN;

        if (number != WALK_UNKNOWN)
            encoding_put(e, to, (int32_t)number - 1, e->n_byte[number - 1]);
        else
            encoding_put(e, to, -1, char_length(to->text.p[to->work->at], 4));
    }
}

/* Up to which score before a part of n codes that of floats is no other than the best way that
 * walk_gaps() found, of n_back pieces; -INFINITY with an unknown in it. A sum of floats is off by
 * at most 2^-24 of the greatest score met, for each addition; a way to a place has at most as many
 * as codes. Where the best way leads by more than twice that, which is asked of every place on it,
 * no rounding changes what is taken; what the lead itself was rounded by is off it. Nor may the
 * scores be brought back to 0 on the way. */
static float part_limit(const struct encoder *e, const struct walk_ways *w, uint32_t n,
                        size_t n_back)
{
    double limit = INFINITY, most = (double)n * (double)e->score_most;
    uint32_t at = n;
    size_t i;

    for (i = 0; i < n_back; i++) {
        double gap = (double)w->score[at] - (double)w->second[at];

        gap -= 2 * (double)(at + 1) * most * 0x1p-24;
        limit = fmin(limit, 0x1p24 * gap / (2 * (double)(at + 1)));
        if ((w->back[i] & WALK_UNKNOWN) == WALK_UNKNOWN)
            return -INFINITY;
        at -= w->back[i] >> WALK_CODE_BITS;
    }
    return (float)(0.99 * fmin(limit, (double)RESET_AT) - most - 1);
}

/* How far these ids may take a score that is below RESET_AT. */
static float ids_total(const struct encoder *e, const int32_t *id, size_t n)
{
    float total = ROUNDING;
    size_t i;

    for (i = 0; i < n; i++)
        total += fabsf(e->score[id[i]]) + ROUNDING;
    return total;
}

/* Is what walk_gaps() found good for n bytes at a place, whatever rounding does? Then it is put,
 * and kept for the next time. */
static int put_sure(const struct encoder *e, struct encoding *to, const struct memo_key *key,
                    uint32_t n_code, struct so_far *s)
{
    struct walk_ways *w = &to->work->ways;
    size_t n_back = walk_back(w, n_code), before = to->n;
    int after_unknown = to->work->last_unknown;
    uint32_t at = to->work->at;
    float limit = part_limit(e, w, n_code, n_back), total;
    struct memo_row *row;

    if (limit == -INFINITY)
        return 0;
    put_back(e, to, n_back);
    total = ids_total(e, to->id_store + before, n_back);
    if (n_back <= MEMO_IDS &&
        (row = memo_claim(to->work->memo, key, to->id_store + before, n_back))) {
        row->limit = limit;
        row->total = total;
    }
    if (s->bound <= limit) {
        s->bound += total;
        return 1;
    }
    to->n = before;
    to->work->at = at;
    to->work->last_unknown = after_unknown;
    return 0;
}

/* A part of a text for a unigram model; key: NULL if it is in memory, or too long. */
static void search_unigram(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n,
                           const struct memo_key *key, struct so_far *s)
{
    uint32_t n_code = write_part(e, to, at, n);

    to->work->at = at;
    if (key && walk_gaps(e, to->work, n_code) == 0 && put_sure(e, to, key, n_code, s))
        return;
    know_score(e, to, s);
    s->score = walk_best(e, to->work, n_code, s->score);
    put_back(e, to, walk_back(&to->work->ways, n_code));
    s->bound = fabsf(s->score);
    s->n_known = to->n;
}

static void search_bpe(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n,
                       const struct memo_key *key)
{
    size_t before = to->n, i;
    struct memo_row *row;

    to->work->at = at;
    bpe_part(e, to, at, n);
    if (!key || to->n == before || to->n - before > MEMO_IDS)
        return;
    if (before && to->end_store[before - 1] != at)
        return;    // unknowns that go on from the part before are no part of their own
    for (i = before; i < to->n; i++)
        if (to->id_store[i] == e->vocab->unk)
            return;
    row = memo_claim(to->work->memo, key, to->id_store + before, to->n - before);
    if (row) {
        row->limit = INFINITY;
        row->total = 0;
    }
}

/* Puts what the row holds. */
static inline void recall(const struct encoder *e, struct encoding *to, struct memo_row *r,
                          uint32_t at)
{
    int32_t *id = to->id_store + to->n;
    const struct memo *m = to->work->memo;
    unsigned i;

    memcpy(id, r->id, sizeof(r->id));    // there is room for more than it has
    if (r->n > MEMO_ID_HEAD)
        memcpy(id + MEMO_ID_HEAD, m->rest[r - m->row].id, sizeof(m->rest->id));
    for (i = 0; i < r->n; i++)
        to->end_store[to->n + i] = at += e->n_byte[id[i]];
    to->n += r->n;
    r->used = 1;
    to->work->last_unknown = 0;
}

void parts_run(const struct encoder *e, struct encoding *to)
{
    const unsigned char *t = to->text.p;
    uint32_t n = (uint32_t)to->text.n, at[AHEAD + 1], n_part, i;
    struct memo *m = to->work->memo;
    struct memo_key key[AHEAD];
    struct so_far s = { 0 };

    for (at[0] = 0; at[0] < n; at[0] = at[n_part]) {
        for (n_part = 0; n_part < AHEAD && at[n_part] < n; n_part++) {
            uint32_t len = (at[n_part + 1] = cuts_next(&e->cuts, t, n, at[n_part])) - at[n_part];

            if (len > MEMO_KEY)
                continue;
            memo_key_init(&key[n_part], t + at[n_part], len);
            __builtin_prefetch(memo_set(m, &key[n_part]));
            __builtin_prefetch(memo_set(m, &key[n_part]) + 1);
        }
        for (i = 0; i < n_part; i++) {
            uint32_t len = at[i + 1] - at[i];
            const struct memo_key *k = len <= MEMO_KEY ? &key[i] : NULL;
            struct memo_row *row = k ? memo_find(m, k) : NULL;

            if (row && s.bound <= row->limit) {
                recall(e, to, row, at[i]);
                s.bound += row->total;
            } else if (e->score) {
                search_unigram(e, to, at[i], len, row ? NULL : k, &s);
            } else {
                search_bpe(e, to, at[i], len, row ? NULL : k);
            }
        }
    }
}
