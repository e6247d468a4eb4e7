/* shard_file.c - any block of a shard file by its number; see shard.h and shard_frame.h.
 *
 * Segments are found from the end of the file backwards, by their end marks, and their blocks
 * by their indices. Where a segment's index or end does not check, all frames of the file are
 * walked over instead, 32 bytes each. What a block holds is checked when it is read, so a
 * wrong index can cause an error but not a wrong block.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "shard/shard_frame.h"

struct segment {
    struct shard_header *header;
    struct shard_segment is;
    uint64_t first_block, first_record;    // in the whole file
};

struct place {                 // of a block
    uint64_t offset, first;    // in the file
    uint32_t n_record;
};

struct shard_file {
    int fd;
    char *path;
    uint64_t size;
    struct segment *seg;
    struct place *block;
    size_t n_seg, n_block, cap_seg, cap_block;
    uint64_t records, tokens;
    struct unpacker *unpacker;
    struct buf raw, plain;
};

static int trouble_at(const struct shard_file *f, uint64_t at, const char *trouble, struct err *err)
{
    return err_set(err, "%s: byte %" PRIu64 ": %s", f->path, at, trouble);
}

static int read_at(struct shard_file *f, uint64_t at, void *p, size_t n, struct err *err)
{
    size_t done = 0;

    if (at > f->size || n > f->size - at)
        return trouble_at(f, at, "cut short", err);
    while (done < n) {
        ssize_t got = pread(f->fd, (char *)p + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return trouble_at(f, at + done, got ? strerror(errno) : "the file has shrunk", err);
        done += (size_t)got;
    }
    return 0;
}

/* The frame at a byte, of a kind, checked, into f->raw. */
static int read_frame(struct shard_file *f, uint64_t at, char letter, struct frame *frame,
                      struct err *err)
{
    unsigned char head[FRAME_HEAD];
    const char *trouble;

    if (read_at(f, at, head, sizeof(head), err) < 0)
        return -1;
    trouble = frame_parse(frame, head);
    if (!trouble && frame->letter != letter)
        trouble = "a block out of place";
    if (trouble)
        return trouble_at(f, at, trouble, err);
    buf_need(&f->raw, frame_size(frame));
    f->raw.n = frame_size(frame);
    if (read_at(f, at, f->raw.p, f->raw.n, err) < 0)
        return -1;
    trouble = frame_verify(frame, f->raw.p);
    return trouble ? trouble_at(f, at, trouble, err) : 0;
}

static struct segment *add_segment(struct shard_file *f)
{
    if (f->n_seg == f->cap_seg) {
        f->cap_seg = f->cap_seg * 2 + 1;
        f->seg = xreallocarray(f->seg, f->cap_seg, sizeof(*f->seg));
    }
    f->seg[f->n_seg] = (struct segment){ 0 };
    return &f->seg[f->n_seg++];
}

static void add_block(struct shard_file *f, struct place place)
{
    if (f->n_block == f->cap_block) {
        f->cap_block = f->cap_block * 2 + 16;
        f->block = xreallocarray(f->block, f->cap_block, sizeof(*f->block));
    }
    f->block[f->n_block++] = place;
}

static void forget(struct shard_file *f)
{
    size_t i;

    for (i = 0; i < f->n_seg; i++)
        shard_header_free(f->seg[i].header);
    f->n_seg = f->n_block = 0;
}

static int read_header(struct shard_file *f, struct segment *s, struct frame *frame,
                       struct err *err)
{
    struct err why;

    if (read_frame(f, s->is.offset, 'S', frame, err) < 0)
        return -1;
    s->header = shard_header_parse((struct bytes){ f->raw.p + FRAME_HEAD, frame->stored }, &why);
    if (!s->header)
        return trouble_at(f, s->is.offset, why.msg, err);
    return 0;
}

static void fill(struct segment *s, const struct end *e)
{
    s->is.blocks = e->blocks;
    s->is.records = e->records;
    s->is.tokens = e->tokens;
    s->is.bytes = e->bytes;
    memcpy(s->is.fingerprint, e->fingerprint, sizeof(e->fingerprint));
}

/* Segments from the end of the file to its start: header and end of each, last one first. */
static int find_segments(struct shard_file *f, struct err *err)
{
    uint64_t at = f->size, bytes;

    while (at > 0) {
        unsigned char mark[END_MARK];
        struct segment *s;
        struct frame frame;
        struct end e;
        const char *trouble;

        if (at < END_FRAME + FRAME_HEAD)
            return trouble_at(f, at, "no room for a segment", err);
        if (read_at(f, at - END_MARK, mark, END_MARK, err) < 0)
            return -1;
        trouble = end_mark_parse(mark, &bytes);
        if (trouble || bytes > at || bytes < END_FRAME + FRAME_HEAD)
            return trouble_at(f, at, trouble ? trouble : "end mark points outside", err);
        if (read_frame(f, at - END_FRAME, 'E', &frame, err) < 0)
            return -1;
        trouble = end_parse(&e, &frame, f->raw.p + FRAME_HEAD);
        if (trouble)
            return trouble_at(f, at - END_FRAME, trouble, err);
        s = add_segment(f);
        fill(s, &e);
        s->is.offset = at - bytes;
        s->first_block = e.index_back;    // until read_index()
        if (read_header(f, s, &frame, err) < 0)
            return -1;
        at -= bytes;
    }
    return 0;
}

/* One entry of an index against the one before it: where it should begin, at the least. */
static int read_entry(struct shard_file *f, const struct segment *s, const unsigned char *p,
                      uint64_t *least, uint64_t limit, uint64_t *record)
{
    struct place place = { get64(p), get64(p + 8), get32(p + 16) };

    if (place.offset % 8 || place.offset < *least || place.offset > limit - FRAME_HEAD ||
        place.first != *record || !place.n_record || place.n_record > s->is.records - *record)
        return -1;
    *least = place.offset + FRAME_HEAD;
    *record += place.n_record;
    place.offset += s->is.offset;
    place.first += s->first_record;
    add_block(f, place);
    return 0;
}

static int read_index(struct shard_file *f, struct segment *s, uint64_t index_back, struct err *err)
{
    uint64_t end = s->is.offset + s->is.bytes - END_FRAME, at = end - index_back;
    uint64_t n = 0, record = 0, least = FRAME_HEAD, limit = at - s->is.offset;
    struct frame frame;
    uint32_t i;

    if (index_back > s->is.bytes - END_FRAME - FRAME_HEAD || index_back < FRAME_HEAD)
        return trouble_at(f, end, "end block points outside of its segment", err);
    for (; at < end; at += frame_size(&frame)) {
        if (read_frame(f, at, 'I', &frame, err) < 0)
            return -1;
        if (frame.first != n || frame.stored != (uint64_t)frame.n_record * INDEX_ENTRY ||
            frame.n_record > s->is.blocks - n)
            return trouble_at(f, at, "index block of a wrong size or place", err);
        for (i = 0; i < frame.n_record; i++)
            if (read_entry(f, s, f->raw.p + FRAME_HEAD + (size_t)i * INDEX_ENTRY, &least, limit,
                           &record) < 0)
                return trouble_at(f, at, "index points outside, backwards or twice", err);
        n += frame.n_record;
    }
    if (at != end || n != s->is.blocks || record != s->is.records)
        return trouble_at(f, end, "index is not of all blocks", err);
    return 0;
}

static int use_index(struct shard_file *f, struct err *err)
{
    size_t i;

    if (find_segments(f, err) < 0)
        return -1;
    for (i = 0; i < f->n_seg / 2; i++) {    // they were found last one first
        struct segment swap = f->seg[i];

        f->seg[i] = f->seg[f->n_seg - 1 - i];
        f->seg[f->n_seg - 1 - i] = swap;
    }
    for (i = 0; i < f->n_seg; i++) {
        struct segment *s = &f->seg[i];
        uint64_t index_back = s->first_block;

        s->is.number = i;
        s->first_block = f->n_block;
        s->first_record = i ? s[-1].first_record + s[-1].is.records : 0;
        if (s->first_record > SHARD_RECORDS_MAX || s->is.records > SHARD_RECORDS_MAX)
            return trouble_at(f, s->is.offset, "more records than can be", err);
        if (read_index(f, s, index_back, err) < 0)
            return -1;
    }
    return 0;
}

/* Walk over one segment from its header; *at moves behind its end block. */
static int scan_segment(struct shard_file *f, uint64_t *at, struct err *err)
{
    struct segment *s = add_segment(f);
    uint64_t record = 0, blocks = 0;
    unsigned char head[FRAME_HEAD];
    struct frame frame;
    struct end e;
    const char *trouble;

    s->is.number = f->n_seg - 1;
    s->is.offset = *at;
    s->first_block = f->n_block;
    s->first_record = f->n_seg > 1 ? s[-1].first_record + s[-1].is.records : 0;
    if (read_header(f, s, &frame, err) < 0)
        return -1;
    for (*at += frame_size(&frame);; *at += frame_size(&frame)) {
        if (read_at(f, *at, head, sizeof(head), err) < 0)
            return -1;
        trouble = frame_parse(&frame, head);
        if (trouble)
            return trouble_at(f, *at, trouble, err);
        if (frame.letter == 'E')
            break;
        if (frame.letter == 'I')
            continue;
        if (frame.letter != 'B' || frame.first != record || !frame.n_record)
            return trouble_at(f, *at, "a block out of place", err);
        add_block(f, (struct place){ *at, s->first_record + record, frame.n_record });
        record += frame.n_record;
        blocks++;
    }
    if (read_frame(f, *at, 'E', &frame, err) < 0)
        return -1;
    trouble = end_parse(&e, &frame, f->raw.p + FRAME_HEAD);
    if (!trouble && (e.blocks != blocks || e.records != record))
        trouble = "blocks or records are not as many as the end block says";
    if (trouble)
        return trouble_at(f, *at, trouble, err);
    fill(s, &e);
    *at += frame_size(&frame);
    s->is.bytes = *at - s->is.offset;
    return 0;
}

static int scan(struct shard_file *f, struct err *err)
{
    uint64_t at = 0;

    forget(f);
    do {
        if (scan_segment(f, &at, err) < 0)
            return -1;
    } while (at < f->size);
    return 0;
}

/* Does it begin like a shard? The forward reader knows what else it may look like. */
static int begins(struct shard_file *f, struct err *err)
{
    struct shard_reader *r;

    r = shard_open(f->path, err);
    shard_close(r);
    return r ? 0 : -1;
}

static int join(struct shard_file *f, struct err *err)
{
    struct err why;
    size_t i;

    for (i = 0; i < f->n_seg; i++) {
        if (shard_header_joins(f->seg[0].header, f->seg[i].header, &why) < 0)
            return err_set(err, "%s: byte %" PRIu64 ": segment %zu: %s", f->path,
                           f->seg[i].is.offset, i, why.msg);
        f->records += f->seg[i].is.records;
        f->tokens += f->seg[i].is.tokens;
    }
    return 0;
}

struct shard_file *shard_file_open(const char *path, struct err *err)
{
    struct shard_file *f = xcalloc(1, sizeof(*f));
    struct stat st;

    f->path = xstrdup(path);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) < 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (!S_ISREG(st.st_mode)) {
        err_set(err, "%s: not a regular file, so blocks cannot be read out of order", path);
        goto fail;
    }
    f->size = (uint64_t)st.st_size;
    if (begins(f, err) < 0)
        goto fail;
    if (use_index(f, err) < 0 && scan(f, err) < 0)
        goto fail;
    if (join(f, err) < 0)
        goto fail;
    return f;

fail:
    shard_file_close(f);
    return NULL;
}

const struct shard_header *shard_file_header(const struct shard_file *f)
{
    return f->seg[0].header;
}

const struct shard_header *shard_file_segment_header(const struct shard_file *f, uint64_t segment)
{
    return f->seg[segment].header;
}

const char *shard_file_path(const struct shard_file *f)
{
    return f->path;
}

uint64_t shard_file_records(const struct shard_file *f)
{
    return f->records;
}

uint64_t shard_file_tokens(const struct shard_file *f)
{
    return f->tokens;
}

uint64_t shard_file_blocks(const struct shard_file *f)
{
    return f->n_block;
}

uint64_t shard_file_segments(const struct shard_file *f)
{
    return f->n_seg;
}

void shard_file_segment(const struct shard_file *f, uint64_t i, struct shard_segment *s)
{
    *s = f->seg[i].is;
}

uint64_t shard_file_find(const struct shard_file *f, uint64_t n, uint64_t *first)
{
    uint64_t low = 0, high = f->n_block;    // block[low].first <= n, if any is

    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;

        if (f->block[mid].first <= n)
            low = mid;
        else
            high = mid;
    }
    *first = f->n_block ? f->block[low].first : 0;
    return low;
}

static const struct segment *segment_of(const struct shard_file *f, uint64_t block)
{
    size_t low = 0, high = f->n_seg;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (f->seg[mid].first_block <= block)
            low = mid;
        else
            high = mid;
    }
    return &f->seg[low];
}

int shard_file_block(struct shard_file *f, uint64_t i, struct shard_block *b, struct err *err)
{
    const struct segment *s = segment_of(f, i);
    const struct place *place = &f->block[i];
    const char *trouble;
    struct frame frame;

    if (read_frame(f, place->offset, 'B', &frame, err) < 0)
        return -1;
    *b = (struct shard_block){ .n_record = frame.n_record, .first_record = frame.first };
    trouble = frame_unpack(&f->unpacker, &frame, f->raw.p + FRAME_HEAD, &f->plain, &b->payload);
    if (!trouble &&
        (frame.n_record != place->n_record || frame.first + s->first_record != place->first))
        trouble = "not the block that the index says";
    if (trouble)
        return err_set(err, "%s: byte %" PRIu64 ": segment %" PRIu64 ", block %" PRIu64 ": %s",
                       f->path, place->offset, s->is.number, i - s->first_block, trouble);
    b->packed = (struct bytes){ f->raw.p + FRAME_HEAD, frame.stored };
    b->segment = s->is.number;
    b->file_offset = place->offset;
    b->crc = frame.crc;
    b->codec = frame.codec;
    b->flags = frame.flags;
    return 0;
}

void shard_file_close(struct shard_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    forget(f);
    unpacker_free(f->unpacker);
    buf_release(&f->raw);
    buf_release(&f->plain);
    free(f->seg);
    free(f->block);
    free(f->path);
    free(f);
}
