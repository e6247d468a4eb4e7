/* The container: what is written is read, all damage is found, segments join. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/rng.h"
#include "shard/shard_frame.h"

static struct shard_header *header(const char *vocab)
{
    struct shard_header *h = shard_header_new("ids");

    shard_header_set(h, "vocab.sha256", "%s", vocab);
    return h;
}

/* Payload of block i: n bytes, half of them predictable. */
static void fill(struct buf *b, uint64_t i, size_t n)
{
    uint64_t key = rng_key(4, "test shard");
    size_t k;

    buf_reset(b);
    for (k = 0; k < n; k++)
        buf_add_byte(b, (unsigned char)(k % 2 ? rng_u64(key, i, k) : i));
}

static void write_shard(const char *path, const char *vocab, int n_block, size_t size)
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

static struct buf load(const char *path)
{
    struct buf b = { 0 };
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    buf_need(&b, 4 << 20);
    b.n = fread(b.p, 1, b.cap, f);
    fclose(f);
    return b;
}

static void save(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Read all: the number of blocks, or -1. */
static int count_blocks(const char *path, struct err *err)
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
static int count_file_blocks(const char *path, struct err *err)
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

static void test_round_trip(void **state)
{
    struct err err;
    struct buf want = { 0 };
    struct shard_reader *r;
    struct shard_block b;
    uint64_t first = 0;
    int i;

    (void)state;
    write_shard("a", "v", 5, 70000);
    r = shard_open("a", &err);
    assert_non_null(r);
    for (i = 0; i < 5; i++) {
        assert_int_equal(shard_next(r, &b, &err), 1);
        fill(&want, (uint64_t)i, 70000);
        assert_int_equal(b.payload.n, want.n);
        assert_memory_equal(b.payload.p, want.p, want.n);
        assert_int_equal(b.first_record, first);
        assert_int_equal(b.n_record, i + 1);
        assert_int_equal(b.flags, i % 2);
        first += b.n_record;
    }
    assert_int_equal(shard_next(r, &b, &err), 0);
    assert_int_equal(shard_reader_segment(r)->tokens, 50);
    assert_int_equal(shard_reader_segment(r)->records, 15);
    shard_close(r);
    buf_release(&want);
    write_shard("a", "v", 0, 0);
    assert_int_equal(count_blocks("a", &err), 0);
    assert_int_equal(count_file_blocks("a", &err), 0);
}

static void test_limits(void **state)
{
    static unsigned char big[SHARD_PAYLOAD_MAX];
    struct shard_header *h = header("v");
    struct err err;
    struct shard_writer *w = shard_create("a", h, &err);

    (void)state;
    assert_int_equal(shard_write(w, (struct bytes){ big, sizeof(big) }, 0, 1, 0, &err), 0);
    assert_int_equal(shard_write(w, (struct bytes){ big, 0 }, 0, UINT32_MAX, 0, &err), 0);
    assert_int_equal(shard_finish(w, &err), 0);
    assert_int_equal(count_blocks("a", &err), 2);
    assert_int_equal(count_file_blocks("a", &err), 2);
    memset(big, 'x', sizeof(big) - 1);
    shard_header_set(h, "long", "%s", (char *)big);
    assert_null(shard_create("b", h, &err));    // a header over 1 MiB
    assert_null(fopen("b", "rb"));
    shard_header_free(h);
}

static void test_header(void **state)
{
    struct shard_header *h = shard_header_new("ids"), *copy;
    const char *key, *value;
    struct buf b = { 0 };
    struct err err;

    (void)state;
    shard_header_set(h, "tool", "spm-encode 0.1.0");
    shard_header_set(h, "options", "-m m.model");
    shard_header_set(h, "own.key", "ünknown = %d\n.", 5);
    shard_header_set(h, "tool", "spm-encode 0.1.1");
    assert_string_equal(shard_header_get(h, "own.key"), "ünknown = 5 .");
    assert_int_equal(shard_header_int(h, "version", 9), 1);
    assert_int_equal(shard_header_int(h, "tool", 9), 9);
    shard_header_stamp(h, "--x", 3);
    shard_header_stamp(h, "--y", 4);
    shard_header_format(h, &b);
    copy = shard_header_parse(buf_bytes(&b), &err);
    assert_non_null(copy);
    assert_int_equal(shard_header_n(copy), 8);
    shard_header_at(copy, 5, &key, &value);
    assert_string_equal(key, "parent");
    assert_int_equal(strncmp(value, "spm-encode 0.1.1 [-m m.model] sha256:", 37), 0);
    assert_int_equal(strlen(value), 37 + 64);
    shard_header_at(copy, 7, &key, &value);
    assert_non_null(strstr(value, " [--x] seed=3 sha256:"));
    assert_string_equal(shard_header_get(copy, "options"), "--y");
    shard_header_free(copy);
    shard_header_free(h);
    buf_release(&b);
}

static void test_hostile_headers(void **state)
{
    static const char *const bad[] = {
        "",
        "kind=ids\n",
        "version=1\n",
        "kind=ids\nversion=2\n",
        "kind=ids\nversion=1",
        "kind=ids\nversion=1\nx\n",
        "kind=ids\nversion=1\n=x\n",
        "kind=ids\nversion=1\na b=x\n",
        "kind=ids\nversion=1\n\n",
    };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(shard_header_parse(
            (struct bytes){ (const unsigned char *)bad[i], strlen(bad[i]) }, &err));
    assert_null(shard_header_parse(
        (struct bytes){ (const unsigned char *)"kind=ids\nversion=1\na=\0\n", 23 }, &err));
}

/* Every cut of a small shard is an error, read forward and by number. */
static void test_truncation(void **state)
{
    struct err err;
    struct buf b;
    size_t n;

    (void)state;
    write_shard("a", "v", 3, 50);
    b = load("a");
    for (n = 0; n < b.n; n++) {
        save("cut", b.p, n);
        if (count_blocks("cut", &err) != -1 || count_file_blocks("cut", &err) != -1)
            fail_msg("cut to %zu of %zu bytes goes unnoticed", n, b.n);
    }
    assert_int_equal(count_blocks("a", &err), 3);
    buf_release(&b);
}

static void flip(const struct buf *b, size_t byte, int bit)
{
    struct err err;

    b->p[byte] ^= (unsigned char)(1 << bit);
    save("flipped", b->p, b->n);
    if (count_blocks("flipped", &err) != -1)
        fail_msg("bit %d of byte %zu goes unnoticed", bit, byte);
    b->p[byte] ^= (unsigned char)(1 << bit);
}

static void test_every_flip(void **state)
{
    struct buf b;
    size_t i;
    int bit;

    (void)state;
    write_shard("a", "v", 3, 50);
    b = load("a");
    for (i = 0; i < b.n; i++)
        for (bit = 0; bit < 8; bit++)
            flip(&b, i, bit);
    buf_release(&b);
}

/* The file reader, which need not look at padding between blocks, gives the true blocks or an
 * error, whatever is flipped. */
static void test_file_flips(void **state)
{
    struct err err;
    struct buf b, want = { 0 };
    struct shard_block block;
    size_t i, k;

    (void)state;
    write_shard("a", "v", 3, 50);
    b = load("a");
    for (i = 0; i < b.n; i++) {
        struct shard_file *f;

        b.p[i] ^= 0x5a;
        save("flipped", b.p, b.n);
        b.p[i] ^= 0x5a;
        f = shard_file_open("flipped", &err);
        for (k = 0; f && k < shard_file_blocks(f); k++) {
            fill(&want, k, 50);
            if (shard_file_block(f, k, &block, &err) == 0 &&
                (block.payload.n != 50 || memcmp(block.payload.p, want.p, 50)))
                fail_msg("byte %zu changed: a wrong block", i);
        }
        shard_file_close(f);
    }
    buf_release(&b);
    buf_release(&want);
}

static void test_sampled_flips(void **state)
{
    struct rng rng = rng_at(rng_key(5, "flips"), 0);
    struct buf b;
    int i;

    (void)state;
    write_shard("a", "v", 8, 200000);
    b = load("a");
    assert_true(b.n > 900000);
    for (i = 0; i < 100; i++)
        flip(&b, rng_below(&rng, b.n), (int)rng_below(&rng, 8));
    buf_release(&b);
}

/* A frame of our own making, whatever it says. */
static void add_frame(struct buf *b, char letter, int codec, uint32_t stored, uint32_t plain,
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

static struct bytes text(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static const char plain_header[] = "kind=ids\nversion=1\n";

static void add_header(struct buf *b)
{
    struct bytes h = text(plain_header);

    add_frame(b, 'S', 0, (uint32_t)h.n, (uint32_t)h.n, 0, 0, h);
}

static void expect(const struct buf *b, const char *says)
{
    struct err err = { "" };
    int n;

    save("made", b->p, b->n);
    n = count_blocks("made", &err);
    if (n != -1 || !strstr(err.msg, says))
        fail_msg("%d: %s (wanted: %s)", n, err.msg, says);
}

static void test_hostile_sizes(void **state)
{
    static const uint32_t size[] = { 0, 1, 16 << 20, (16 << 20) + 1, INT32_MAX, UINT32_MAX };
    struct buf b = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < 6; i++) {
        buf_reset(&b);
        add_header(&b);
        add_frame(&b, 'B', 0, size[i], 4, 1, 0, text("four"));
        expect(&b, i < 3 ? "sizes differ" : "larger than 16 MiB");
        buf_reset(&b);
        add_header(&b);
        add_frame(&b, 'B', 0, size[i], size[i], 1, 0, text("four"));
        expect(&b, i < 2 ? "checksum" : i == 2 ? "cut short" : "larger than 16 MiB");
        buf_reset(&b);
        add_header(&b);
        add_frame(&b, 'B', 1, 4, size[i], 1, 0, text("four"));
        expect(&b, i < 3 ? "does not decompress" : "larger than 16 MiB");
        buf_reset(&b);
        add_frame(&b, 'S', 0, size[i], size[i], 0, 0, text("four"));
        expect(&b, i < 2 ? "checksum" : i == 2 ? "cut short" : "larger than 16 MiB");
    }
    buf_release(&b);
}

static void test_hostile_frames(void **state)
{
    struct buf b = { 0 };
    size_t start;

    (void)state;
    add_header(&b);
    start = b.n;
    add_frame(&b, 'B', 0, 4, 4, 0, 0, text("four"));
    expect(&b, "no records");
    b.n = start;
    add_frame(&b, 'B', 0, 4, 4, 1, 1, text("four"));
    expect(&b, "another number");
    b.n = start;
    add_frame(&b, 'B', 3, 4, 4, 1, 0, text("four"));
    expect(&b, "unknown codec");
    b.n = start;
    add_frame(&b, 'S', 0, 4, 4, 0, 0, text("four"));
    expect(&b, "out of place");
    b.n = start;
    add_frame(&b, 'I', 0, 4, 4, 1, 0, text("four"));
    expect(&b, "wrong size or place");
    b.n = start;
    add_frame(&b, 'E', 0, 4, 4, 0, 0, text("four"));
    expect(&b, "wrong size");
    b.n = start;
    add_frame(&b, 'X', 0, 4, 4, 0, 0, text("four"));
    expect(&b, "no block begins here");
    buf_reset(&b);
    add_frame(&b, 'B', 0, 4, 4, 1, 0, text("four"));
    expect(&b, "not a shard");
    buf_release(&b);
}

/* A whole segment of two blocks, after "tamper" had its way with index and end. */
static void tampered(struct buf *b, int entry, size_t at, uint64_t value)
{
    unsigned char index[2 * INDEX_ENTRY] = { 0 }, end[END_PAYLOAD] = { 0 }, crc[8];
    unsigned char *mark = end + END_PAYLOAD - END_MARK;
    uint64_t offset[2], index_at;
    int i;

    buf_reset(b);
    add_header(b);
    for (i = 0; i < 2; i++) {
        offset[i] = b->n;
        add_frame(b, 'B', 0, 4, 4, 3, (uint64_t)i * 3, text(i ? "more" : "four"));
        memcpy(crc + 4 * i, b->p + offset[i] + 28, 4);
        put64(index + i * INDEX_ENTRY, offset[i]);
        put64(index + i * INDEX_ENTRY + 8, (uint64_t)i * 3);
        put32(index + i * INDEX_ENTRY + 16, 3);
    }
    index_at = b->n;
    if (entry == 0 || entry == 1)
        put64(index + entry * INDEX_ENTRY + at, value);
    add_frame(b, 'I', 0, sizeof(index), sizeof(index), 2, 0,
              (struct bytes){ index, sizeof(index) });
    put64(end, 2);
    put64(end + 8, 6);
    put64(end + 24, b->n + END_FRAME);
    put64(end + 32, b->n - index_at);
    hash_sha256(crc, sizeof(crc), end + 40);
    memcpy(mark, "SYE1", 4);
    put32(mark + 4, 1);
    put64(mark + 8, b->n + END_FRAME);
    put32(mark + 16, END_FRAME);
    if (entry == 2)
        put64(end + at, value);
    put32(mark + 28, hash_crc32c(0, mark, END_MARK - 4));
    add_frame(b, 'E', 0, sizeof(end), sizeof(end), 0, get64(end + 8),
              (struct bytes){ end, sizeof(end) });
}

/* Index entries that lie: outside, backwards, overlapping. Forward they are an error, and by
 * number the file's own frames are used, so that the blocks are right. */
static void test_hostile_index(void **state)
{
    static const uint64_t offset[] = { 0, 8, 57, 1 << 20, UINT64_MAX, UINT64_MAX - 7 };
    struct buf b = { 0 };
    struct err err;
    int entry;
    size_t i;

    (void)state;
    tampered(&b, -1, 0, 0);
    save("made", b.p, b.n);
    assert_int_equal(count_blocks("made", &err), 2);
    assert_int_equal(count_file_blocks("made", &err), 2);
    for (entry = 0; entry < 2; entry++)
        for (i = 0; i < sizeof(offset) / sizeof(offset[0]); i++) {
            tampered(&b, entry, 0, offset[i]);
            expect(&b, "index does not match");
            assert_int_equal(count_file_blocks("made", &err), 2);
            tampered(&b, entry, 8, offset[i] + 7);
            expect(&b, "index does not match");
            assert_int_equal(count_file_blocks("made", &err), 2);
        }
    tampered(&b, 1, 0, 56);    // where block 0 is
    expect(&b, "index does not match");
    assert_int_equal(count_file_blocks("made", &err), 2);
    tampered(&b, 0, 16, UINT32_MAX);
    expect(&b, "index does not match");
    assert_int_equal(count_file_blocks("made", &err), 2);
    buf_release(&b);
}

static void test_wrong_ends(void **state)
{
    static const struct {
        size_t at;
        const char *says;
    } field[] = { { 0, "not as many" }, { 8, "not as many" },  { 24, "contradicts itself" },
                  { 32, "index does" }, { 40, "fingerprint" }, { 64, "fingerprint" } };
    static const uint64_t value[] = { 0, 1, 7, 1 << 20, UINT64_MAX };
    struct buf b = { 0 };
    struct err err;
    size_t i, v;

    (void)state;
    for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        for (v = 0; v < sizeof(value) / sizeof(value[0]); v++) {
            tampered(&b, 2, field[i].at, value[v]);
            expect(&b, field[i].says);
            if (field[i].at < 16)    // the file reader counts too
                assert_int_equal(count_file_blocks("made", &err), -1);
        }
    /* the mark at the very end: bytes of the segment, size of the end block */
    for (v = 0; v < sizeof(value) / sizeof(value[0]); v++) {
        tampered(&b, 2, END_PAYLOAD - END_MARK + 8, value[v]);
        expect(&b, "contradicts itself");
        assert_int_equal(count_file_blocks("made", &err), -1);
        tampered(&b, 2, END_PAYLOAD - END_MARK + 16, value[v]);
        expect(&b, "unknown kind of end mark");
        assert_int_equal(count_file_blocks("made", &err), -1);
    }
    buf_release(&b);
}

static void test_codecs(void **state)
{
    unsigned char packed[200];
    uLongf n = sizeof(packed);
    struct bytes plain = text("deflate deflate deflate deflate");
    struct buf b = { 0 }, room = { 0 };
    struct unpacker *u = NULL;
    struct bytes payload;
    struct frame f;

    (void)state;
    assert_int_equal(compress(packed, &n, plain.p, plain.n), Z_OK);
    add_frame(&b, 'B', 2, (uint32_t)n, (uint32_t)plain.n, 1, 0, (struct bytes){ packed, n });
    assert_null(frame_parse(&f, b.p));
    assert_null(frame_verify(&f, b.p));
    assert_null(frame_unpack(&u, &f, packed, &room, &payload));
    assert_int_equal(payload.n, plain.n);
    assert_memory_equal(payload.p, plain.p, plain.n);
    f.plain--;
    assert_non_null(frame_unpack(&u, &f, packed, &room, &payload));
    f.plain += 2;
    assert_non_null(frame_unpack(&u, &f, packed, &room, &payload));
    f.plain--;
    f.stored++;    // bytes behind the packed ones
    assert_non_null(frame_unpack(&u, &f, packed, &room, &payload));
    unpacker_free(u);
    buf_release(&b);
    buf_release(&room);
}

static void test_segments(void **state)
{
    struct err err;
    struct shard_file *f;
    struct shard_segment s;
    uint64_t first;

    (void)state;
    write_shard("a", "v", 3, 500);
    write_shard("none", "v", 0, 0);
    write_shard("other", "w", 1, 5);
    assert_int_equal(system("cat none a none none a none >all; cat a other >mixed;"
                            "{ cat a; echo junk; cat a; } >junk"),
                     0);
    assert_int_equal(count_blocks("all", &err), 6);
    assert_int_equal(count_file_blocks("all", &err), 6);
    f = shard_file_open("all", &err);
    assert_int_equal(shard_file_segments(f), 6);
    assert_int_equal(shard_file_records(f), 12);
    assert_int_equal(shard_file_tokens(f), 60);
    shard_file_segment(f, 4, &s);
    assert_int_equal(s.blocks, 3);
    assert_int_equal(shard_file_find(f, 0, &first), 0);
    assert_int_equal(shard_file_find(f, 2, &first), 1);
    assert_int_equal(shard_file_find(f, 3, &first), 2);
    assert_int_equal(first, 3);
    assert_int_equal(shard_file_find(f, 6, &first), 3);
    assert_int_equal(shard_file_find(f, 11, &first), 5);
    assert_int_equal(first, 9);
    shard_file_close(f);
    assert_int_equal(count_blocks("mixed", &err), -1);
    assert_non_null(strstr(err.msg, "vocab.sha256 differs"));
    assert_int_equal(count_file_blocks("mixed", &err), -1);
    assert_int_equal(count_blocks("junk", &err), -1);
    assert_non_null(strstr(err.msg, "no header where a segment should begin"));
    assert_int_equal(count_file_blocks("junk", &err), -1);
}

/* After damage: the blocks behind it, and how many bytes were passed over. */
static int recover(const char *path, uint64_t *skipped)
{
    struct err err;
    struct shard_reader *r = shard_open(path, &err);
    struct shard_block b;
    int n = 0, got;

    *skipped = 0;
    assert_non_null(r);
    do {
        got = shard_next(r, &b, &err);
        n += got == 1;
        if (got < 0)
            got = shard_resync(r, skipped, &err);
    } while (got > 0);
    shard_close(r);
    return n;
}

static void test_resync(void **state)
{
    struct err err;
    struct shard_file *f;
    struct shard_block block;
    struct buf b;
    uint64_t skipped, at, size;
    size_t i;

    (void)state;
    write_shard("a", "v", 4, 3000);
    b = load("a");
    f = shard_file_open("a", &err);
    assert_int_equal(shard_file_block(f, 1, &block, &err), 0);
    at = block.file_offset;
    assert_int_equal(shard_file_block(f, 2, &block, &err), 0);
    size = block.file_offset - at;
    shard_file_close(f);
    for (i = 0; i < size; i += i < 40 ? 1 : 97) {    // anywhere in block 1
        b.p[at + i] ^= 0xff;
        save("hurt", b.p, b.n);
        b.p[at + i] ^= 0xff;
        assert_int_equal(recover("hurt", &skipped), 3);
        assert_int_equal(skipped, size);
    }
    save("hurt", b.p, at + size / 2);    // cut in block 1
    assert_int_equal(recover("hurt", &skipped), 1);
    assert_int_equal(skipped, size / 2);
    assert_int_equal(system("{ cat a; echo junk; cat a; } >hurt"), 0);
    assert_int_equal(recover("hurt", &skipped), 8);
    assert_int_equal(skipped, 5);
    buf_release(&b);
}

static void test_what_it_looks_like(void **state)
{
    static const struct {
        const char *bytes, *says;
    } like[] = { { "", "it is empty" },
                 { "Hello\n", "it looks like text" },
                 { "{\"text\": 1}\n", "it looks like JSON" },
                 { "\x1f\x8b\x08", "it looks like gzip" },
                 { "\x28\xb5\x2f\xfd.", "it looks like zstd" },
                 { "\x01\x02\x03\x04\x05", "unknown bytes" } };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(like) / sizeof(like[0]); i++) {
        save("x", like[i].bytes, strlen(like[i].bytes));
        assert_null(shard_open("x", &err));
        assert_non_null(strstr(err.msg, like[i].says));
        assert_null(shard_file_open("x", &err));
    }
    assert_null(shard_open("/", &err));
    assert_null(shard_file_open("/dev/null", &err));
}

/* More blocks than one frame of index holds. */
static void test_long_index(void **state)
{
    struct shard_header *h = header("v");
    struct err err;
    struct shard_writer *w = shard_create("a", h, &err);
    struct shard_block b;
    struct shard_file *f;
    uint64_t i, first;

    (void)state;
    memset(&b, 0, sizeof(b));
    b.n_record = 2;
    for (i = 0; i < INDEX_FRAME_MAX + 10; i++)
        assert_int_equal(shard_write_packed(w, &b, 1, &err), 0);
    assert_int_equal(shard_finish(w, &err), 0);
    assert_int_equal(count_blocks("a", &err), INDEX_FRAME_MAX + 10);
    f = shard_file_open("a", &err);
    assert_int_equal(shard_file_find(f, 2 * INDEX_FRAME_MAX + 9, &first), INDEX_FRAME_MAX + 4);
    assert_int_equal(shard_file_block(f, INDEX_FRAME_MAX + 4, &b, &err), 0);
    assert_int_equal(b.first_record, 2 * INDEX_FRAME_MAX + 8);
    shard_file_close(f);
    shard_header_free(h);
}

/* The first block of a writer is in the pipe before the second is begun. */
static void test_pipe_is_quick(void **state)
{
    int fd[2], status;
    pid_t child;
    struct err err;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    child = fork();
    if (child == 0) {
        struct shard_header *h = header("v");
        struct shard_writer *w;
        struct bytes small = text("small");

        dup2(fd[1], 1);
        close(fd[1]);
        w = shard_create("-", h, &err);
        if (!w || shard_write(w, small, 0, 1, 1, &err) < 0)
            _exit(1);
        _exit(0);    // no finish: what was not flushed is lost
    }
    close(fd[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    {
        char got[4096];
        ssize_t n = read(fd[0], got, sizeof(got));

        assert_true(n > FRAME_HEAD * 2);
        save("got", got, (size_t)n);
    }
    close(fd[0]);
    assert_int_equal(count_blocks("got", &err), -1);
    assert_non_null(strstr(err.msg, "segment 0, block 1: cut short"));
}

TESTS("shard/shard", cmocka_unit_test(test_round_trip), cmocka_unit_test(test_limits),
      cmocka_unit_test(test_header), cmocka_unit_test(test_hostile_headers),
      cmocka_unit_test(test_truncation), cmocka_unit_test(test_every_flip),
      cmocka_unit_test(test_file_flips), cmocka_unit_test(test_sampled_flips),
      cmocka_unit_test(test_hostile_sizes), cmocka_unit_test(test_hostile_frames),
      cmocka_unit_test(test_hostile_index), cmocka_unit_test(test_wrong_ends),
      cmocka_unit_test(test_codecs), cmocka_unit_test(test_segments), cmocka_unit_test(test_resync),
      cmocka_unit_test(test_what_it_looks_like), cmocka_unit_test(test_long_index),
      cmocka_unit_test(test_pipe_is_quick))
