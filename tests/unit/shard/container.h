/* container.h - shards of blocks whose bytes are known by their numbers, and files as bytes. */
#ifndef TEST_SHARD_CONTAINER_H
#define TEST_SHARD_CONTAINER_H

#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/rng.h"
#include "shard/shard_frame.h"

static inline struct shard_header *header(const char *vocab)
{
    struct shard_header *h = shard_header_new("ids");

    shard_header_set(h, "vocab.sha256", "%s", vocab);
    return h;
}

/* Payload of block i: n bytes, half of them predictable. */
static inline void fill(struct buf *b, uint64_t i, size_t n)
{
    uint64_t key = rng_key(4, "test shard");
    size_t k;

    buf_reset(b);
    for (k = 0; k < n; k++)
        buf_add_byte(b, (unsigned char)(k % 2 ? rng_u64(key, i, k) : i));
}

static inline void write_shard(const char *path, const char *vocab, int n_block, size_t size)
{
    struct shard_header *h = header(vocab);
    struct err err;
    struct shard_writer *w = shard_create(path, h, &err);
    struct buf b = { 0 };
    int i;

    assert_non_null(w);
    for (i = 0; i < n_block; i++) {
        fill(&b, (uint64_t)i, size);
        assert_int_equal(shard_write(w, buf_bytes(&b), i % 2, (uint32_t)i + 1, 10, &err), 0);
    }
    assert_int_equal(shard_finish(w, &err), 0);
    shard_header_free(h);
    buf_release(&b);
}

static inline struct buf load(const char *path)
{
    struct buf b = { 0 };
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    buf_need(&b, 4 << 20);
    b.n = fread(b.p, 1, b.cap, f);
    fclose(f);
    return b;
}

static inline void save(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Read all: the number of blocks, or -1. */
static inline int count_blocks(const char *path, struct err *err)
{
    struct shard_reader *r = shard_open(path, err);
    struct shard_block b;
    int n = 0, got = -1;

    while (r && (got = shard_next(r, &b, err)) == 1)
        n++;
    shard_close(r);
    return got < 0 ? -1 : n;
}

/* Read all by number: the number of blocks, or -1. */
static inline int count_file_blocks(const char *path, struct err *err)
{
    struct shard_file *f = shard_file_open(path, err);
    struct shard_block b;
    uint64_t i;
    int bad = 0;

    if (!f)
        return -1;
    for (i = 0; i < shard_file_blocks(f); i++)
        bad |= shard_file_block(f, i, &b, err);
    shard_file_close(f);
    return bad ? -1 : (int)i;
}

/* A frame of our own making, whatever it says. */
static inline void add_frame(struct buf *b, char letter, int codec, uint32_t stored, uint32_t plain,
                             uint32_t n, uint64_t first, struct bytes payload)
{
    unsigned char head[FRAME_HEAD] = { 'S', 'Y', (unsigned char)letter, '1' };

    head[4] = (unsigned char)codec;
    put32(head + 8, stored);
    put32(head + 12, plain);
    put32(head + 16, n);
    put64(head + 20, first);
    put32(head + 28, hash_crc32c(hash_crc32c(0, head, 28), payload.p, payload.n));
    buf_add(b, head, sizeof(head));
    buf_add(b, payload.p, payload.n);
    while (b->n % 8)
        buf_add_byte(b, 0);
}

static inline struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

#endif
