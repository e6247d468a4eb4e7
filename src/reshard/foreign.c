/* foreign.c - Megatron's and llm.c's files; see foreign.h. Numbers are little-endian. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/out.h"
#include "io/stream.h"
#include "reshard/foreign.h"
#include "reshard/import.h"
#include "reshard/rewrite.h"
#include "shard/ids.h"
#include "shard/shard.h"

enum { MEGATRON_INT32 = 4, MEGATRON_UINT16 = 8, MEGATRON_U16_VOCAB = 65500 };
enum { LLMC_HEADER = 256, LLMC_MAGIC = 20240520, LLMC_MAGIC32 = 20240801, LLMC_VERSION32 = 7 };

static const unsigned char idx_magic[9] = "MMIDIDX\0";

static void put_le(unsigned char *p, uint64_t x, int n)
{
    int i;

    for (i = 0; i < n; i++)
        p[i] = (unsigned char)(x >> 8 * i);
}

static uint64_t get_le(const unsigned char *p, int n)
{
    uint64_t x = 0;
    int i;

    for (i = n; i-- > 0;)
        x = x << 8 | p[i];
    return x;
}

static int write_le(struct out *o, uint64_t x, int n, struct err *err)
{
    unsigned char p[8];

    put_le(p, x, n);
    return out_write(o, p, (size_t)n, err);
}

struct writing {
    struct out *out;
    int width;         // bytes of an id
    int32_t eos;       // -1: none is added
    uint64_t at, n;    // bytes, records
    struct buf buf;
};

static int put_ids(void *ctx, const struct record *rec, struct err *err)
{
    struct writing *w = ctx;
    size_t i, n = rec->row.n_input;

    if (rec->has_target)
        return err_set(err, "a row of examples: this format holds documents");
    buf_need(&w->buf, (n + 1) * 4);
    for (i = 0; i < n; i++)
        put_le(w->buf.p + i * (size_t)w->width, (uint32_t)rec->row.input[i], w->width);
    if (w->eos >= 0)
        put_le(w->buf.p + n++ * (size_t)w->width, (uint32_t)w->eos, w->width);
    return out_write(w->out, w->buf.p, n * (size_t)w->width, err);
}

static int put_length(void *ctx, const struct record *rec, struct err *err)
{
    struct writing *w = ctx;

    return write_le(w->out, rec->row.n_input, 4, err);
}

static int put_offset(void *ctx, const struct record *rec, struct err *err)
{
    struct writing *w = ctx;
    uint64_t at = w->at;

    w->at += rec->row.n_input * (uint64_t)w->width;
    return write_le(w->out, at, 8, err);
}

static int close_or_abandon(struct out *o, int bad, struct err *err)
{
    if (!bad)
        return out_close(o, err);
    out_abandon(o);
    return -1;
}

static int write_idx(char *const *path, const char *prefix, int width, uint64_t records,
                     struct err *err)
{
    char *name = xasprintf("%s.idx", prefix);
    struct writing w = { .out = out_open(name, err), .width = width };
    uint64_t i;
    int bad = w.out ? 0 : -1;

    bad = bad || out_write(w.out, idx_magic, sizeof(idx_magic), err) < 0 ||
          write_le(w.out, 1, 8, err) < 0 ||
          write_le(w.out, width == 2 ? MEGATRON_UINT16 : MEGATRON_INT32, 1, err) < 0 ||
          write_le(w.out, records, 8, err) < 0 || write_le(w.out, records + 1, 8, err) < 0 ||
          rewrite_each(path, put_length, &w, err) || rewrite_each(path, put_offset, &w, err);
    for (i = 0; !bad && i <= records; i++)
        bad = write_le(w.out, i, 8, err) < 0;
    free(name);
    return w.out ? close_or_abandon(w.out, bad, err) : -1;
}

int export_megatron(char *const *path, const char *prefix, struct err *err)
{
    char *name = xasprintf("%s.bin", prefix);
    struct writing w = { .eos = -1 };
    uint64_t records;
    struct shard_header *h = rewrite_header(path, 0, &records, err);
    int bad = h && (w.out = out_open(name, err)) ? 0 : -1;

    if (!bad) {
        w.width = shard_header_int(h, "vocab.size", INT32_MAX) < MEGATRON_U16_VOCAB ? 2 : 4;
        bad = rewrite_each(path, put_ids, &w, err);
        bad = close_or_abandon(w.out, bad, err);
    }
    if (!bad && (bad = write_idx(path, prefix, w.width, records, err)))
        remove(name);
    buf_release(&w.buf);
    shard_header_free(h);
    free(name);
    return bad ? -1 : 0;
}

int export_llmc(char *const *path, const char *to, struct err *err)
{
    unsigned char head[4 * LLMC_HEADER] = { 0 };
    struct writing w = { .eos = -1 };
    struct record_sum sum = { 0 };
    uint64_t records, tokens;
    struct shard_header *h = rewrite_header(path, 0, &records, err);
    int bad = h ? 0 : -1;

    bad = bad || rewrite_each(path, import_count, &sum, err);
    tokens = sum.tokens + records;
    if (!bad) {
        w.eos = (int32_t)shard_header_int(h, "eos", -1);
        w.width = shard_header_int(h, "vocab.size", INT32_MAX) <= 65536 ? 2 : 4;
        if (w.eos < 0)
            bad = err_set(err, "%s: no eos= in the header to end documents with", *path);
        else if (tokens > INT32_MAX)
            bad =
                err_set(err, "%" PRIu64 " ids are more than an llm.c file holds: split it", tokens);
    }
    put_le(head, w.width == 2 ? LLMC_MAGIC : LLMC_MAGIC32, 4);
    put_le(head + 4, w.width == 2 ? 1 : LLMC_VERSION32, 4);
    put_le(head + 8, tokens, 4);
    if (!bad && (w.out = out_open(to, err))) {
        bad = out_write(w.out, head, sizeof(head), err) < 0 || rewrite_each(path, put_ids, &w, err);
        bad = close_or_abandon(w.out, bad, err);
    } else {
        bad = -1;
    }
    buf_release(&w.buf);
    shard_header_free(h);
    return bad;
}

/* Importing. */

static int read_ids(struct stream *s, int width, int32_t *id, size_t n, struct err *err)
{
    unsigned char chunk[4096];
    size_t i, k, per = sizeof(chunk) / (size_t)width;

    for (i = 0; i < n; i += k) {
        size_t j;

        k = n - i < per ? n - i : per;
        if (stream_read_all(s, chunk, k * (size_t)width, err) != 1)
            return -1;
        for (j = 0; j < k; j++)
            id[i + j] = (int32_t)get_le(chunk + j * (size_t)width, width);
    }
    return 0;
}

struct idx {
    unsigned char *p;
    size_t n;
    int width;
    uint64_t n_sequence, n_document;
    const unsigned char *length, *offset, *document;
};

static int bad_idx(const char *name, const char *what, struct err *err)
{
    return err_set(err, "%s: %s", name, what);
}

/* The whole index is read: it is 20 bytes a document. */
static int open_idx(struct idx *x, const char *name, struct err *err)
{
    struct stream *s = stream_open(name, err);
    struct buf b = { 0 };
    ssize_t got = -1;
    uint64_t need;

    *x = (struct idx){ 0 };
    while (s) {
        buf_need(&b, b.n + (1 << 20));
        if ((got = stream_read(s, b.p + b.n, 1 << 20, err)) <= 0)
            break;
        b.n += (size_t)got;
    }
    stream_close(s);
    x->p = b.p;
    x->n = b.n;
    if (got < 0)
        return -1;
    if (b.n < 34 || memcmp(b.p, idx_magic, 9) != 0 || get_le(b.p + 9, 8) != 1)
        return bad_idx(name, "no index of Megatron's (MMIDIDX, version 1)", err);
    x->width = b.p[17] == MEGATRON_UINT16 ? 2 : b.p[17] == MEGATRON_INT32 ? 4 : 0;
    x->n_sequence = get_le(b.p + 18, 8);
    x->n_document = get_le(b.p + 26, 8);
    if (!x->width)
        return bad_idx(name, "ids are neither uint16 nor int32", err);
    if (x->n_sequence > b.n || x->n_document > b.n || x->n_document < 1)
        return bad_idx(name, "counts are more than the file has room for", err);
    need = 34 + 12 * x->n_sequence + 8 * x->n_document;
    if (need > b.n)
        return bad_idx(name, "cut short", err);
    x->length = b.p + 34;
    x->offset = x->length + 4 * x->n_sequence;
    x->document = x->offset + 8 * x->n_sequence;
    return 0;
}

/* Sequences from a to b, which lie one after the other in .bin, as one record. */
static int import_document(const struct idx *x, uint64_t a, uint64_t b, struct stream *s,
                           uint64_t *at, struct import *to, struct err *err)
{
    uint64_t n = 0, i;

    for (i = a; i < b; i++) {
        if (get_le(x->offset + 8 * i, 8) != *at + n * (uint64_t)x->width)
            return err_set(err, "sequence %" PRIu64 ": does not follow the one before", i);
        n += get_le(x->length + 4 * i, 4);
        if (n > IDS_RECORD_MAX)
            return err_set(err, "sequence %" PRIu64 ": a document of more than %d ids", i,
                           IDS_RECORD_MAX);
    }
    import_room(to, (size_t)n);
    if (read_ids(s, x->width, to->id, (size_t)n, err) < 0)
        return -1;
    *at += n * (uint64_t)x->width;
    return import_put(to, (size_t)n, err);
}

int import_megatron(const char *prefix, const char *to, const struct import_plan *plan,
                    struct err *err)
{
    char *bin = xasprintf("%s.bin", prefix), *name = xasprintf("%s.idx", prefix);
    struct idx x;
    struct import im = { 0 };
    struct stream *s = NULL;
    uint64_t at = 0, d;
    int bad = open_idx(&x, name, err);

    bad = bad || !(s = stream_open(bin, err)) || import_open(&im, to, plan, err);
    for (d = 0; !bad && d + 1 < x.n_document; d++) {
        uint64_t a = get_le(x.document + 8 * d, 8), b = get_le(x.document + 8 * d + 8, 8);

        if (a > b || b > x.n_sequence)
            bad = err_set(err, "%s: document %" PRIu64 ": has no sequences", name, d);
        else
            bad = import_document(&x, a, b, s, &at, &im, err);
    }
    stream_close(s);
    free(x.p);
    free(bin);
    free(name);
    return import_close(&im, bad, err);
}

int import_llmc(const char *from, const char *to, const struct import_plan *plan, struct err *err)
{
    struct stream *s = stream_open(from, err);
    unsigned char head[4 * LLMC_HEADER];
    struct import im = { 0 };
    uint64_t tokens = 0, magic = 0;
    size_t n = 0;
    int width = 2, bad = s && stream_read_all(s, head, sizeof(head), err) == 1 ? 0 : -1;

    if (!bad) {
        magic = get_le(head, 4);
        tokens = get_le(head + 8, 4);
        width = magic == LLMC_MAGIC32 ? 4 : 2;
        if (magic != LLMC_MAGIC && magic != LLMC_MAGIC32)
            bad = err_set(err, "%s: no tokens of llm.c (magic %d or %d)", from, LLMC_MAGIC,
                          LLMC_MAGIC32);
    }
    bad = bad || import_open(&im, to, plan, err);
    for (; !bad && tokens; tokens--) {
        import_room(&im, n + 1);
        bad = read_ids(s, width, im.id + n, 1, err);
        if (bad || im.id[n] != plan->eos) {
            n++;
            if (n > IDS_RECORD_MAX)
                bad = err_set(err, "%s: more than %d ids without an end (--eos)", from,
                              IDS_RECORD_MAX);
            continue;
        }
        bad = import_put(&im, n, err);
        n = 0;
    }
    if (!bad && n)
        bad = import_put(&im, n, err);
    stream_close(s);
    return import_close(&im, bad, err);
}
