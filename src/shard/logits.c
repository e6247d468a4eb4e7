/* logits.c - see logits.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shard/columns.h"
#include "shard/ids.h"
#include "shard/logits.h"
#include "shard/shard_frame.h"

enum { FLOAT = 4, ROW_EXTRA = 64 };    // bytes: of a number; of a row's length and of columns

/* Bytes of a row's columns. */
static uint64_t row_bytes(int64_t vocab, uint64_t n, uint64_t k)
{
    return n * (k * ((uint64_t)column_id_width(vocab) + FLOAT) + FLOAT) + ROW_EXTRA;
}

int64_t logits_most(int64_t vocab, int64_t targets)
{
    int64_t per = SHARD_PAYLOAD_MAX - 2 * ROW_EXTRA - targets * FLOAT;
    int64_t most = per / (targets * (column_id_width(vocab) + FLOAT));

    return most < vocab ? most : vocab;
}

/* Floats as four planes of bytes, low ones first: signs and exponents stand together. */
static void put_floats(struct buf *b, const struct buf *floats)
{
    size_t n = floats->n / FLOAT, i, k;
    unsigned char *p;

    buf_need(b, b->n + n * FLOAT);
    p = b->p + b->n;
    b->n += n * FLOAT;
    for (i = 0; i < n; i++) {
        uint32_t u;

        memcpy(&u, floats->p + i * FLOAT, sizeof(u));
        for (k = 0; k < FLOAT; k++)
            p[k * n + i] = (unsigned char)(u >> 8 * k);
    }
}

struct logits_writer {
    struct shard_writer *out;
    struct logits_facts facts;
    struct buf id, logit, rest;    // of the block: int32_t, float, float
    struct buf length, packed_id, packed_logit, packed_rest, payload;
    uint32_t n_row;
};

static struct shard_header *header_of(const struct logits_facts *f, const char *options)
{
    struct shard_header *h = shard_header_new("logits");

    shard_header_sign(h, options, 0);
    shard_header_set(h, "vocab.size", "%" PRId64, f->vocab);
    if (*f->vocab_sha256)
        shard_header_set(h, "vocab.sha256", "%s", f->vocab_sha256);
    shard_header_set(h, "bits", "%d", 8 * column_id_width(f->vocab));
    shard_header_set(h, "targets", "%" PRId64, f->targets);
    shard_header_set(h, "k", "%" PRId64, f->k);
    shard_header_set(h, "tau", "%.17g", f->tau);
    shard_header_set(h, "group_rows", "%" PRId64, f->group_rows);
    shard_header_set(h, "first", "%" PRId64, f->first);
    shard_header_set(h, "teacher", "%s", f->teacher);
    shard_header_set(h, "mixture", "%s", f->mixture);
    return h;
}

struct logits_writer *logits_create(const char *path, const struct logits_facts *facts,
                                    const char *options, struct err *err)
{
    struct logits_writer *w = xcalloc(1, sizeof(*w));
    struct shard_header *h = header_of(facts, options);

    w->facts = *facts;
    w->out = shard_create(path, h, err);
    shard_header_free(h);
    if (w->out)
        return w;
    logits_abandon(w);
    return NULL;
}

static int flush(struct logits_writer *w, struct err *err)
{
    int width = column_id_width(w->facts.vocab), bad;
    size_t n_target = w->rest.n / FLOAT;
    struct columns c = { .n = 0 };

    if (!w->n_row)
        return 0;
    column_put_ids(&w->packed_id, (const int32_t *)(const void *)w->id.p, w->id.n / sizeof(int32_t),
                   width);
    put_floats(&w->packed_logit, &w->logit);
    put_floats(&w->packed_rest, &w->rest);
    columns_add(&c, COLUMN_LENGTH, 0, &w->length);
    columns_add(&c, COLUMN_ID, width, &w->packed_id);
    columns_add(&c, COLUMN_LOGIT, FLOAT, &w->packed_logit);
    columns_add(&c, COLUMN_REST, FLOAT, &w->packed_rest);
    columns_format(&w->payload, &c);
    bad = shard_write(w->out, buf_bytes(&w->payload), 0, w->n_row, n_target, err);
    w->id.n = w->logit.n = w->rest.n = w->n_row = 0;
    w->length.n = w->packed_id.n = w->packed_logit.n = w->packed_rest.n = w->payload.n = 0;
    return bad;
}

int logits_write(struct logits_writer *w, const struct logits_row *row, struct err *err)
{
    size_t k = (size_t)w->facts.k;
    uint64_t have = row_bytes(w->facts.vocab, w->rest.n / FLOAT, k) + 5 * (uint64_t)w->n_row;

    if (row->n > w->facts.targets)
        return err_set(err, "a row of %" PRIu32 " targets, of %" PRId64, row->n, w->facts.targets);
    if (w->n_row && have + row_bytes(w->facts.vocab, row->n, k) > SHARD_BLOCK && flush(w, err) < 0)
        return -1;
    varint_put(&w->length, row->n);
    buf_add(&w->id, row->id, row->n * k * sizeof(*row->id));
    buf_add(&w->logit, row->logit, row->n * k * FLOAT);
    buf_add(&w->rest, row->rest, row->n * FLOAT);
    w->n_row++;
    return 0;
}

static void release_writer(struct logits_writer *w)
{
    buf_release(&w->id);
    buf_release(&w->logit);
    buf_release(&w->rest);
    buf_release(&w->length);
    buf_release(&w->packed_id);
    buf_release(&w->packed_logit);
    buf_release(&w->packed_rest);
    buf_release(&w->payload);
    free(w);
}

int logits_finish(struct logits_writer *w, struct err *err)
{
    int bad = shard_end(w->out, flush(w, err), err);

    release_writer(w);
    return bad;
}

void logits_abandon(struct logits_writer *w)
{
    if (!w)
        return;
    shard_abandon(w->out);
    release_writer(w);
}
