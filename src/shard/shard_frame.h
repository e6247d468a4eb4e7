/* shard_frame.h - the frame that all blocks of a shard share; for the sources of shards alone.
 * The format is switchyard-shard(5). */
#ifndef SHARD_SHARD_FRAME_H
#define SHARD_SHARD_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "shard/shard.h"

enum { FRAME_HEAD = 32, INDEX_ENTRY = 28, INDEX_FRAME_MAX = 1 << 18, END_PAYLOAD = 104 };
enum { END_MARK = 32, END_FRAME = FRAME_HEAD + END_PAYLOAD };
#define SHARD_RECORDS_MAX ((uint64_t)1 << 62)    // so that no sum of two can overflow

struct frame {
    char letter;    // S header, B data, I index, E end
    int codec, flags;
    uint32_t stored, plain, n_record, crc;
    uint64_t first;
};

struct end {    // payload of the end block
    uint64_t blocks, records, tokens, bytes, index_back;
    unsigned char fingerprint[32];
};

static inline uint32_t get32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get64(const unsigned char *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static inline void put32(unsigned char *p, uint32_t x)
{
    p[0] = (unsigned char)x;
    p[1] = (unsigned char)(x >> 8);
    p[2] = (unsigned char)(x >> 16);
    p[3] = (unsigned char)(x >> 24);
}

static inline void put64(unsigned char *p, uint64_t x)
{
    put32(p, (uint32_t)x);
    put32(p + 4, (uint32_t)(x >> 32));
}

static inline size_t frame_size(const struct frame *f)    // with its padding
{
    return FRAME_HEAD + (((size_t)f->stored + 7) & ~(size_t)7);
}

/* These return NULL, or what is wrong in a word. */
const char *frame_parse(struct frame *f, const unsigned char head[FRAME_HEAD]);
const char *frame_verify(const struct frame *f, const unsigned char *p);    // all of frame_size()
const char *end_parse(struct end *e, const struct frame *f, const unsigned char *payload);
const char *end_mark_parse(const unsigned char mark[END_MARK], uint64_t *bytes);

/* The plain payload: a view of stored, or of *plain, which unpacker keeps its state beside. */
struct unpacker;
const char *frame_unpack(struct unpacker **u, const struct frame *f, const unsigned char *stored,
                         struct buf *plain, struct bytes *payload);
void unpacker_free(struct unpacker *u);

/* Lines to header: NULL and the trouble in err, without a place. */
struct shard_header *shard_header_parse(struct bytes payload, struct err *err);
void shard_header_format(const struct shard_header *h, struct buf *b);

#endif
