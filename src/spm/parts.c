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
    float score;       // of the first n_known ids
    float bound;       // of the score of all of them, sign apart
    uint32_t known;    // bytes that score is of: an unknown may have grown since
    size_t n_known;
};

/* The characters of an unknown, or those that begin with a byte piece. */
static float add_unknown(const struct encoder *e, const struct encoding *to, uint32_t at,
                         uint32_t end, float score)
{
    for (; at < end; at++)
        if ((to->text.p[at] & 0xC0) != 0x80)
            score += e->unknown_score;
    return score;
}

static void know_score(const struct encoder *e, const struct encoding *to, struct so_far *s)
{
    const uint32_t *end = to->end_store;
    float score = s->score;
    size_t i = s->n_known;
    uint32_t at = s->known;

    if (i)
        score = add_unknown(e, to, at, end[i - 1], score);
    for (at = i ? end[i - 1] : 0; i < to->n; at = end[i++])
        if (e->used[to->id_store[i]])    // the old sum too: rounded twice, it is no other
            score += e->score[to->id_store[i]];
        else
            score = add_unknown(e, to, at, end[i], score);
    *s = (struct so_far){ score, fabsf(score), at, to->n };
}

/* Codes of n bytes, and the zeros behind them. */
static uint32_t write_part(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n)
{
    uint16_t *c = to->work->code;
    uint32_t n_code = codes_write(&e->codes, to->text.p + at, n, c);

    memset(c + n_code, 0, WALK_SPARE * sizeof(*c));
    return n_code;
}

/* Bytes of n characters. */
static uint32_t char_bytes(const unsigned char *t, uint32_t n)
{
    uint32_t at = 0;

    while (n--)
        at += char_length(t[at], 4);
    return at;
}

/* Puts the pieces that walk_back() found. */
static void put_back(const struct encoder *e, struct encoding *to, size_t n)
{
    const uint32_t *back = to->work->ways.back;

    while (n) {
        uint32_t way = back[--n], number = way & WALK_UNKNOWN;

        if (number != WALK_UNKNOWN)
            encoding_put(e, to, (int32_t)number - 1, e->n_byte[number - 1]);
        else
            encoding_put(e, to, -1, char_bytes(to->text.p + to->work->at, way >> WALK_CODE_BITS));
    }
}

/* Up to which score before a part of n codes that of floats is no other than the best way that
 * walk_sure() found. A sum of floats is off by at most 2^-24 of the greatest score met, for each
 * addition. Ways that are compared have been one up to the last place that all pass, and have since
 * had at most as many additions as codes. Where the better one leads by more than twice that, which
 * is asked of every two, no rounding changes what is taken; what the lead itself was rounded by is
 * off it. Nor may the scores be brought back to 0 on the way. */
static float part_limit(const struct encoder *e, const struct walk_sure *sure, uint32_t n)
{
    double most = (double)n * (double)e->score_most, additions = 2 * ((double)sure->run + 1);
    double gap = (double)sure->gap - additions * most * 0x1p-24;
    double limit = 0x1p24 * gap / additions;

    return (float)(0.99 * (limit < (double)RESET_AT ? limit : (double)RESET_AT) - most - 1);
}

/* How far the way that is in `back` may take a score that is below RESET_AT; *unknown: does it hold
 * one? */
static float way_total(const struct encoder *e, const uint32_t *back, size_t n, int *unknown)
{
    float total = ROUNDING;
    size_t i;

    *unknown = 0;
    for (i = 0; i < n; i++) {
        uint32_t number = back[i] & WALK_UNKNOWN;

        if (number == WALK_UNKNOWN) {
            *unknown = 1;
            total += (float)(back[i] >> WALK_CODE_BITS) * (ROUNDING + fabsf(e->unknown_score));
        } else {
            total += ROUNDING + fabsf(e->walk.score[number]);
        }
    }
    return total;
}

/* The way that is in `back` as a row holds it, a run of unknowns as one: the ids, or 0 if they are
 * too many. */
static size_t way_ids(const struct encoder *e, const struct encoding *to, uint32_t at, size_t n,
                      int32_t *id)
{
    const uint32_t *back = to->work->ways.back;
    size_t n_id = 0;

    while (n) {
        uint32_t way = back[--n], number = way & WALK_UNKNOWN, len;
        int32_t *last = n_id ? &id[n_id - 1] : id;

        len = number == WALK_UNKNOWN ? char_bytes(to->text.p + at, way >> WALK_CODE_BITS)
                                     : e->n_byte[number - 1];
        at += len;
        if (number == WALK_UNKNOWN && n_id && *last >= UNKNOWN1) {
            *last += (int32_t)len;
            continue;
        }
        if (n_id == MEMO_IDS)
            return 0;
        id[n_id++] = number == WALK_UNKNOWN ? UNKNOWN1 + (int32_t)len - 1 : (int32_t)number - 1;
    }
    return n_id;
}

/* Keeps for the next time what was put since `before`, from at, or was found to be put. */
static void keep(const struct encoder *e, struct encoding *to, const struct memo_key *key,
                 size_t before, size_t n_back, int unknown, struct memo_row worth)
{
    int32_t of_way[MEMO_IDS];
    const int32_t *id = to->id_store + before;
    size_t n = to->n - before;
    struct memo_row *row;

    if (unknown) {
        n = way_ids(e, to, (uint32_t)(key->p - to->text.p), n_back, of_way);
        id = of_way;
    }
    row = n && n <= MEMO_IDS ? memo_claim(to->work->memo, key, id, n) : NULL;
    if (row) {
        row->limit = worth.limit;
        row->total = worth.total;
        row->unknown = unknown != 0;
    }
}

/* Is what walk_sure() found good for n codes at a place, whatever rounding does? Then it is put,
 * and kept for the next time. */
static int put_sure(const struct encoder *e, struct encoding *to, const struct memo_key *key,
                    uint32_t n, const struct walk_sure *sure, struct so_far *s)
{
    float limit = part_limit(e, sure, n), total;
    int after_unknown = to->work->last_unknown, unknown;
    uint32_t at = to->work->at, end = to->n ? to->end_store[to->n - 1] : 0;
    size_t n_back, before = to->n;

    if (s->bound > limit && !key)
        return 0;
    n_back = walk_back(&to->work->ways, n);
    total = way_total(e, to->work->ways.back, n_back, &unknown);
    unknown &= !e->vocab->byte_fallback;
    put_back(e, to, n_back);
    if (key)
        keep(e, to, key, before, n_back, unknown,
             (struct memo_row){ .limit = limit, .total = total });
    if (s->bound <= limit) {
        s->bound += total;
        return 1;
    }
    to->n = before;
    to->work->at = at;
    to->work->last_unknown = after_unknown;
    if (before)    // an unknown may have grown
        to->end_store[before - 1] = end;
    return 0;
}

/* A part of a text for a unigram model; key: NULL if it is too long; is_kept: it is in memory, but
 * does not hold here. */
static void search_unigram(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n,
                           const struct memo_key *key, int is_kept, struct so_far *s)
{
    uint32_t n_code = write_part(e, to, at, n);
    struct walk_sure sure;

    to->work->at = at;
    if (!is_kept && walk_sure(e, to->work, n_code, &sure) == 0 &&
        put_sure(e, to, key, n_code, &sure, s))
        return;
    know_score(e, to, s);
    s->score = walk_best(e, to->work, n_code, s->score);
    put_back(e, to, walk_back(&to->work->ways, n_code));
    *s = (struct so_far){ s->score, fabsf(s->score), at + n, to->n };
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
        row->unknown = 0;
    }
}

/* Puts what a row holds in which there are unknowns. */
static void recall_unknown(const struct encoder *e, struct encoding *to, struct memo_row *r,
                           uint32_t at)
{
    const unsigned char *rest = memo_rest(to->work->memo, r);
    int32_t id;
    size_t i;

    to->work->at = at;
    for (i = 0; i < r->n; i++) {
        if (i < MEMO_ID_HEAD)
            id = r->id[i];
        else
            memcpy(&id, rest + (i - MEMO_ID_HEAD) * sizeof(id), sizeof(id));
        if (id < UNKNOWN1)
            encoding_put(e, to, id, e->n_byte[id]);
        else
            encoding_put(e, to, -1, (uint32_t)(id - UNKNOWN1) + 1);
    }
    r->used = 1;
}

/* Puts what the row holds. */
static inline void recall(const struct encoder *e, struct encoding *to, struct memo_row *r,
                          uint32_t at)
{
    int32_t *id = to->id_store + to->n;
    unsigned i;

    memcpy(id, r->id, sizeof(r->id));    // there is room for more than it has
    if (r->n > MEMO_ID_HEAD)
        memcpy(id + MEMO_ID_HEAD, memo_rest(to->work->memo, r), memo_rest_ids(r));
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
                if (row->unknown)
                    recall_unknown(e, to, row, at[i]);
                else
                    recall(e, to, row, at[i]);
                s.bound += row->total;
            } else if (e->score) {
                search_unigram(e, to, at[i], len, k, row != NULL, &s);
            } else {
                search_bpe(e, to, at[i], len, row ? NULL : k);
            }
        }
    }
}
