/* encode.c - see encode.h.
 *
 * Dynamic programming over byte positions: from each character's start, all pieces that begin
 * there are walked in one trie. A position is set when the first piece that ends there comes;
 * `frontier` is the last such one, so nothing is cleared beforehand.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "spm/encode.h"
#include "spm/vocab.h"
#include "text/trie.h"

enum { UNKNOWN1 = VOCAB_MAX + 1 };    // states: UNKNOWN1 + n - 1 is an unknown of n bytes
enum { NOT_SET = 0x7FFFFFFF };

#define UNKNOWN_PENALTY 10.0f
#define RESET_AT 1e5f

struct encode_state {    // the best way to one position
    float score;
    int32_t piece;    // that ends here
};

struct encoder {
    const struct vocab *vocab;
    struct normal *normal;
    struct trie trie;
    float *score;         // by id
    double *score_old;    // the same for old arithmetic, else NULL
    uint16_t *n_byte;     // by id
    float unknown_score;
    int plain_sentinels;
};

/* The character's length by its first byte, as SentencePiece counts: 80..BF is 1. */
static uint32_t char_length(unsigned char c)
{
    static const unsigned char length[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4 };

    return length[c >> 4];
}

static int is_matched(const struct encoder *e, int32_t id)
{
    const struct piece *p = &e->vocab->piece[id];

    if (e->plain_sentinels && vocab_sentinel(vocab_piece(e->vocab, id)) >= 0)
        return 0;
    return p->type == PIECE_NORMAL || p->type == PIECE_USER_DEFINED;
}

static void find_scores(struct encoder *e, int old)
{
    const struct vocab *v = e->vocab;
    float low = FLT_MAX, high = FLT_MIN;
    size_t n = (size_t)v->n_piece;
    int32_t id;

    e->score = xreallocarray(NULL, n, sizeof(*e->score));
    e->n_byte = xreallocarray(NULL, n, sizeof(*e->n_byte));
    if (old)
        e->score_old = xreallocarray(NULL, n, sizeof(*e->score_old));
    for (id = 0; id < v->n_piece; id++) {
        float score = v->piece[id].score;

        if (v->piece[id].type == PIECE_NORMAL) {
            low = score < low ? score : low;
            high = score > high ? score : high;
        }
    }
    e->unknown_score = low - UNKNOWN_PENALTY;
    for (id = 0; id < v->n_piece; id++) {
        const struct piece *p = &v->piece[id];
        int whole = p->type == PIECE_USER_DEFINED;

        e->n_byte[id] = (uint16_t)p->n;
        e->score[id] = whole ? (float)(0.1 * (p->n - 1)) : p->score;
        if (old)
            e->score_old[id] = whole ? (double)((float)p->n * high) - 0.1 : (double)p->score;
    }
}

static int build(struct encoder *e, struct err *err)
{
    const struct vocab *v = e->vocab;
    struct bytes *key = xreallocarray(NULL, (size_t)v->n_piece, sizeof(*key));
    uint32_t *number = xreallocarray(NULL, (size_t)v->n_piece, sizeof(*number));
    size_t n = 0;
    int32_t id;
    int bad;

    for (id = 0; id < v->n_piece; id++)
        if (v->piece[id].type == PIECE_USER_DEFINED && is_matched(e, id))
            key[n++] = vocab_piece(v, id);
    normal_free(e->normal);
    e->normal = normal_new(&v->normal, key, n, err);
    for (id = 0, n = 0; id < v->n_piece; id++)
        if (is_matched(e, id)) {
            key[n] = vocab_piece(v, id);
            number[n++] = (uint32_t)id;
        }
    trie_release(&e->trie);
    bad = !e->normal || trie_build(&e->trie, key, number, n, err);
    free(key);
    free(number);
    return bad ? -1 : 0;
}

/* The sum of the scores of pieces with spaces between. */
static float total(const struct encoder *e, struct bytes line)
{
    float sum = 0;

    while (line.n) {
        const unsigned char *space = memchr(line.p, ' ', line.n);
        size_t n = space ? (size_t)(space - line.p) : line.n;
        int32_t id = vocab_find(e->vocab, (struct bytes){ line.p, n });

        sum += id < 0 || id == e->vocab->unk ? e->unknown_score : e->score[id];
        line.p += n + (space != NULL);
        line.n -= n + (space != NULL);
    }
    return sum;
}

/* A model may say how samples are to be encoded. Equal scores are equally good. */
static int run_samples(const struct encoder *e, struct err *err)
{
    struct encoding enc = { 0 };
    struct buf got = { 0 };
    size_t i, j;
    int bad = 0;

    for (i = 0; i < e->vocab->n_sample && !bad; i++) {
        struct vocab_sample s = e->vocab->sample[i];

        bad = encoder_run(e, &enc, s.input, err);
        buf_reset(&got);
        for (j = 0; j < enc.n && !bad; j++) {
            if (j)
                buf_add_byte(&got, ' ');
            encoding_piece(&enc, e->vocab, j, &got);
        }
        if (!bad && (got.n != s.expected.n || (got.n && memcmp(got.p, s.expected.p, got.n) != 0)) &&
            !(total(e, buf_bytes(&got)) == total(e, s.expected)))
            bad = err_set(err, "%s: the model's own sample %zu comes out different", e->vocab->name,
                          i + 1);
    }
    encoding_release(&enc);
    buf_release(&got);
    return bad;
}

struct encoder *encoder_new(const struct vocab *v, const struct encode_option *o, struct err *err)
{
    static const char *const types[] = { "", "unigram", "BPE", "word", "char" };
    struct encoder *e;

    if (v->model_type != VOCAB_UNIGRAM) {
        err_set(err, "%s: a %s model; only unigram models can encode", v->name,
                types[v->model_type]);
        return NULL;
    }
    e = xcalloc(1, sizeof(*e));
    e->vocab = v;
    find_scores(e, o->old);
    if (build(e, err) || run_samples(e, err))
        goto fail;
    e->plain_sentinels = o->plain_sentinels;    // after the samples, which know nothing of it
    if (o->plain_sentinels && v->sentinel0 >= 0 && build(e, err))
        goto fail;
    return e;

fail:
    encoder_free(e);
    return NULL;
}

void encoder_free(struct encoder *e)
{
    if (!e)
        return;
    normal_free(e->normal);
    trie_release(&e->trie);
    free(e->score);
    free(e->score_old);
    free(e->n_byte);
    free(e);
}

/* Clears the positions up to end that no piece has reached; they stay so unless one does. */
static uint32_t reach(struct encode_state *best, uint32_t frontier, uint32_t end)
{
    while (frontier < end)
        best[++frontier].piece = NOT_SET;
    return end;
}

/* Scores are kept near 0: what is subtracted from all is the same for all. */
static void rebase(struct encode_state *best, uint32_t at, uint32_t frontier)
{
    float by = best[at].score;
    uint32_t i;

    for (i = at; i <= frontier; i++)
        if (best[i].piece != NOT_SET)
            best[i].score -= by;
}

static void find_best(const struct encoder *e, const unsigned char *t, uint32_t n,
                      struct encode_state *best)
{
    uint32_t a, len, k, frontier = 0;

    best[0] = (struct encode_state){ 0, 0 };
    for (a = 0; a < n; a += len) {
        uint32_t base = e->trie.root;
        int single = 0;
        float here;

        len = char_length(t[a]);
        len = len > n - a ? n - a : len;
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
                best[k] = (struct encode_state){ score, id };
            single |= k - a == len;
        }
        if (single)
            continue;
        k = a + len;
        if (k > frontier)
            frontier = reach(best, frontier, k);
        if (best[k].piece == NOT_SET || here + e->unknown_score > best[k].score)
            best[k] = (struct encode_state){ here + e->unknown_score, UNKNOWN1 + (int32_t)len - 1 };
    }
}

/* The same, with sums formed and compared in double, stored in float, never rebased. */
static void find_best_old(const struct encoder *e, const unsigned char *t, uint32_t n,
                          struct encode_state *best)
{
    uint32_t a, len, k, frontier = 0;

    best[0] = (struct encode_state){ 0, 0 };
    for (a = 0; a < n; a += len) {
        uint32_t base = e->trie.root;
        float here = best[a].score;
        int single = 0;

        len = char_length(t[a]);
        len = len > n - a ? n - a : len;
        for (k = a; k < n;) {
            int32_t id = trie_step(&e->trie, &base, t[k]);
            double score;

            if (id < 0)
                break;
            k++;
            if (id == TRIE_NONE)
                continue;
            score = (double)here + e->score_old[id];
            if (k > frontier)
                frontier = reach(best, frontier, k);
            if (best[k].piece == NOT_SET || score > (double)best[k].score)
                best[k] = (struct encode_state){ (float)score, id };
            single |= k - a == len;
        }
        if (single)
            continue;
        k = a + len;
        if (k > frontier)
            frontier = reach(best, frontier, k);
        if (best[k].piece == NOT_SET || here + e->unknown_score > best[k].score)
            best[k] = (struct encode_state){ here + e->unknown_score, UNKNOWN1 + (int32_t)len - 1 };
    }
}

/* Walk back from the end, writing ids from the end of their store. */
static void collect(const struct encoder *e, struct encoding *to)
{
    const struct vocab *v = e->vocab;
    uint32_t at = (uint32_t)to->text.n, n;
    size_t i = to->cap;
    int in_unknown = 0;

    while (at > 0) {
        int32_t piece = to->state[at].piece;

        assert(piece != NOT_SET);
        if (piece < UNKNOWN1) {
            to->id_store[--i] = piece;
            to->end_store[i] = at;
            at -= e->n_byte[piece];
            in_unknown = 0;
            continue;
        }
        n = (uint32_t)(piece - UNKNOWN1) + 1;
        if (v->byte_fallback) {
            for (; n; n--, at--) {
                to->id_store[--i] = v->byte[to->text.p[at - 1]];
                to->end_store[i] = at;
            }
            continue;
        }
        if (!in_unknown) {
            to->id_store[--i] = v->unk;
            to->end_store[i] = at;
        }
        in_unknown = 1;
        at -= n;
    }
    to->id = to->id_store + i;
    to->end = to->end_store + i;
    to->n = to->cap - i;
}

static size_t count_sentinels(struct bytes t)
{
    static const char mark[] = "<extra_id_";
    const unsigned char *p = t.p, *end = t.p + t.n, *q;
    size_t n = 0;

    while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
        if ((size_t)(end - p) < sizeof(mark) || memcmp(p, mark, sizeof(mark) - 1) != 0) {
            p++;
            continue;
        }
        for (q = p += sizeof(mark) - 1; p < end && *p >= '0' && *p <= '9'; p++)
            ;
        n += p > q && p < end && *p == '>';
    }
    return n;
}

int encoder_run(const struct encoder *e, struct encoding *to, struct bytes text, struct err *err)
{
    size_t n;

    to->n = to->n_sentinel = 0;
    if (normal_run(e->normal, text, &to->text, to->want_map ? &to->map : NULL, err))
        return -1;
    n = to->text.n;
    if (n + 1 > to->cap) {
        to->cap = n + 1 + n / 2;
        free(to->state);
        free(to->id_store);
        free(to->end_store);
        to->state = xreallocarray(NULL, to->cap, sizeof(*to->state));
        to->id_store = xreallocarray(NULL, to->cap, sizeof(*to->id_store));
        to->end_store = xreallocarray(NULL, to->cap, sizeof(*to->end_store));
    }
    if (e->score_old)
        find_best_old(e, to->text.p, (uint32_t)n, to->state);
    else
        find_best(e, to->text.p, (uint32_t)n, to->state);
    collect(e, to);
    if (e->plain_sentinels)
        to->n_sentinel = count_sentinels(buf_bytes(&to->text));
    return 0;
}

void encoding_piece(const struct encoding *e, const struct vocab *v, size_t i, struct buf *b)
{
    uint32_t from = i ? e->end[i - 1] : 0;

    if (e->id[i] == v->unk)
        buf_add(b, e->text.p + from, e->end[i] - from);
    else
        buf_add(b, v->piece[e->id[i]].p, v->piece[e->id[i]].n);
}

void encoding_release(struct encoding *e)
{
    buf_release(&e->text);
    normal_map_release(&e->map);
    free(e->state);
    free(e->id_store);
    free(e->end_store);
    *e = (struct encoding){ 0 };
}
