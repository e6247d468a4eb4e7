/* ids.c - see ids.h: records to blocks of columns, and back. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shard/columns.h"
#include "shard/ids.h"
#include "shard/shard_frame.h"

enum { FIRST_BLOCK = 64 << 10, N_COLUMN = 4 };

struct ids_writer {
    struct shard_writer *out;
    struct langs langs;
    int64_t vocab;
    int width;
    size_t target;    // plain bytes at which a block is cut
    struct buf id;    // int32_t, of the open block
    struct origins origins;
    struct buf length, packed, payload;
};

struct ids_writer *ids_create(const char *path, const struct shard_header *h, struct err *err)
{
    struct ids_writer *w = xcalloc(1, sizeof(*w));
    struct shard_header *own = shard_header_copy(h);

    w->vocab = header_vocab(h, err);
    if (w->vocab < 0 || langs_join(&w->langs, h, err) < 0)
        goto fail;
    w->width = column_id_width(w->vocab);
    w->target = FIRST_BLOCK;
    shard_header_set(own, "bits", "%d", 8 * w->width);
    w->out = shard_create(path, own, err);
    if (!w->out)
        goto fail;
    shard_header_free(own);
    return w;

fail:
    shard_header_free(own);
    ids_abandon(w);
    return NULL;
}

static size_t block_size(const struct ids_writer *w, size_t more_ids)
{
    size_t n_id = w->id.n / sizeof(int32_t) + more_ids;

    return columns_size(N_COLUMN,
                        w->length.n + n_id * (size_t)w->width + ((size_t)w->origins.n + 1) * 9 + 5);
}

static int flush(struct ids_writer *w, struct err *err)
{
    size_t n_id = w->id.n / sizeof(int32_t);
    struct columns c = { .n = 0 };
    int bad, flags;

    if (!w->origins.n)
        return 0;
    column_put_ids(&w->packed, (const int32_t *)(const void *)w->id.p, n_id, w->width);
    columns_add(&c, COLUMN_LENGTH, 0, &w->length);
    columns_add(&c, COLUMN_ID, w->width, &w->packed);
    flags = origins_columns(&w->origins, &c, &w->langs);
    columns_format(&w->payload, &c);
    bad = shard_write(w->out, buf_bytes(&w->payload), flags, w->origins.n, n_id, err);
    w->length.n = w->packed.n = w->payload.n = w->id.n = 0;
    origins_reset(&w->origins);
    if (w->target < SHARD_BLOCK)
        w->target *= 2;
    return bad;
}

int ids_write(struct ids_writer *w, const struct ids_record *rec, struct err *err)
{
    size_t i;

    if (rec->n > IDS_RECORD_MAX)
        return err_set(err, "document %" PRIu64 ": %zu ids are more than a record holds (%d)",
                       rec->doc, rec->n, IDS_RECORD_MAX);
    if (rec->lang < 0 || rec->lang >= w->langs.n_map)
        return err_set(err, "document %" PRIu64 ": language %d is not in the header", rec->doc,
                       rec->lang);
    for (i = 0; i < rec->n; i++)
        if (rec->id[i] < 0 || rec->id[i] >= w->vocab)
            return err_set(err, "document %" PRIu64 ": id %" PRId32 " is not below vocab.size",
                           rec->doc, rec->id[i]);
    if (block_size(w, rec->n) > w->target && flush(w, err) < 0)
        return -1;
    buf_add(&w->id, rec->id, rec->n * sizeof(*rec->id));
    varint_put(&w->length, (uint32_t)rec->n);
    origins_add(&w->origins, rec->doc, rec->lang);
    return 0;
}

static void release_writer(struct ids_writer *w)
{
    langs_release(&w->langs);
    origins_release(&w->origins);
    buf_release(&w->id);
    buf_release(&w->length);
    buf_release(&w->packed);
    buf_release(&w->payload);
    free(w);
}

int ids_finish(struct ids_writer *w, struct err *err)
{
    int bad = shard_end(w->out, flush(w, err), err);

    release_writer(w);
    return bad;
}

void ids_abandon(struct ids_writer *w)
{
    if (!w)
        return;
    shard_abandon(w->out);
    release_writer(w);
}

struct ids_reader {
    struct shard_reader *in;
    struct langs langs;
    int64_t vocab;
    struct columns col;    // views into the block
    uint32_t *length, i, n_record;
    size_t cap_length, from;    // from: the first id of record i
    int32_t *id;
    size_t cap_id;
};

static int on_segment(struct ids_reader *r, struct err *err)
{
    struct err why = { "" };
    const struct shard_header *h = shard_reader_header(r->in);

    if (strcmp(shard_header_get(h, "kind"), "ids") != 0)
        err_set(&why, "a shard of %.100s, not of ids", shard_header_get(h, "kind"));
    r->vocab = *why.msg ? -1 : header_vocab(h, &why);
    if (r->vocab < 0 || langs_join(&r->langs, h, &why) < 0)
        return err_set(err, "%s: segment %" PRIu64 ": %s", shard_reader_path(r->in),
                       shard_reader_segment(r->in)->number, why.msg);
    return 0;
}

static int on_block(struct ids_reader *r, const struct shard_block *b, uint64_t *n_token,
                    struct err *err)
{
    const char *trouble = columns_parse(&r->col, b->payload);
    uint64_t n_id = 0;

    r->i = r->n_record = 0;
    r->from = 0;
    if (!trouble && b->n_record > b->payload.n)
        trouble = "more records than bytes";
    if (!trouble && r->cap_length < b->n_record) {
        r->cap_length = b->n_record;
        r->length = xreallocarray(r->length, r->cap_length, sizeof(*r->length));
    }
    if (!trouble)
        trouble =
            column_lengths(columns_find(&r->col, COLUMN_LENGTH), b->n_record, r->length, &n_id);
    if (!trouble)
        trouble = column_check_ids(columns_find(&r->col, COLUMN_ID), n_id, r->vocab);
    if (!trouble)
        trouble = column_check_records(&r->col, b->n_record, &r->langs);
    if (trouble)
        return shard_damage(r->in, err, trouble);
    shard_count(r->in, n_id);
    *n_token = n_id;
    r->n_record = b->n_record;
    return SHARD_DATA;
}

int ids_step(struct ids_reader *r, struct shard_block *b, uint64_t *n_token, struct err *err)
{
    int got = shard_step(r->in, b, err);

    r->i = r->n_record = 0;
    if (got == SHARD_BEGUN && on_segment(r, err) < 0)
        return -1;
    return got == SHARD_DATA ? on_block(r, b, n_token, err) : got;
}

struct ids_reader *ids_adopt(struct shard_reader *in, struct err *err)
{
    struct ids_reader *r = xcalloc(1, sizeof(*r));

    r->in = in;
    if (on_segment(r, err) < 0) {
        ids_close(r);
        return NULL;
    }
    return r;
}

struct ids_reader *ids_open(const char *path, struct err *err)
{
    struct shard_reader *in = shard_open(path, err);

    return in ? ids_adopt(in, err) : NULL;
}

const struct shard_reader *ids_shard(const struct ids_reader *r)
{
    return r->in;
}

const struct shard_header *ids_header(const struct ids_reader *r)
{
    return shard_reader_header(r->in);
}

const char *ids_lang(const struct ids_reader *r, int lang)
{
    return langs_name(&r->langs, lang);
}

int ids_next(struct ids_reader *r, struct ids_record *rec, struct err *err)
{
    size_t n;

    while (r->i == r->n_record) {
        struct shard_block b;
        uint64_t n_token;
        int got = ids_step(r, &b, &n_token, err);

        if (got <= 0)
            return got;
    }
    n = r->length[r->i];
    if (n > r->cap_id) {
        r->cap_id = 2 * n;
        r->id = xreallocarray(r->id, r->cap_id, sizeof(*r->id));
    }
    column_ids(columns_find(&r->col, COLUMN_ID), r->from, n, r->id);
    *rec = (struct ids_record){ .id = r->id, .n = n };
    rec->doc = column_doc(&r->col, r->i);
    rec->lang = column_lang(&r->col, r->i, &r->langs);
    r->from += n;
    r->i++;
    return 1;
}

int ids_resync(struct ids_reader *r, uint64_t *skipped, struct err *err)
{
    return shard_resync(r->in, skipped, err);
}

void ids_close(struct ids_reader *r)
{
    if (!r)
        return;
    shard_close(r->in);
    langs_release(&r->langs);
    free(r->length);
    free(r->id);
    free(r);
}
