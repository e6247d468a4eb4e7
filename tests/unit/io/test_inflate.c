/* test_inflate.c - the engine against zlib, on whole and on damaged data. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/rng.h"
#include "io/inflate.h"

enum { SIZE = 40000, PACKED = 60000 };

/* What zlib makes of raw deflate data: how it ends, and the bytes. */
static int by_zlib(const unsigned char *p, size_t n, unsigned char *out, size_t *n_out,
                   size_t *used)
{
    z_stream z = {
        .next_in = (Bytef *)p, .avail_in = (uInt)n, .next_out = out, .avail_out = 4 * SIZE
    };
    int r;

    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    r = inflate(&z, Z_NO_FLUSH);
    *n_out = z.total_out;
    *used = z.total_in;
    inflateEnd(&z);
    if (r == Z_STREAM_END)
        return INFLATE_END;
    return r == Z_OK || r == Z_BUF_ERROR ? INFLATE_MORE : INFLATE_BAD;
}

/* The same by ours, with n_in bytes of input and n_room of output at a time. */
static int by_ours(struct inflater *d, const unsigned char *p, size_t n, size_t n_in, size_t n_room,
                   unsigned char *out, size_t *n_out, size_t *used)
{
    const unsigned char *in = p, *in_end = p;
    unsigned char *o = out;
    int r = INFLATE_MORE;

    inflater_start(d);
    while (r == INFLATE_MORE && (size_t)(o - out) < 4 * SIZE) {
        size_t left = 4 * SIZE - (size_t)(o - out), room = left < n_room ? left : n_room;
        unsigned char *was = o;

        if (in == in_end && in_end < p + n)
            in_end += (size_t)(p + n - in_end) < n_in ? (size_t)(p + n - in_end) : n_in;
        r = inflater_run(d, &in, in_end, &o, o + room);
        assert_true(o >= was && o <= was + room && in <= in_end && in >= p);
        if (r == INFLATE_MORE && in == p + n && o < was + room)
            break;
    }
    *n_out = (size_t)(o - out);
    *used = (size_t)(in - p);
    return r;
}

static size_t make(struct rng *r, unsigned char *packed, int level, int strategy)
{
    static unsigned char plain[SIZE];
    z_stream z = { 0 };
    size_t i, n;

    for (i = 0; i < SIZE; i++)    // words that come again, some noise
        plain[i] = (unsigned char)(rng_below(r, 9) ? (i > 900 ? plain[i - 1 - rng_below(r, 3) * 299]
                                                              : 'a' + i % 7)
                                                   : rng_next(r));
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 8, strategy), Z_OK);
    z.next_in = plain;
    z.avail_in = SIZE;
    z.next_out = packed;
    z.avail_out = PACKED;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    deflateEnd(&z);
    return n;
}

static unsigned char packed[PACKED + 16], ours[4 * SIZE], theirs[4 * SIZE];

static void test_whole(void **state)
{
    static const size_t piece[] = { 1, 7, 1000, 100000 };
    struct inflater *d = inflater_new();
    struct rng r = rng_at(1, 0);
    size_t i, k, n, n_ours, n_theirs, u_ours, u_theirs;
    int level;

    (void)state;
    for (level = 0; level < 10; level++) {
        n = make(&r, packed, level, level == 3 ? Z_FIXED : Z_DEFAULT_STRATEGY);
        memcpy(packed + n, "behind the end..", 16);
        by_zlib(packed, n + 16, theirs, &n_theirs, &u_theirs);
        for (i = 0; i < 4; i++)
            for (k = 0; k < 4; k++) {
                assert_int_equal(
                    by_ours(d, packed, n + 16, piece[i], piece[k], ours, &n_ours, &u_ours),
                    INFLATE_END);
                assert_int_equal(u_ours, n);
                assert_int_equal(n_ours, n_theirs);
                assert_memory_equal(ours, theirs, n_ours);
                assert_int_equal(inflater_crc(d), crc32(0, theirs, (uInt)n_theirs));
                assert_int_equal(inflater_size(d), SIZE);
            }
    }
    inflater_free(d);
    inflater_free(NULL);
}

/* Damaged data has the same verdict. Of what comes out before it, ISA-L keeps what did not fit,
 * up to 64 KiB, and the last bytes are not believed; but it may find a bad block some symbols
 * later than zlib. Whatever it is, it is the same whatever was decoded before. */
static void test_damaged(void **state)
{
    struct inflater *d = inflater_new(), *fresh;
    struct rng r = rng_at(2, 0);
    size_t n_ours, n_theirs, n_fresh, u_ours, u_theirs, u_fresh, both;
    size_t i, n = 0, k, n_bad = 0;

    (void)state;
    for (i = 0; i < 3000; i++) {
        unsigned char was[4];
        size_t at;
        int mine, zlibs;

        if (i % 100 == 0)
            n = make(&r, packed, (int)(i / 100 % 10), Z_DEFAULT_STRATEGY);
        at = rng_below(&r, i % 2 ? n - 4 : 200);
        memcpy(was, packed + at, 4);
        for (k = 0; k < 4; k++)
            packed[at + k] = (unsigned char)(rng_below(&r, 2) ? rng_next(&r) : was[k]);
        zlibs = by_zlib(packed, n, theirs, &n_theirs, &u_theirs);
        mine = by_ours(d, packed, n, i % 3 ? 100000 : 500, i % 5 ? 100000 : 300, ours, &n_ours,
                       &u_ours);
        assert_int_equal(mine, zlibs);
        both = n_ours < n_theirs ? n_ours : n_theirs;
        assert_memory_equal(ours, theirs, both);
        assert_true(i % 5 == 0 || both + 1024 > n_theirs);
        fresh = inflater_new();
        assert_int_equal(by_ours(fresh, packed, n, i % 3 ? 100000 : 500, i % 5 ? 100000 : 300,
                                 theirs, &n_fresh, &u_fresh),
                         mine);
        assert_int_equal(n_fresh, n_ours);
        assert_memory_equal(theirs, ours, n_ours);
        inflater_free(fresh);
        if (mine == INFLATE_END) {
            assert_int_equal(n_ours, n_theirs);
            assert_int_equal(u_ours, u_theirs);
            assert_int_equal(inflater_crc(d), crc32(0, ours, (uInt)n_ours));
        }
        n_bad += mine == INFLATE_BAD;
        memcpy(packed + at, was, 4);
    }
    assert_in_range(n_bad, 300, 2900);    // else the test is about nothing
    inflater_free(d);
}

static void test_headers(void **state)
{
    static const char plain[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03", named[] = "\x1f\x8b\x08\x08\0\0\0\0"
                                                                          "\0\x03name\0";
    static const char extra[] = "\x1f\x8b\x08\x1c\0\0\0\0\0\x03\3\0abcname\0comment\0";
    unsigned char crc[12];
    size_t i;

    (void)state;
    assert_int_equal(gzip_header((const unsigned char *)plain, 10), 10);
    assert_int_equal(gzip_header((const unsigned char *)named, 15), 15);
    assert_int_equal(gzip_header((const unsigned char *)extra, 28), 28);
    for (i = 2; i < 28; i++)
        assert_int_equal(gzip_header((const unsigned char *)extra, i), 0);
    memcpy(crc, plain, 10);
    crc[3] = 2;
    crc[10] = (unsigned char)crc32(0, crc, 10);
    crc[11] = (unsigned char)(crc32(0, crc, 10) >> 8);
    assert_int_equal(gzip_header(crc, 12), 12);
    assert_int_equal(gzip_header(crc, 11), 0);
    crc[4] ^= 1;
    assert_int_equal(gzip_header(crc, 12), -1);
    crc[3] = 0x20;    // a reserved flag
    assert_int_equal(gzip_header(crc, 12), -1);
    crc[2] = 7;
    assert_int_equal(gzip_header(crc, 3), -1);
}

TESTS("io/inflate", cmocka_unit_test(test_whole), cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_headers))
