/* encode.c - see encode.h. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "spm/code.h"
#include "spm/encode.h"
#include "spm/encoder.h"
#include "spm/segment.h"
#include "spm/vocab.h"
#include "text/trie.h"

#define UNKNOWN_PENALTY 10.0f
#define SCORE_MAX 1e25f    // times the longest text, it is a float still

static int is_used(const struct encoder *e, int32_t id)
{
    int type = e->vocab->piece[id].type;

    if (e->option.plain_sentinels && vocab_sentinel(vocab_piece(e->vocab, id)) >= 0)
        return 0;
    if (e->vocab->model_type == VOCAB_UNIGRAM)
        return type == PIECE_NORMAL || type == PIECE_USER_DEFINED;
    return type != PIECE_UNKNOWN && type != PIECE_CONTROL;
}

/* Of a user-defined piece in old arithmetic; high: the greatest score of a normal one. */
static double whole_old(const struct piece *p, float high)
{
    return (double)((float)p->n * high) - 0.1;
}

static void find_scores(struct encoder *e, int old)
{
    const struct vocab *v = e->vocab;
    float low = FLT_MAX, high = FLT_MIN, most = 0;
    size_t n = (size_t)v->n_piece, n_whole = 0;
    int32_t id;

    e->old = old;
    *e->score++ = -INFINITY;
    for (id = 0; id < v->n_piece; id++) {
        float score = v->piece[id].score;
        int normal = v->piece[id].type == PIECE_NORMAL;

        low = normal && score < low ? score : low;
        high = normal && score > high ? score : high;
        most = fabsf(score) > most ? fabsf(score) : most;
        n_whole += v->piece[id].type == PIECE_USER_DEFINED;
        e->score[id] = score;
    }
    e->unknown_score = low - UNKNOWN_PENALTY;
    e->score_most = fmaxf(most, fabsf(e->unknown_score));
    if (!n_whole)
        return;
    e->score_old = old ? xreallocarray(NULL, n, sizeof(*e->score_old)) : NULL;
    for (id = 0; id < v->n_piece; id++) {
        const struct piece *p = &v->piece[id];

        if (p->type == PIECE_USER_DEFINED)
            e->score[id] = (float)(0.1 * (p->n - 1));
        e->score_most = fmaxf(e->score_most, fabsf(e->score[id]));
        if (!old)
            continue;
        e->score_old[id] = p->type == PIECE_USER_DEFINED ? whole_old(p, high) : (double)p->score;
        e->score_most = fmaxf(e->score_most, (float)fabs(e->score_old[id]));
    }
}

/* May the text be cut into parts, each of which becomes the same as within the whole? For a unigram
 * model that takes its pieces in codes. */
static int choose_lane(struct encoder *e, const struct encode_option *o, struct code_keys *keys)
{
    const struct vocab *v = e->vocab;

    if (o->plain || o->draw || o->many || !normal_is_sound(e->normal))
        return 0;
    if (v->model_type == VOCAB_UNIGRAM)
        return e->score_most <= SCORE_MAX && codes_init(&e->codes, keys, v, e->used) == 0;
    if (v->model_type != VOCAB_BPE || e->any_unused)
        return 0;
    cuts_init(&e->cuts, v, e->used);
    return e->cuts.on;
}

/* Forget what was built with other options. */
static void clear(struct encoder *e)
{
    normal_free(e->normal);
    e->normal = NULL;
    cuts_release(&e->cuts);
    codes_release(&e->codes);
    walk_release(&e->walk);
    trie_release(&e->trie);
}

/* The tables for what is used, and the normaliser, which leaves user-defined pieces alone. */
static int build(struct encoder *e, const struct encode_option *o, struct err *err)
{
    const struct vocab *v = e->vocab;
    size_t n_piece = (size_t)v->n_piece, n = 0;
    size_t room = n_piece * (sizeof(struct bytes) + sizeof(uint32_t));
    struct bytes *key = mem_map(room);
    uint32_t *number = (uint32_t *)(void *)(key + n_piece);
    struct code_keys keys = { 0 };
    int bad = -1;
    int32_t id;

    clear(e);
    for (id = 0; id < v->n_piece; id++) {
        e->used[id] = (unsigned char)is_used(e, id);
        e->any_unused |= v->piece[id].type == PIECE_UNUSED;
        if (!e->used[id] || v->piece[id].type != PIECE_USER_DEFINED)
            continue;
        key[n] = vocab_piece(v, id);
        number[n++] = (uint32_t)id;
    }
    e->normal = normal_new(&v->normal, key, n, err);
    if (!e->normal)
        goto done;
    e->in_parts = choose_lane(e, o, &keys);
    if (keys.room) {
        bad = trie_build_wide(&e->walk.trie, &keys.keys, 0, err);
        walk_init(&e->walk, e);
        goto done;
    }
    if (v->model_type == VOCAB_UNIGRAM)
        for (id = 0, n = 0; id < v->n_piece; id++)
            if (e->used[id]) {
                key[n] = vocab_piece(v, id);
                number[n++] = (uint32_t)id;
            }
    bad = trie_build(&e->trie, key, number, n, err);

done:
    code_keys_release(&keys);
    mem_unmap(key, room);
    return bad;
}

int32_t encoder_find(const struct encoder *e, struct bytes piece)
{
    int32_t id = vocab_find(e->vocab, piece);

    return id >= 0 && e->used[id] ? id : -1;
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
            !(e->score && total(e, buf_bytes(&got)) == total(e, s.expected)))
            bad = err_set(err, "%s: the model's own sample %zu comes out different", e->vocab->name,
                          i + 1);
    }
    encoding_release(&enc);
    buf_release(&got);
    return bad;
}

static int can_do(const struct vocab *v, const struct encode_option *o, struct err *err)
{
    static const char *const types[] = { "", "unigram", "BPE", "word", "char" };

    if (!o->draw || v->model_type == VOCAB_UNIGRAM || (v->model_type == VOCAB_BPE && !o->n_best))
        return 0;
    return err_set(err, "%s: a %s model: it %s", v->name, types[v->model_type],
                   v->model_type == VOCAB_BPE ? "has no n best ways to encode a text"
                                              : "leaves nothing to chance");
}

/* All that is by id, in one block. */
static void tables_new(struct encoder *e)
{
    size_t n = (size_t)e->vocab->n_piece;

    e->table_size = whole_pages((n + 1) * sizeof(*e->score) + n * (sizeof(*e->n_byte) + 1));
    e->table = mem_map(e->table_size);
    e->n_byte = (uint16_t *)(void *)((float *)e->table + n + 1);
    e->used = (unsigned char *)(e->n_byte + n);
    e->score = e->vocab->model_type == VOCAB_UNIGRAM ? e->table : NULL;
}

struct encoder *encoder_new(const struct vocab *v, const struct encode_option *o, struct err *err)
{
    struct encoder *e;
    int32_t id;

    if (can_do(v, o, err))
        return NULL;
    e = xcalloc(1, sizeof(*e));
    e->vocab = v;
    tables_new(e);
    for (id = 0; id < v->n_piece; id++)
        e->n_byte[id] = v->piece[id].type == PIECE_BYTE ? 1 : (uint16_t)v->piece[id].n;
    if (e->score)
        find_scores(e, o->old);
    if (v->n_sample) {    // they know nothing of the options
        if (build(e, o, err) || run_samples(e, err))
            goto fail;
    }
    e->option = *o;
    if ((!v->n_sample || (o->plain_sentinels && v->sentinel0 >= 0)) && build(e, o, err))
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
    cuts_release(&e->cuts);
    mem_unmap(e->table, e->table_size);
    free(e->score_old);
    walk_release(&e->walk);
    codes_release(&e->codes);
    free(e);
}

static size_t count_sentinels(struct bytes t)
{
    static const char mark[] = "<extra_id_";
    const unsigned char *p = t.p, *end = bytes_end(t), *q;
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

static void put_one(struct encoding *to, int32_t id, uint32_t n)
{
    to->id_store[to->n] = id;
    to->end_store[to->n++] = to->work->at += n;
}

void encoding_put(const struct encoder *e, struct encoding *to, int32_t piece, uint32_t n)
{
    const struct vocab *v = e->vocab;
    int after_unknown = to->work->last_unknown;
    uint32_t from = to->work->at, i;

    to->work->last_unknown = piece < 0;
    if (piece >= 0)
        put_one(to, piece, n);
    else if (v->byte_fallback)
        for (i = 0; i < n; i++)
            put_one(to, v->byte[to->text.p[from + i]], 1);
    else if (after_unknown)    // a run of unknowns is one
        to->end_store[to->n - 1] = to->work->at += n;
    else
        put_one(to, v->unk, n);
}

void work_need(struct encode_work *w, size_t n)
{
    if (n + 1 <= w->cap)
        return;
    w->cap = n + 1 + n / 2;
    free(w->way);
    free(w->back);
    w->way = xreallocarray(NULL, w->cap, sizeof(*w->way));
    w->back = xreallocarray(NULL, w->cap, sizeof(*w->back));
}

/* The same for parts.c. */
static void parts_need(const struct encoder *e, struct encode_work *w, size_t n)
{
    if (!w->memo)
        w->memo = memo_new();
    if (!e->score)
        return;
    walk_need(&w->ways, n);
    if (n + WALK_SPARE > w->cap_code) {
        w->cap_code = n + WALK_SPARE + n / 2;
        free(w->code);
        w->code = xreallocarray(NULL, w->cap_code, sizeof(*w->code));
    }
}

/* Normalise the text and forget the ids of the last one. */
static int begin(const struct encoder *e, struct encoding *to, struct bytes text, struct err *err)
{
    to->n = to->n_sentinel = to->n_cut = 0;
    if (normal_run_count(e->normal, text, &to->text, to->want_map ? &to->map : NULL, &to->n_invalid,
                         err))
        return -1;
    if (!to->work)
        to->work = xcalloc(1, sizeof(*to->work));
    to->work->last_unknown = 0;
    to->work->at = 0;
    if (to->text.n + MEMO_ID_HEAD > to->cap) {    // to spare, for copies of one size
        to->cap = to->text.n + MEMO_ID_HEAD + to->text.n / 2;
        free(to->id_store);
        free(to->end_store);
        to->id_store = xreallocarray(NULL, to->cap, sizeof(*to->id_store));
        to->end_store = xreallocarray(NULL, to->cap, sizeof(*to->end_store));
    }
    buf_need(&to->text, to->text.n + (size_t)8 * MEMO_HEAD);
    to->id = to->id_store;
    to->end = to->end_store;
    if (e->option.plain_sentinels)
        to->n_sentinel = count_sentinels(buf_bytes(&to->text));
    return 0;
}

static void run_drawn(const struct encoder *e, struct encoding *to, struct bytes text)
{
    uint64_t key = rng_key(to->seed, "spm-encode"), place = hash_xx64(text.p, text.n, 0);
    size_t n;

    to->work->draw = rng_at(key, place);
    if (e->vocab->model_type == VOCAB_BPE)
        bpe_run(e, to);
    else if (!e->option.n_best)
        lattice_draw(e, to);
    else if ((n = lattice_best(e, to, (size_t)e->option.n_best)) > 0)
        lattice_put(e, to, lattice_draw_best(e, to, n));
    else
        unigram_run(e, to);
}

int encoder_run(const struct encoder *e, struct encoding *to, struct bytes text, struct err *err)
{
    if (begin(e, to, text, err))
        return -1;
    if (e->in_parts) {
        parts_need(e, to->work, to->text.n);
        parts_run(e, to);
    } else if (e->option.draw)
        run_drawn(e, to, text);
    else if (e->vocab->model_type == VOCAB_UNIGRAM)
        unigram_run(e, to);
    else if (e->vocab->model_type == VOCAB_BPE)
        bpe_run(e, to);
    else if (e->vocab->model_type == VOCAB_WORD)
        word_run(e, to);
    else
        char_run(e, to);
    return 0;
}

int encoder_best(const struct encoder *e, struct encoding *to, struct bytes text, size_t n,
                 size_t *n_found, struct err *err)
{
    assert(e->option.many);
    if (e->vocab->model_type != VOCAB_UNIGRAM)
        return err_set(err, "%s: not a unigram model: it has one way to encode a text",
                       e->vocab->name);
    if (begin(e, to, text, err))
        return -1;
    *n_found = lattice_best(e, to, n);
    to->work->by_rank = *n_found > 0;
    if (!*n_found) {
        unigram_run(e, to);
        *n_found = 1;
    }
    return 0;
}

float encoding_best(const struct encoder *e, struct encoding *to, size_t i)
{
    const struct vocab *v = e->vocab;
    uint32_t from = 0;
    float sum = 0;
    size_t k;

    if (to->work->by_rank) {
        to->n = 0;
        to->work->last_unknown = 0;
        to->work->at = 0;
        lattice_put(e, to, i);
        return lattice_score(to->work->lattice, i);
    }
    for (k = 0; k < to->n; from = to->end[k++])    // too long for a lattice: what is there
        if (to->id[k] != v->unk && v->piece[to->id[k]].type != PIECE_BYTE)
            sum += e->score[to->id[k]];
        else
            for (; from < to->end[k]; from++)
                sum += (to->text.p[from] & 0xC0) == 0x80 ? 0 : e->unknown_score;
    return sum;
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
    free(e->id_store);
    free(e->end_store);
    if (e->work) {
        free(e->work->way);
        free(e->work->back);
        free(e->work->code);
        walk_ways_release(&e->work->ways);
        bpe_free(e->work->bpe);
        lattice_free(e->work->lattice);
        memo_free(e->work->memo);
    }
    free(e->work);
    *e = (struct encoding){ 0 };
}
