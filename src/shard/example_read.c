/* example_read.c - see example.h: rows of example shards, forward or by number. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shard/columns.h"
#include "shard/example.h"
#include "shard/shard.h"

enum { KEEP = 64 << 20 };

struct facts {    // of a segment's header
    struct langs langs;
    int64_t vocab, inputs, targets;
};

struct block {    // one block, checked
    struct columns col;
    uint32_t n_row;
    size_t n_segment, cap_row, cap_segment;
    uint32_t *segments;                        // [n_row] of each row
    uint32_t *input_length, *target_length;    // [n_segment]
    struct start {
        uint32_t segment, input, target;
    } * start;    // [n_row + 1] where each row's begin
};

struct ids_room {    // for the row last returned
    int32_t *id;
    size_t cap;
};

static int read_facts(struct facts *f, const struct shard_header *h, struct err *why)
{
    const char *kind = shard_header_get(h, "kind");

    if (strcmp(kind, "examples") != 0)
        return err_set(why, "a shard of %.100s, not of examples", kind);
    f->vocab = header_vocab(h, why);
    f->inputs = shard_header_int(h, "inputs", -1);
    f->targets = shard_header_int(h, "targets", -1);
    if (f->vocab < 0)
        return -1;
    if (f->inputs < 1 || f->targets < 1)
        return err_set(why, "header: inputs= or targets= is not a number from 1");
    return langs_join(&f->langs, h, why);
}

static void block_release(struct block *k)
{
    free(k->segments);
    free(k->input_length);
    free(k->target_length);
    free(k->start);
}

static size_t block_bytes(const struct block *k)
{
    return k->cap_row * (sizeof(*k->segments) + sizeof(*k->start)) + k->cap_segment * 8;
}

/* Where each row begins; a row longer than the header says is damage. */
static const char *block_starts(struct block *k, const struct facts *f)
{
    struct start at = { 0 };
    uint32_t i, s;

    for (i = 0; i < k->n_row; i++) {
        uint64_t n_input = 0, n_target = 0;

        k->start[i] = at;
        for (s = 0; s < k->segments[i]; s++) {
            n_input += k->input_length[at.segment + s];
            n_target += k->target_length[at.segment + s];
        }
        if (n_input > (uint64_t)f->inputs || n_target > (uint64_t)f->targets)
            return "a row is longer than inputs= or targets= of the header";
        at.segment += k->segments[i];
        at.input += (uint32_t)n_input;
        at.target += (uint32_t)n_target;
    }
    k->start[i] = at;
    return NULL;
}

static void block_room(struct block *k, size_t n_row, size_t n_segment)
{
    if (k->cap_row < n_row + 1) {
        k->cap_row = n_row + 1;
        k->segments = xreallocarray(k->segments, k->cap_row, sizeof(*k->segments));
        k->start = xreallocarray(k->start, k->cap_row, sizeof(*k->start));
    }
    if (k->cap_segment < n_segment + 1) {
        k->cap_segment = n_segment + 1;
        k->input_length = xreallocarray(k->input_length, k->cap_segment, sizeof(uint32_t));
        k->target_length = xreallocarray(k->target_length, k->cap_segment, sizeof(uint32_t));
    }
}

/* The columns are views into payload. NULL, or what is wrong. */
static const char *block_parse(struct block *k, const struct facts *f, struct bytes payload,
                               uint32_t n_row)
{
    const char *trouble = columns_parse(&k->col, payload);
    const struct columns *c = &k->col;
    uint64_t n_segment, n_input, n_target;

    if (!trouble && n_row > payload.n)
        trouble = "more rows than bytes";
    if (trouble)
        return trouble;
    block_room(k, n_row, 0);
    trouble = column_lengths(columns_find(c, COLUMN_SEGMENTS), n_row, k->segments, &n_segment);
    if (!trouble && n_segment > payload.n)
        trouble = "more segments than bytes";
    if (trouble)
        return trouble;
    k->n_row = n_row;
    k->n_segment = (size_t)n_segment;
    block_room(k, n_row, k->n_segment);
    trouble = column_lengths(columns_find(c, COLUMN_INPUT_LENGTH), (uint32_t)n_segment,
                             k->input_length, &n_input);
    if (!trouble)
        trouble = column_lengths(columns_find(c, COLUMN_TARGET_LENGTH), (uint32_t)n_segment,
                                 k->target_length, &n_target);
    if (!trouble)
        trouble = column_check_ids(columns_find(c, COLUMN_INPUT), n_input, f->vocab);
    if (!trouble)
        trouble = column_check_ids(columns_find(c, COLUMN_TARGET), n_target, f->vocab);
    if (!trouble)
        trouble = column_check_records(c, n_row, &f->langs);
    return trouble ? trouble : block_starts(k, f);
}

static void block_row(const struct block *k, uint32_t i, const struct langs *l,
                      struct ids_room *room, struct example_row *row)
{
    const struct start *at = &k->start[i];
    size_t n_input = at[1].input - at->input, n_target = at[1].target - at->target;

    if (room->cap < n_input + n_target + 1) {
        room->cap = 2 * (n_input + n_target) + 1;
        room->id = xreallocarray(room->id, room->cap, sizeof(*room->id));
    }
    column_ids(columns_find(&k->col, COLUMN_INPUT), at->input, n_input, room->id);
    column_ids(columns_find(&k->col, COLUMN_TARGET), at->target, n_target, room->id + n_input);
    *row = (struct example_row){
        .input = room->id,
        .target = room->id + n_input,
        .n_input = n_input,
        .n_target = n_target,
        .segment_input = k->input_length + at->segment,
        .segment_target = k->target_length + at->segment,
        .n_segment = k->segments[i],
        .doc = column_doc(&k->col, i),
        .lang = column_lang(&k->col, i, l),
    };
}

struct example_reader {
    struct shard_reader *in;
    struct facts facts;
    struct block block;
    struct ids_room room;
    uint32_t i, n_row;
};

static int on_segment(struct example_reader *r, struct err *err)
{
    struct err why;

    if (read_facts(&r->facts, shard_reader_header(r->in), &why) < 0)
        return err_set(err, "%s: segment %" PRIu64 ": %s", shard_reader_path(r->in),
                       shard_reader_segment(r->in)->number, why.msg);
    return 0;
}

struct example_reader *example_adopt(struct shard_reader *in, struct err *err)
{
    struct example_reader *r = xcalloc(1, sizeof(*r));

    r->in = in;
    if (on_segment(r, err) < 0) {
        example_close(r);
        return NULL;
    }
    return r;
}

struct example_reader *example_open(const char *path, struct err *err)
{
    struct shard_reader *in = shard_open(path, err);

    return in ? example_adopt(in, err) : NULL;
}

const struct shard_reader *example_shard(const struct example_reader *r)
{
    return r->in;
}

const struct shard_header *example_header(const struct example_reader *r)
{
    return shard_reader_header(r->in);
}

const char *example_lang(const struct example_reader *r, int lang)
{
    return langs_name(&r->facts.langs, lang);
}

int example_step(struct example_reader *r, struct shard_block *b, uint64_t *n_token,
                 struct err *err)
{
    int got = shard_step(r->in, b, err);
    const struct start *all;
    const char *trouble;

    r->i = r->n_row = 0;
    if (got == SHARD_BEGUN && on_segment(r, err) < 0)
        return -1;
    if (got != SHARD_DATA)
        return got;
    trouble = block_parse(&r->block, &r->facts, b->payload, b->n_record);
    if (trouble)
        return shard_damage(r->in, err, trouble);
    all = &r->block.start[b->n_record];
    *n_token = (uint64_t)all->input + all->target;
    shard_count(r->in, *n_token);
    r->n_row = b->n_record;
    return SHARD_DATA;
}

int example_next(struct example_reader *r, struct example_row *row, struct err *err)
{
    while (r->i == r->n_row) {
        struct shard_block b;
        uint64_t n_token;
        int got = example_step(r, &b, &n_token, err);

        if (got <= 0)
            return got;
    }
    block_row(&r->block, r->i++, &r->facts.langs, &r->room, row);
    return 1;
}

int example_resync(struct example_reader *r, uint64_t *skipped, struct err *err)
{
    return shard_resync(r->in, skipped, err);
}

void example_close(struct example_reader *r)
{
    if (!r)
        return;
    shard_close(r->in);
    langs_release(&r->facts.langs);
    block_release(&r->block);
    free(r->room.id);
    free(r);
}

struct kept {                          // a block in memory
    uint64_t number, segment, used;    // used: when last, by the file's clock
    struct block block;
    struct buf payload;
    size_t bytes;
};

struct example_file {
    struct shard_file *in;
    struct facts all;     // languages of all segments
    struct facts *seg;    // of each; names are in all
    struct kept **kept;
    struct kept **of_block;    // where each block is kept, or NULL
    size_t n_kept, bytes, keep;
    uint64_t clock;
    struct ids_room room;
};

static int file_facts(struct example_file *f, const char *path, struct err *err)
{
    uint64_t n = shard_file_segments(f->in), i;
    struct err why;

    f->seg = xcalloc(n, sizeof(*f->seg));
    for (i = 0; i < n; i++) {
        if (read_facts(&f->all, shard_file_segment_header(f->in, i), &why) < 0)
            return err_set(err, "%s: segment %" PRIu64 ": %s", path, i, why.msg);
        f->seg[i] = f->all;
    }
    return 0;
}

struct example_file *example_file_open(const char *path, struct err *err)
{
    struct example_file *f = xcalloc(1, sizeof(*f));

    f->keep = KEEP;
    f->in = shard_file_open(path, err);
    if (!f->in || file_facts(f, path, err) < 0) {
        example_file_close(f);
        return NULL;
    }
    f->of_block = xcalloc(shard_file_blocks(f->in), sizeof(struct kept *));
    return f;
}

void example_file_keep(struct example_file *f, size_t bytes)
{
    f->keep = bytes;
}

const struct shard_header *example_file_header(const struct example_file *f)
{
    return shard_file_header(f->in);
}

uint64_t example_file_rows(const struct example_file *f)
{
    return shard_file_records(f->in);
}

uint64_t example_file_tokens(const struct example_file *f)
{
    return shard_file_tokens(f->in);
}

int example_file_n_lang(const struct example_file *f)
{
    return f->all.langs.n;
}

const char *example_file_lang(const struct example_file *f, int lang)
{
    return langs_name(&f->all.langs, lang);
}

static void kept_free(struct kept *k)
{
    block_release(&k->block);
    buf_release(&k->payload);
    free(k);
}

/* Forget the block that was not used for longest. */
static void forget_one(struct example_file *f)
{
    size_t i, oldest = 0;

    for (i = 1; i < f->n_kept; i++)
        if (f->kept[i]->used < f->kept[oldest]->used)
            oldest = i;
    f->bytes -= f->kept[oldest]->bytes;
    f->of_block[f->kept[oldest]->number] = NULL;
    kept_free(f->kept[oldest]);
    f->kept[oldest] = f->kept[--f->n_kept];
}

/* Block i, from memory or the file; NULL on damage. */
static struct kept *get_block(struct example_file *f, uint64_t i, struct err *err)
{
    struct kept *k = f->of_block[i];
    struct shard_block b;
    const char *trouble;

    if (k)
        return k;
    if (shard_file_block(f->in, i, &b, err) < 0)
        return NULL;
    k = xcalloc(1, sizeof(*k));
    buf_add(&k->payload, b.payload.p, b.payload.n);
    trouble = block_parse(&k->block, &f->seg[b.segment], buf_bytes(&k->payload), b.n_record);
    if (trouble) {
        err_set(err, "%s: byte %" PRIu64 ": segment %" PRIu64 ": %s", shard_file_path(f->in),
                b.file_offset, b.segment, trouble);
        kept_free(k);
        return NULL;
    }
    k->number = i;
    k->segment = b.segment;
    k->bytes = sizeof(*k) + k->payload.cap + block_bytes(&k->block);
    while (f->n_kept > 0 && f->bytes + k->bytes > f->keep)
        forget_one(f);
    f->kept = xreallocarray(f->kept, f->n_kept + 1, sizeof(struct kept *));
    f->kept[f->n_kept++] = f->of_block[i] = k;
    f->bytes += k->bytes;
    return k;
}

int example_file_at(struct example_file *f, uint64_t n, struct example_row *row, struct err *err)
{
    uint64_t first, i;
    struct kept *k;

    if (n >= shard_file_records(f->in))
        return err_set(err, "%s: no row %" PRIu64 ": there are %" PRIu64, shard_file_path(f->in), n,
                       shard_file_records(f->in));
    i = shard_file_find(f->in, n, &first);
    k = get_block(f, i, err);
    if (!k)
        return -1;
    k->used = ++f->clock;
    block_row(&k->block, (uint32_t)(n - first), &f->seg[k->segment].langs, &f->room, row);
    return 0;
}

void example_file_close(struct example_file *f)
{
    if (!f)
        return;
    while (f->n_kept > 0)
        kept_free(f->kept[--f->n_kept]);
    free(f->kept);
    free(f->of_block);
    free(f->seg);
    langs_release(&f->all.langs);
    shard_file_close(f->in);
    free(f->room.id);
    free(f);
}
