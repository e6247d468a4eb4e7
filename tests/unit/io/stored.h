/* stored.h - files as they are stored, plain or packed, and all that comes out of them. */
#ifndef TEST_IO_STORED_H
#define TEST_IO_STORED_H

#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "io/stream.h"

static inline void save(const char *path, const struct buf *b)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(b->p ? b->p : (void *)"", 1, b->n, f), b->n);
    assert_int_equal(fclose(f), 0);
}

/* One gzip member as zlib writes it; head: with extra field, name, comment and header CRC. */
static inline void add_member(struct buf *b, const void *p, size_t n, int level, int head)
{
    unsigned char extra[] = { 'A', 'p', 2, 0, 1, 2 };
    gz_header h = { .extra = extra,
                    .extra_len = sizeof(extra),
                    .name = (Bytef *)"name.txt",
                    .comment = (Bytef *)"a word",
                    .hcrc = 1,
                    .os = 3 };
    z_stream z = { 0 };

    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (head)
        assert_int_equal(deflateSetHeader(&z, &h), Z_OK);
    buf_need(b, b->n + n + n / 100 + 200);
    z.next_in = (Bytef *)p;
    z.avail_in = (uInt)n;
    z.next_out = b->p + b->n;
    z.avail_out = (uInt)(b->cap - b->n);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b->n += z.total_out;
    deflateEnd(&z);
}

/* All that comes out of path, going on behind damage: how often there was some. */
static inline int drain(const char *path, struct buf *out, uint64_t *junk, struct err *last)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    unsigned char part[7777];
    ssize_t got;
    int damaged = 0;

    assert_non_null(s);
    buf_reset(out);
    do {
        while ((got = stream_read(s, part, sizeof(part), &err)) > 0)
            buf_add(out, part, (size_t)got);
        if (got == 0)
            break;
        damaged++;
        if (last)
            *last = err;
    } while (stream_resume(s, &err) > 0);
    if (junk)
        *junk = stream_junk(s);
    assert_true(stream_offset(s) >= out->n);
    stream_close(s);
    return damaged;
}

static inline void expect(const struct buf *stored, const void *p, size_t n, uint64_t want_junk)
{
    struct buf out = { 0 };
    struct err err = { "" };
    uint64_t junk;

    save("x", stored);
    assert_int_equal(drain("x", &out, &junk, &err), 0);
    assert_int_equal(out.n, n);
    assert_memory_equal(out.n ? out.p : (void *)"", p, n);
    assert_int_equal(junk, want_junk);
    buf_release(&out);
}

static inline void expect_trouble(const struct buf *stored, int n_damage, const char *words,
                                  const char *plain)
{
    struct buf out = { 0 };
    struct err err = { "" };

    save("x", stored);
    assert_int_equal(drain("x", &out, NULL, &err), n_damage);
    if (!strstr(err.msg, words))
        fail_msg("'%s' does not say '%s'", err.msg, words);
    assert_int_equal(out.n, strlen(plain));
    assert_memory_equal(out.n ? out.p : (void *)"", plain, out.n);
    buf_release(&out);
}

#endif
