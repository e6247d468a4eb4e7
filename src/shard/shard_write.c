/* shard_write.c - frames of a shard, and their writer; see shard.h and shard_frame.h.
 *
 * A writer holds one block and 28 bytes of index for each block written. What is written
 * depends on the records alone, never on time, place or the size of a pipe.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/out.h"
#include "shard/shard_frame.h"

enum { LEVEL = 3 };

const char *frame_parse(struct frame *f, const unsigned char head[FRAME_HEAD])
{
    if (head[0] != 'S' || head[1] != 'Y' || !head[2] || !strchr("SBIE", head[2]) || head[3] != '1')
        return "no block begins here";
    f->letter = (char)head[2];
    f->codec = head[4];
    f->flags = head[5];
    f->stored = get32(head + 8);
    f->plain = get32(head + 12);
    f->n_record = get32(head + 16);
    f->first = get64(head + 20);
    f->crc = get32(head + 28);
    if (f->codec > SHARD_DEFLATE || (f->letter != 'B' && f->codec != SHARD_NONE))
        return "unknown codec";
    if (f->flags & ~(f->letter == 'B' ? SHARD_SORTED : 0) || head[6] || head[7])
        return "unknown flags";
    if (f->stored > SHARD_PAYLOAD_MAX || f->plain > SHARD_PAYLOAD_MAX)
        return "payload larger than 16 MiB";
    if (f->codec == SHARD_NONE && f->stored != f->plain)
        return "stored and plain sizes differ";
    return NULL;
}

const char *frame_verify(const struct frame *f, const unsigned char *p)
{
    uint32_t crc = hash_crc32c(hash_crc32c(0, p, FRAME_HEAD - 4), p + FRAME_HEAD, f->stored);
    size_t i;

    if (crc != f->crc)
        return "checksum does not match";
    for (i = FRAME_HEAD + (size_t)f->stored; i < frame_size(f); i++)
        if (p[i])
            return "padding is not zero";
    return NULL;
}

const char *end_mark_parse(const unsigned char mark[END_MARK], uint64_t *bytes)
{
    if (memcmp(mark, "SYE1", 4) != 0)
        return "no end mark";
    if (get32(mark + 28) != hash_crc32c(0, mark, END_MARK - 4))
        return "checksum of the end mark does not match";
    if (get32(mark + 4) != 1 || get32(mark + 16) != END_FRAME || get64(mark + 20))
        return "unknown kind of end mark";
    *bytes = get64(mark + 8);
    return NULL;
}

const char *end_parse(struct end *e, const struct frame *f, const unsigned char *payload)
{
    uint64_t bytes;
    const char *trouble;

    if (f->stored != END_PAYLOAD)
        return "end block of a wrong size";
    e->blocks = get64(payload);
    e->records = get64(payload + 8);
    e->tokens = get64(payload + 16);
    e->bytes = get64(payload + 24);
    e->index_back = get64(payload + 32);
    memcpy(e->fingerprint, payload + 40, 32);
    trouble = end_mark_parse(payload + END_PAYLOAD - END_MARK, &bytes);
    if (trouble)
        return trouble;
    if (bytes != e->bytes || f->n_record != 0 || f->first != e->records)
        return "end block contradicts itself";
    return NULL;
}

struct unpacker {
    ZSTD_DCtx *zstd;
};

static const char *unpack_zstd(struct unpacker **u, const struct frame *f,
                               const unsigned char *stored, unsigned char *to)
{
    size_t got;

    if (!*u) {
        *u = xcalloc(1, sizeof(**u));
        (*u)->zstd = ZSTD_createDCtx();
        if (!(*u)->zstd)
            return "no memory to decompress";
    }
    got = ZSTD_decompressDCtx((*u)->zstd, to, f->plain, stored, f->stored);
    if (ZSTD_isError(got) || got != f->plain)
        return "does not decompress (zstd)";
    return NULL;
}

const char *frame_unpack(struct unpacker **u, const struct frame *f, const unsigned char *stored,
                         struct buf *plain, struct bytes *payload)
{
    uLongf n = f->plain;
    uLong used = f->stored;
    const char *trouble = NULL;

    if (f->codec == SHARD_NONE) {
        *payload = (struct bytes){ stored, f->stored };
        return NULL;
    }
    buf_need(plain, f->plain ? f->plain : 1);
    if (f->codec == SHARD_ZSTD)
        trouble = unpack_zstd(u, f, stored, plain->p);
    else if (uncompress2(plain->p, &n, stored, &used) != Z_OK || n != f->plain || used != f->stored)
        trouble = "does not decompress (deflate)";
    plain->n = f->plain;
    *payload = buf_bytes(plain);
    return trouble;
}

void unpacker_free(struct unpacker *u)
{
    if (u)
        ZSTD_freeDCtx(u->zstd);
    free(u);
}

struct shard_writer {
    struct out *out;
    struct shard_header *header;    // of the segment being written
    ZSTD_CCtx *zstd;
    struct buf packed, index;
    struct hash_sha256 *fingerprint;
    uint64_t start, blocks, records, tokens;    // of the segment
};

static int frame_write(struct shard_writer *w, struct frame *f, const void *payload,
                       struct err *err)
{
    unsigned char head[FRAME_HEAD] = { 'S', 'Y', (unsigned char)f->letter, '1' };
    static const unsigned char zero[8];

    head[4] = (unsigned char)f->codec;
    head[5] = (unsigned char)f->flags;
    put32(head + 8, f->stored);
    put32(head + 12, f->plain);
    put32(head + 16, f->n_record);
    put64(head + 20, f->first);
    f->crc = hash_crc32c(hash_crc32c(0, head, FRAME_HEAD - 4), payload, f->stored);
    put32(head + 28, f->crc);
    if (out_write(w->out, head, FRAME_HEAD, err) || out_write(w->out, payload, f->stored, err))
        return -1;
    return out_write(w->out, zero, frame_size(f) - FRAME_HEAD - f->stored, err);
}

static int begin(struct shard_writer *w, const struct shard_header *h, struct err *err)
{
    struct frame f = { .letter = 'S' };
    struct buf text = { 0 };
    int bad;

    w->start = out_offset(w->out);
    w->blocks = w->records = w->tokens = 0;
    w->fingerprint = hash_sha256_new();
    buf_reset(&w->index);
    shard_header_format(h, &text);
    f.stored = f.plain = (uint32_t)text.n;
    if (text.n > SHARD_HEADER_MAX)
        bad = err_set(err, "header of a shard: %zu bytes are more than 1 MiB", text.n);
    else
        bad = frame_write(w, &f, text.p, err);
    buf_release(&text);
    shard_header_free(w->header);
    w->header = shard_header_copy(h);
    return bad;
}

struct shard_writer *shard_create(const char *path, const struct shard_header *h, struct err *err)
{
    struct shard_writer *w = xcalloc(1, sizeof(*w));

    w->out = out_open(path, err);
    if (!w->out)
        goto fail;
    if (out_is_terminal(w->out)) {
        err_set(err, "%s: a shard is binary: not written to a terminal",
                strcmp(path, "-") ? path : "standard output");
        goto fail;
    }
    w->zstd = ZSTD_createCCtx();
    if (!w->zstd) {
        err_set(err, "no memory to compress");
        goto fail;
    }
    if (begin(w, h, err) < 0)
        goto fail;
    return w;

fail:
    shard_abandon(w);
    return NULL;
}

/* A data block whose payload is packed as f says. */
static int write_block(struct shard_writer *w, struct frame *f, const unsigned char *stored,
                       uint64_t n_token, struct err *err)
{
    unsigned char entry[INDEX_ENTRY], crc[4];

    assert(f->n_record > 0);
    f->letter = 'B';
    f->first = w->records;
    put64(entry, out_offset(w->out) - w->start);
    put64(entry + 8, w->records);
    put32(entry + 16, f->n_record);
    put64(entry + 20, w->tokens);
    if (frame_write(w, f, stored, err) < 0)
        return -1;
    buf_add(&w->index, entry, sizeof(entry));
    put32(crc, f->crc);
    hash_sha256_add(w->fingerprint, crc, sizeof(crc));
    w->blocks++;
    w->records += f->n_record;
    w->tokens += n_token;
    if (f->plain < SHARD_BLOCK / 2)    // an early one: somebody may be waiting for it
        return out_flush(w->out, err);
    return 0;
}

int shard_write(struct shard_writer *w, struct bytes payload, int flags, uint32_t n_record,
                uint64_t n_token, struct err *err)
{
    struct frame f = { .flags = flags, .n_record = n_record, .codec = SHARD_ZSTD };
    size_t n;

    assert(payload.n <= SHARD_PAYLOAD_MAX);
    buf_need(&w->packed, ZSTD_compressBound(payload.n));
    n = ZSTD_compressCCtx(w->zstd, w->packed.p, w->packed.cap, payload.p, payload.n, LEVEL);
    if (ZSTD_isError(n))
        return err_set(err, "cannot compress: %s", ZSTD_getErrorName(n));
    f.plain = (uint32_t)payload.n;
    f.stored = (uint32_t)n;
    if (n < payload.n)
        return write_block(w, &f, w->packed.p, n_token, err);
    f.codec = SHARD_NONE;
    f.stored = f.plain;
    return write_block(w, &f, payload.p, n_token, err);
}

int shard_write_packed(struct shard_writer *w, const struct shard_block *b, uint64_t n_token,
                       struct err *err)
{
    struct frame f = { .codec = b->codec, .flags = b->flags, .n_record = b->n_record };

    f.stored = (uint32_t)b->packed.n;
    f.plain = (uint32_t)b->payload.n;
    return write_block(w, &f, b->packed.p, n_token, err);
}

static int write_index(struct shard_writer *w, struct err *err)
{
    uint64_t i = 0;

    do {    // one frame, though empty, or as many as it takes
        uint64_t n = w->blocks - i < INDEX_FRAME_MAX ? w->blocks - i : INDEX_FRAME_MAX;
        struct frame f = { .letter = 'I', .n_record = (uint32_t)n, .first = i };

        f.stored = f.plain = (uint32_t)(n * INDEX_ENTRY);
        buf_need(&w->index, 1);
        if (frame_write(w, &f, w->index.p + i * INDEX_ENTRY, err) < 0)
            return -1;
        i += n;
    } while (i < w->blocks);
    return 0;
}

static int end_segment(struct shard_writer *w, struct err *err)
{
    struct frame f = { .letter = 'E', .stored = END_PAYLOAD, .plain = END_PAYLOAD };
    unsigned char p[END_PAYLOAD] = { 0 }, *mark = p + END_PAYLOAD - END_MARK;
    uint64_t index = out_offset(w->out), bytes;

    if (write_index(w, err) < 0)
        return -1;
    f.first = w->records;
    bytes = out_offset(w->out) - w->start + END_FRAME;
    put64(p, w->blocks);
    put64(p + 8, w->records);
    put64(p + 16, w->tokens);
    put64(p + 24, bytes);
    put64(p + 32, out_offset(w->out) - index);
    hash_sha256_end(w->fingerprint, p + 40);
    w->fingerprint = NULL;
    memcpy(mark, "SYE1", 4);
    put32(mark + 4, 1);
    put64(mark + 8, bytes);
    put32(mark + 16, END_FRAME);
    put32(mark + 28, hash_crc32c(0, mark, END_MARK - 4));
    return frame_write(w, &f, p, err);
}

int shard_begin(struct shard_writer *w, const struct shard_header *h, struct err *err)
{
    if (shard_header_joins(w->header, h, err) < 0 || end_segment(w, err) < 0)
        return -1;
    return begin(w, h, err);
}

static void release(struct shard_writer *w)
{
    unsigned char unused[32];

    if (w->fingerprint)
        hash_sha256_end(w->fingerprint, unused);
    ZSTD_freeCCtx(w->zstd);
    shard_header_free(w->header);
    buf_release(&w->packed);
    buf_release(&w->index);
    free(w);
}

int shard_finish(struct shard_writer *w, struct err *err)
{
    int bad = end_segment(w, err);

    if (bad)
        out_abandon(w->out);
    else
        bad = out_close(w->out, err);
    release(w);
    return bad;
}

void shard_abandon(struct shard_writer *w)
{
    if (!w)
        return;
    out_abandon(w->out);
    release(w);
}

int shard_end(struct shard_writer *w, int bad, struct err *err)
{
    if (!bad)
        return shard_finish(w, err);
    shard_abandon(w);
    return -1;
}
