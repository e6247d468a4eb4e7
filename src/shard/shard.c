/* shard.c - reading a shard forward; see shard.h and shard_frame.h.
 *
 * The reader keeps a window of the file that begins at the frame it stands on, so that after
 * damage it can look for the next frame in what it has read already. Memory is bounded by one
 * frame and its plain payload, 33 MiB at the worst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "shard/shard_frame.h"

enum state { BETWEEN, IN_DATA, IN_INDEX };    // of segments; in one, before or in its index
enum { CHUNK = 256 << 10 };

struct shard_reader {
    int fd;
    char *path;            // for messages; owned
    unsigned char *win;    // [pos, end) is read but not used; win[0] is at byte base of the file
    size_t pos, end, cap;
    uint64_t base;
    int eof, begun, failed, damaged;    // begun: SHARD_BEGUN is owed; damaged: this segment
    enum state state;
    struct shard_header *header;
    struct shard_segment seg;
    struct hash_sha256 *fingerprint;
    uint64_t expect, counted;    // number of the next record; blocks counted by shard_count()
    uint64_t block_at;           // where the block last returned began
    /* The index is checked without keeping it: both sides are hashed, entry after entry. */
    uint64_t places, places_index, sums, sums_index, n_index, index_at;
    struct unpacker *unpacker;
    struct buf plain;
};

static int damage_at(struct shard_reader *r, struct err *err, const char *trouble)
{
    int next = r->header && r->state == BETWEEN;    // where a segment should begin

    r->failed = 1;
    return err_set(err, "%s: byte %" PRIu64 ": segment %" PRIu64 ", block %" PRIu64 ": %s", r->path,
                   shard_reader_offset(r), r->seg.number + (uint64_t)next, next ? 0 : r->seg.blocks,
                   trouble);
}

int shard_damage(const struct shard_reader *r, struct err *err, const char *trouble)
{
    return err_set(err, "%s: byte %" PRIu64 ": segment %" PRIu64 ", block %" PRIu64 ": %s", r->path,
                   r->block_at, r->seg.number, r->seg.blocks - 1, trouble);
}

/* See to it that n bytes stand in the window: 1; 0 when the file ends before; -1. */
static int need(struct shard_reader *r, size_t n, struct err *err)
{
    while (r->end - r->pos < n && !r->eof) {
        ssize_t got;

        if (r->cap - r->pos < n) {
            memmove(r->win, r->win + r->pos, r->end - r->pos);
            r->base += r->pos;
            r->end -= r->pos;
            r->pos = 0;
            if (r->cap < n) {
                r->cap = n + CHUNK;
                r->win = xrealloc(r->win, r->cap);
            }
        }
        got = read(r->fd, r->win + r->end, r->cap - r->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, "%s: byte %" PRIu64 ": %s", r->path, r->base + r->end,
                           strerror(errno));
        r->eof = got == 0;
        r->end += (size_t)got;
    }
    return r->end - r->pos >= n;
}

/* What the bytes at the start are, when they are no shard. */
static int not_a_shard(struct shard_reader *r, struct err *err)
{
    const unsigned char *p = r->win + r->pos;
    size_t n = r->end - r->pos, i;
    const char *like = "it looks like text";

    for (i = 0; i < n && i < 512; i++)
        if (p[i] < 9 || (p[i] > 13 && p[i] < 32) || p[i] == 127)
            like = "unknown bytes";
    if (n == 0)
        like = "it is empty";
    else if (n > 1 && p[0] == 0x1f && p[1] == 0x8b)
        like = "it looks like gzip";
    else if (n > 3 && get32(p) == 0xFD2FB528u)
        like = "it looks like zstd";
    else if ((p[0] == '{' || p[0] == '[') && !strcmp(like, "it looks like text"))
        like = "it looks like JSON";
    return err_set(err, "%s: not a shard (%s)", r->path, like);
}

static int cut_short(struct shard_reader *r, struct err *err)
{
    char trouble[80];

    snprintf(trouble, sizeof(trouble), "cut short: no end block before byte %" PRIu64,
             r->base + r->end);
    return damage_at(r, err, trouble);
}

/* The next frame, all of it in the window, checked: 1; 0 at a clean end; -1. */
static int next_frame(struct shard_reader *r, struct frame *f, struct err *err)
{
    int got = need(r, FRAME_HEAD, err), first = !r->header;
    const unsigned char *p = r->win + r->pos;
    const char *trouble;

    if (got < 0)
        return -1;
    if (first && (r->end - r->pos < 4 || memcmp(p, "SYS1", 4) != 0))
        return not_a_shard(r, err);
    if (r->end == r->pos && r->state == BETWEEN)
        return 0;
    if (!got)
        return cut_short(r, err);
    trouble = frame_parse(f, p);
    if (r->state == BETWEEN && memcmp(p, "SYS1", 4) != 0)
        trouble = "no header where a segment should begin";
    if (trouble)
        return damage_at(r, err, trouble);
    got = need(r, frame_size(f), err);
    if (got <= 0)
        return got < 0 ? -1 : cut_short(r, err);
    trouble = frame_verify(f, r->win + r->pos);
    if (trouble)
        return damage_at(r, err, trouble);
    return 1;
}

static int on_header(struct shard_reader *r, const unsigned char *p, const struct frame *f,
                     struct err *err)
{
    struct shard_header *h;
    struct err why;
    unsigned char unused[32];

    if (f->n_record || f->first)
        return damage_at(r, err, "a header with records");
    h = shard_header_parse((struct bytes){ p + FRAME_HEAD, f->stored }, &why);
    if (!h || (r->header && shard_header_joins(r->header, h, &why) < 0)) {
        shard_header_free(h);
        return damage_at(r, err, why.msg);
    }
    if (r->header)
        r->seg = (struct shard_segment){ .number = r->seg.number + 1 };
    shard_header_free(r->header);
    r->header = h;
    r->seg.offset = shard_reader_offset(r);
    if (r->fingerprint)
        hash_sha256_end(r->fingerprint, unused);
    r->fingerprint = hash_sha256_new();
    r->state = IN_DATA;
    r->damaged = 0;
    r->expect = r->counted = 0;
    r->places = r->places_index = r->sums = r->sums_index = r->n_index = 0;
    return SHARD_BEGUN;
}

static int on_data(struct shard_reader *r, const unsigned char *p, const struct frame *f,
                   struct shard_block *b, struct err *err)
{
    unsigned char place[INDEX_ENTRY], crc[4];
    const char *trouble;

    if (f->first != r->expect && !(r->damaged && f->first > r->expect))
        return damage_at(r, err, "its first record has another number than it should");
    if (!f->n_record || f->first > SHARD_RECORDS_MAX)
        return damage_at(r, err, "no records, or too many");
    *b = (struct shard_block){ .n_record = f->n_record, .first_record = f->first };
    trouble = frame_unpack(&r->unpacker, f, p + FRAME_HEAD, &r->plain, &b->payload);
    if (trouble)
        return damage_at(r, err, trouble);
    b->packed = (struct bytes){ p + FRAME_HEAD, f->stored };
    b->segment = r->seg.number;
    b->file_offset = r->block_at = shard_reader_offset(r);
    b->crc = f->crc;
    b->codec = f->codec;
    b->flags = f->flags;
    put64(place, b->file_offset - r->seg.offset);
    put64(place + 8, f->first);
    put32(place + 16, f->n_record);
    put64(place + 20, r->seg.tokens);
    r->places = hash_xx64(place, 20, r->places);
    r->sums = hash_xx64(place + 20, 8, r->sums);
    put32(crc, f->crc);
    hash_sha256_add(r->fingerprint, crc, sizeof(crc));
    r->expect = f->first + f->n_record;
    r->seg.records += f->n_record;
    r->seg.blocks++;
    return SHARD_DATA;
}

void shard_count(struct shard_reader *r, uint64_t n)
{
    r->seg.tokens += n;
    r->counted++;
}

static int on_index(struct shard_reader *r, const unsigned char *p, const struct frame *f,
                    struct err *err)
{
    uint32_t i;

    if (f->stored != (uint64_t)f->n_record * INDEX_ENTRY || (!r->damaged && f->first != r->n_index))
        return damage_at(r, err, "index block of a wrong size or place");
    if (r->state == IN_DATA)
        r->index_at = shard_reader_offset(r);
    r->state = IN_INDEX;
    for (i = 0, p += FRAME_HEAD; i < f->n_record; i++, p += INDEX_ENTRY) {
        r->places_index = hash_xx64(p, 20, r->places_index);
        r->sums_index = hash_xx64(p + 20, 8, r->sums_index);
    }
    r->n_index += f->n_record;
    return 0;
}

static const char *end_trouble(struct shard_reader *r, const struct end *e, const struct frame *f)
{
    uint64_t at = shard_reader_offset(r);
    int counted = r->counted == r->seg.blocks;

    if (e->blocks != r->seg.blocks || e->records != r->seg.records)
        return "blocks or records are not as many as the end block says";
    if (counted && e->tokens != r->seg.tokens)
        return "tokens are not as many as the end block says";
    if (memcmp(e->fingerprint, r->seg.fingerprint, sizeof(e->fingerprint)) != 0)
        return "fingerprint of the segment does not match";
    if (e->bytes != at - r->seg.offset + frame_size(f))
        return "bytes of the segment are not as many as the end block says";
    if (r->state != IN_INDEX || e->index_back != at - r->index_at || r->n_index != e->blocks ||
        r->places != r->places_index || (counted && r->sums != r->sums_index))
        return "index does not match the blocks";
    return NULL;
}

static int on_end(struct shard_reader *r, const unsigned char *p, const struct frame *f,
                  struct err *err)
{
    struct hash_sha256 *sum = r->fingerprint;
    const char *trouble;
    struct end e;

    r->fingerprint = hash_sha256_new();
    hash_sha256_end(sum, r->seg.fingerprint);
    trouble = end_parse(&e, f, p + FRAME_HEAD);
    if (!trouble && !r->damaged)
        trouble = end_trouble(r, &e, f);
    if (trouble)
        return damage_at(r, err, trouble);
    r->seg.tokens = r->damaged ? r->seg.tokens : e.tokens;
    r->seg.bytes = shard_reader_offset(r) + frame_size(f) - r->seg.offset;
    r->state = BETWEEN;
    return SHARD_ENDED;
}

int shard_step(struct shard_reader *r, struct shard_block *b, struct err *err)
{
    struct frame f = { 0 };
    int got = 0;

    if (r->begun) {
        r->begun = 0;
        return SHARD_BEGUN;
    }
    while (got == 0) {    // an index block is nobody's step
        const unsigned char *p;
        int in = r->state != BETWEEN;

        got = next_frame(r, &f, err);
        if (got <= 0)
            return got;
        p = r->win + r->pos;
        if (f.letter == 'S' && (!in || r->damaged))
            got = on_header(r, p, &f, err);
        else if (f.letter == 'B' && (r->state == IN_DATA || (in && r->damaged)))
            got = on_data(r, p, &f, b, err);
        else if (f.letter == 'I' && in)
            got = on_index(r, p, &f, err);
        else if (f.letter == 'E' && in)
            got = on_end(r, p, &f, err);
        else
            got = damage_at(r, err, "a block out of place");
        if (got >= 0)
            r->pos += frame_size(&f);
    }
    return got;
}

int shard_next(struct shard_reader *r, struct shard_block *b, struct err *err)
{
    int got;

    do {
        got = shard_step(r, b, err);
    } while (got == SHARD_BEGUN || got == SHARD_ENDED);
    return got;
}

/* May the reader go on from this frame? A block before those seen is another segment's. */
static int usable(const struct shard_reader *r, const struct frame *f)
{
    if (f->letter == 'S')
        return 1;
    return r->state != BETWEEN && (f->letter != 'B' || f->first >= r->expect);
}

int shard_resync(struct shard_reader *r, uint64_t *skipped, struct err *err)
{
    uint64_t from = shard_reader_offset(r);
    int got;

    r->pos += r->failed && r->pos < r->end;
    r->failed = 0;
    r->damaged = 1;
    while ((got = need(r, FRAME_HEAD, err)) == 1) {
        const unsigned char *p = r->win + r->pos;
        const unsigned char *s = memchr(p, 'S', r->end - r->pos - FRAME_HEAD + 1);
        struct frame f;

        r->pos += s ? (size_t)(s - p) : r->end - r->pos - FRAME_HEAD + 1;
        if (!s)
            continue;
        if (!frame_parse(&f, s) && usable(r, &f)) {
            got = need(r, frame_size(&f), err);
            if (got < 0)
                return -1;
            if (got && !frame_verify(&f, r->win + r->pos)) {
                *skipped += shard_reader_offset(r) - from;
                return 1;
            }
        }
        r->pos++;
    }
    if (got < 0)
        return -1;
    r->pos = r->end;
    *skipped += shard_reader_offset(r) - from;
    return 0;
}

struct shard_reader *shard_open(const char *path, struct err *err)
{
    struct shard_reader *r = xcalloc(1, sizeof(*r));
    int std = !strcmp(path, "-");
    struct shard_block none;

    r->cap = CHUNK;
    r->win = xmalloc(r->cap);
    r->path = xstrdup(std ? "standard input" : path);
    r->fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (shard_step(r, &none, err) < 0)
        goto fail;
    r->begun = 1;
    return r;

fail:
    shard_close(r);
    return NULL;
}

const struct shard_header *shard_reader_header(const struct shard_reader *r)
{
    return r->header;
}

const struct shard_segment *shard_reader_segment(const struct shard_reader *r)
{
    return &r->seg;
}

const char *shard_reader_path(const struct shard_reader *r)
{
    return r->path;
}

uint64_t shard_reader_offset(const struct shard_reader *r)
{
    return r->base + r->pos;
}

void shard_close(struct shard_reader *r)
{
    unsigned char unused[32];

    if (!r)
        return;
    if (r->fd > STDIN_FILENO)
        close(r->fd);
    if (r->fingerprint)
        hash_sha256_end(r->fingerprint, unused);
    shard_header_free(r->header);
    unpacker_free(r->unpacker);
    buf_release(&r->plain);
    free(r->win);
    free(r->path);
    free(r);
}
