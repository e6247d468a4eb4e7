/* example.c - writing example shards; see example.h. Reading is in example_read.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shard/columns.h"
#include "shard/example.h"
#include "shard/shard_frame.h"

enum { FIRST_BLOCK = 64 << 10, N_COLUMN = 7 };

struct example_writer {
    struct shard_writer *out;
    struct langs langs;
    int64_t vocab, inputs, targets;
    int width;
    size_t target_size;          // plain bytes at which a block is cut
    struct buf input, target;    // int32_t
    struct origins origins;
    struct buf segments, input_length, target_length, packed_input, packed_target, payload;
};

/* How many ids there are in b. */
static size_t n_of(const struct buf *b)
{
    return b->n / sizeof(int32_t);
}

static int64_t header_length(const struct shard_header *h, const char *key, struct err *err)
{
    int64_t n = shard_header_int(h, key, -1);

    if (n < 1 || n > SHARD_PAYLOAD_MAX / 8)
        return err_set(err, "header: %s= is not a number from 1 to %d", key, SHARD_PAYLOAD_MAX / 8);
    return n;
}

struct example_writer *example_create(const char *path, const struct shard_header *h,
                                      struct err *err)
{
    struct example_writer *w = xcalloc(1, sizeof(*w));
    struct shard_header *own = shard_header_copy(h);

    w->vocab = header_vocab(h, err);
    w->inputs = w->vocab < 0 ? -1 : header_length(h, "inputs", err);
    w->targets = w->inputs < 0 ? -1 : header_length(h, "targets", err);
    if (w->targets < 0 || langs_join(&w->langs, h, err) < 0)
        goto fail;
    w->width = column_id_width(w->vocab);
    w->target_size = FIRST_BLOCK;
    shard_header_set(own, "bits", "%d", 8 * w->width);
    w->out = shard_create(path, own, err);
    if (!w->out)
        goto fail;
    shard_header_free(own);
    return w;

fail:
    shard_header_free(own);
    example_abandon(w);
    return NULL;
}

static void put_ids(struct example_writer *w, struct buf *packed, const struct buf *ids)
{
    column_put_ids(packed, (const int32_t *)(const void *)ids->p, n_of(ids), w->width);
}

static int flush(struct example_writer *w, struct err *err)
{
    size_t n_id = n_of(&w->input) + n_of(&w->target);
    struct columns c = { .n = 0 };
    int bad, flags;

    if (!w->origins.n)
        return 0;
    put_ids(w, &w->packed_input, &w->input);
    put_ids(w, &w->packed_target, &w->target);
    columns_add(&c, COLUMN_SEGMENTS, 0, &w->segments);
    columns_add(&c, COLUMN_INPUT_LENGTH, 0, &w->input_length);
    columns_add(&c, COLUMN_TARGET_LENGTH, 0, &w->target_length);
    columns_add(&c, COLUMN_INPUT, w->width, &w->packed_input);
    columns_add(&c, COLUMN_TARGET, w->width, &w->packed_target);
    flags = origins_columns(&w->origins, &c, &w->langs);
    columns_format(&w->payload, &c);
    bad = shard_write(w->out, buf_bytes(&w->payload), flags, w->origins.n, n_id, err);
    w->segments.n = w->input_length.n = w->target_length.n = 0;
    w->packed_input.n = w->packed_target.n = w->payload.n = w->input.n = w->target.n = 0;
    origins_reset(&w->origins);
    if (w->target_size < SHARD_BLOCK)
        w->target_size *= 2;
    return bad;
}

int example_begin(struct example_writer *w, const struct shard_header *h, struct err *err)
{
    struct shard_header *own = shard_header_copy(h);
    int bad = flush(w, err);

    langs_release(&w->langs);
    w->langs = (struct langs){ 0 };
    shard_header_set(own, "bits", "%d", 8 * w->width);
    if (!bad && langs_join(&w->langs, h, err) < 0)
        bad = -1;
    if (!bad)
        bad = shard_begin(w->out, own, err);
    shard_header_free(own);
    return bad;
}

static int check_ids(const int32_t *id, size_t n, int64_t vocab)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (id[i] < 0 || id[i] >= vocab)
            return -1;
    return 0;
}

static int check_row(const struct example_writer *w, const struct example_row *row, struct err *err)
{
    uint64_t n_input = 0, n_target = 0;
    const char *trouble = NULL;
    size_t i;

    for (i = 0; i < row->n_segment; i++) {
        n_input += row->segment_input[i];
        n_target += row->segment_target[i];
    }
    if (n_input != row->n_input || n_target != row->n_target)
        trouble = "segments do not add up to the row";
    else if (n_input > (uint64_t)w->inputs || n_target > (uint64_t)w->targets)
        trouble = "the row is longer than inputs= or targets= of the header";
    else if (row->n_segment > (size_t)(w->inputs + w->targets))
        trouble = "more segments than ids";
    else if (row->lang < 0 || row->lang >= w->langs.n_map)
        trouble = "its language is not in the header";
    else if (check_ids(row->input, row->n_input, w->vocab) < 0 ||
             check_ids(row->target, row->n_target, w->vocab) < 0)
        trouble = "an id is not below vocab.size";
    return trouble ? err_set(err, "example of document %" PRIu64 ": %s", row->doc, trouble) : 0;
}

static size_t block_size(const struct example_writer *w, const struct example_row *row)
{
    size_t ids = n_of(&w->input) + n_of(&w->target) + row->n_input + row->n_target;
    size_t lengths = w->segments.n + w->input_length.n + w->target_length.n;

    return columns_size(N_COLUMN, ids * (size_t)w->width + lengths + 5 + row->n_segment * 10 +
                                      ((size_t)w->origins.n + 1) * 9);
}

int example_write(struct example_writer *w, const struct example_row *row, struct err *err)
{
    size_t i;

    if (check_row(w, row, err) < 0)
        return -1;
    if (block_size(w, row) > w->target_size && flush(w, err) < 0)
        return -1;
    if (block_size(w, row) > SHARD_PAYLOAD_MAX)
        return err_set(err, "example of document %" PRIu64 ": does not fit into a block", row->doc);
    buf_add(&w->input, row->input, row->n_input * sizeof(*row->input));
    buf_add(&w->target, row->target, row->n_target * sizeof(*row->target));
    varint_put(&w->segments, (uint32_t)row->n_segment);
    for (i = 0; i < row->n_segment; i++) {
        varint_put(&w->input_length, row->segment_input[i]);
        varint_put(&w->target_length, row->segment_target[i]);
    }
    origins_add(&w->origins, row->doc, row->lang);
    return 0;
}

static void release_writer(struct example_writer *w)
{
    langs_release(&w->langs);
    origins_release(&w->origins);
    buf_release(&w->input);
    buf_release(&w->target);
    buf_release(&w->segments);
    buf_release(&w->input_length);
    buf_release(&w->target_length);
    buf_release(&w->packed_input);
    buf_release(&w->packed_target);
    buf_release(&w->payload);
    free(w);
}

int example_finish(struct example_writer *w, struct err *err)
{
    int bad = shard_end(w->out, flush(w, err), err);

    release_writer(w);
    return bad;
}

void example_abandon(struct example_writer *w)
{
    if (!w)
        return;
    shard_abandon(w->out);
    release_writer(w);
}
