/* denoise.c - see denoise.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "seq/denoise.h"
#include "seq/tile.h"
#include "shard/example.h"

struct lane {             // one language
    int32_t *id;          // [longest piece] of the one that is filling; NULL until it is needed
    int kind;             // what will become of it
    struct tile tile;     // how long it will be; with tiles, also where it goes
    uint32_t n, n_doc;    // ids in it; documents joined so far
    uint64_t doc;         // where its first id came from
    uint64_t offset;
    struct denoise_count count;
};

struct denoise {
    struct denoise_rule rule;
    struct packer_sink sink;
    struct packer *packer;
    struct tile_rule tiles;
    uint32_t longest;    // piece of any kind
    struct denoise_count count;
    uint64_t key_noise, key_chunk, key_kind;
    struct lane *lane;    // [n_lang], as many as were needed so far
    int n_lang;
    int32_t *input, *target;    // the example just made
    struct span_mask mask;
};

static int put_row(void *to, const struct example_row *row, struct err *err)
{
    struct denoise *d = to;
    struct denoise_count *of = &d->lane[row->lang].count;

    d->count.n_row++;
    d->count.n_input += row->n_input;
    d->count.n_target += row->n_target;
    of->n_row++;
    of->n_input += row->n_input;
    of->n_target += row->n_target;
    return d->sink.put(d->sink.to, row, err);
}

struct denoise *denoise_new(const struct denoise_rule *rule, struct packer_sink sink)
{
    struct denoise *d = xcalloc(1, sizeof(*d));
    const struct packer_rule rows = { rule->inputs, rule->targets, rule->fit, rule->n_open };
    int i;

    assert(rule->n_kind > 0 && rule->n_kind <= DENOISER_MAX);
    d->rule = *rule;
    for (i = 0; i < rule->n_kind; i++) {
        assert(rule->kind[i].piece > 0 && rule->kind[i].piece <= SPAN_PIECE_MAX);
        if (rule->kind[i].piece > d->longest)
            d->longest = rule->kind[i].piece;
    }
    d->sink = sink;
    d->key_noise = rng_key(rule->seed, "noise");
    d->key_chunk = rng_key(rule->seed, "chunk");
    d->key_kind = rng_key(rule->seed, "denoiser");
    d->input = xreallocarray(NULL, rule->inputs, sizeof(*d->input));
    d->target = xreallocarray(NULL, rule->targets, sizeof(*d->target));
    tile_init(&d->tiles, d->rule.kind, rule->n_kind, rule->inputs, rule->targets, rule->n_open);
    d->packer = packer_new(&rows, (struct packer_sink){ put_row, d });
    return d;
}

static struct lane *lane_of(struct denoise *d, int lang)
{
    struct lane *lane;

    assert(lang >= 0);
    if (lang >= d->n_lang) {
        d->lane = xreallocarray(d->lane, (size_t)lang + 1, sizeof(*d->lane));
        memset(d->lane + d->n_lang, 0, (size_t)(lang + 1 - d->n_lang) * sizeof(*d->lane));
        d->n_lang = lang + 1;
    }
    lane = &d->lane[lang];
    if (!lane->id)
        lane->id = xreallocarray(NULL, d->longest, sizeof(*lane->id));
    return lane;
}

/* The ids of the lane from `from` on, n of them, to d->input and d->target. Of a pair's second
 * half, as long as the first, the split is the first one's, mirrored. */
static void corrupt(struct denoise *d, const struct lane *lane, uint32_t from, uint32_t n,
                    struct example_row *row)
{
    const struct denoiser *k = &d->rule.kind[lane->kind];
    struct rng rng = rng_at(rng_u64(d->key_noise, d->rule.epoch, lane->doc), lane->offset);
    const int32_t *id = lane->id + from;
    size_t mode = k->mode != 0;
    uint32_t split;

    if (mode)
        d->input[0] = k->mode;
    if (k->prefix) {
        split = denoiser_split(n, &rng);
        if (from == n)
            split = n - split;
        memcpy(d->input + mode, id, split * sizeof(*id));
        memcpy(d->target, id + split, (n - split) * sizeof(*id));
        d->input[mode + split] = d->target[n - split] = k->span.eos;
        row->n_input = split + 1;
        row->n_target = n - split + 1;
    } else {
        span_draw(&k->span, n, &rng, &d->mask);
        span_apply(&k->span, id, &d->mask, d->input + mode, &row->n_input, d->target,
                   &row->n_target);
    }
    row->n_input += mode;
}

/* Ids of the lane become an example, and that a row or a part of one. whole: of a whole piece; a
 * tile's row then closes when less room than that is left. */
static int end_example(struct denoise *d, int lang, uint32_t from, uint32_t n, int whole,
                       struct err *err)
{
    struct lane *lane = &d->lane[lang];
    uint32_t n_input, n_target;
    struct example_row row = { .input = d->input, .target = d->target, .n_segment = 1 };
    struct packer *p = d->packer;

    corrupt(d, lane, from, n, &row);
    d->count.n_example++;
    d->count.n_kind[lane->kind]++;
    lane->count.n_example++;
    lane->count.n_kind[lane->kind]++;
    row.doc = lane->doc;
    if (d->rule.tiles && whole)
        return packer_put(p, lang, lane->tile.row, &row, lane->tile.mark, (size_t)whole, err);
    if (!d->rule.whole_alone || !whole)
        return packer_add(p, lang, row.input, row.n_input, row.target, row.n_target, row.doc, err);
    n_input = (uint32_t)row.n_input;
    n_target = (uint32_t)row.n_target;
    row.segment_input = &n_input;
    row.segment_target = &n_target;
    row.lang = lang;
    return put_row(d, &row, err);
}

/* The piece of the lane ends: one example, or of a pair two, which go to the same row. */
static int end_piece(struct denoise *d, int lang, struct err *err)
{
    struct lane *lane = &d->lane[lang];
    struct tile *tile = &lane->tile;
    uint32_t n = lane->n, half = n / 2;
    int whole = n == tile->n, is_new = tile->row == packer_n_open(d->packer, lang);

    lane->n = 0;
    if (n == 0)
        return 0;
    if (!d->rule.kind[lane->kind].pair || n < 4)
        return end_example(d, lang, 0, n, whole ? TILE_LEAST : 0, err);
    if (end_example(d, lang, 0, half, whole, err))
        return -1;
    if (is_new)
        tile->row = packer_n_open(d->packer, lang) - 1;
    return end_example(d, lang, half, n - half, whole ? TILE_LEAST : 0, err);
}

/* Copies what is not 0; returns how many. */
static uint32_t copy_ids(int32_t *to, const int32_t *from, size_t n)
{
    uint32_t kept = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        to[kept] = from[i];
        kept += from[i] != 0;
    }
    return kept;
}

/* A piece begins at a place in a document, which decides what will become of it. */
static void begin_piece(struct denoise *d, int lang, uint64_t doc, uint64_t offset)
{
    struct lane *lane = &d->lane[lang];

    lane->doc = doc;
    lane->offset = offset;
    if (d->rule.n_kind > 1)
        lane->kind =
            denoiser_pick(d->rule.kind, d->rule.n_kind,
                          rng_uniform(rng_u64(d->key_kind, d->rule.epoch, doc), offset, 0));
    if (d->rule.tiles)
        lane->tile = tile_choose(&d->tiles, d->packer, lang, lane->kind);
    else
        lane->tile.n = d->rule.kind[lane->kind].piece;
}

/* Ids begin .. end - 1 of a document go to the lane; full pieces leave it. */
static int join(struct denoise *d, int lang, uint64_t doc, const int32_t *id, size_t begin,
                size_t end, struct err *err)
{
    struct lane *lane = &d->lane[lang];
    size_t i = begin;

    while (i < end) {
        size_t room, take;
        uint32_t piece, kept;

        if (lane->n == 0) {
            if (id[i] == 0) {    // so that offset is that of an id that stays
                d->count.n_zero++;
                i++;
                continue;
            }
            begin_piece(d, lang, doc, i);
        }
        piece = lane->tile.n;
        room = piece - lane->n;
        take = end - i < room ? end - i : room;
        kept = copy_ids(lane->id + lane->n, id + i, take);
        d->count.n_zero += take - kept;
        lane->n += kept;
        i += take;
        if (lane->n == piece && end_piece(d, lang, err))
            return -1;
    }
    return 0;
}

int denoise_add(struct denoise *d, int lang, uint64_t doc, const int32_t *id, size_t n,
                struct err *err)
{
    struct lane *lane = lane_of(d, lang);
    size_t begin = 0, end = n;

    d->count.n_doc++;
    d->count.n_id += n;
    lane->count.n_doc++;
    lane->count.n_id += n;
    if (n == 0) {
        d->count.n_empty++;
        lane->count.n_empty++;
        return 0;
    }
    if (n > DENOISE_CHUNK) {
        size_t n_chunk = (n + DENOISE_CHUNK - 1) / DENOISE_CHUNK;
        struct rng rng = rng_at(rng_u64(d->key_chunk, d->rule.epoch, doc), 0);

        begin = rng_below(&rng, n_chunk) * DENOISE_CHUNK;
        end = n - begin > DENOISE_CHUNK ? begin + DENOISE_CHUNK : n;
        d->count.n_chunked++;
        d->count.n_cut += n - (end - begin);
        lane->count.n_chunked++;
        lane->count.n_cut += n - (end - begin);
    }
    if (join(d, lang, doc, id, begin, end, err))
        return -1;
    if (!d->rule.tiles && ++lane->n_doc == DENOISE_JOIN) {
        lane->n_doc = 0;
        if (end_piece(d, lang, err))
            return -1;
    }
    return 1;
}

int denoise_end(struct denoise *d, struct err *err)
{
    int lang;

    for (lang = 0; lang < d->n_lang; lang++) {
        if (!d->lane[lang].id)
            continue;
        d->lane[lang].n_doc = 0;
        if (end_piece(d, lang, err) || packer_end_lang(d->packer, lang, err))
            return -1;
    }
    return 0;
}

const struct denoise_count *denoise_counts(const struct denoise *d)
{
    return &d->count;
}

const struct denoise_count *denoise_counts_of(const struct denoise *d, int lang)
{
    return lang < d->n_lang && d->lane[lang].id ? &d->lane[lang].count : NULL;
}

void denoise_free(struct denoise *d)
{
    int lang;

    if (!d)
        return;
    for (lang = 0; lang < d->n_lang; lang++)
        free(d->lane[lang].id);
    packer_free(d->packer);
    free(d->lane);
    free(d->input);
    free(d->target);
    free(d);
}
