/* The container: no cut, no changed bit and no frame that lies goes unnoticed. */
#include "container.h"

#include "base/hash.h"

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

TESTS("shard/damage", cmocka_unit_test(test_truncation), cmocka_unit_test(test_every_flip),
      cmocka_unit_test(test_file_flips), cmocka_unit_test(test_sampled_flips),
      cmocka_unit_test(test_hostile_sizes), cmocka_unit_test(test_hostile_frames),
      cmocka_unit_test(test_hostile_index), cmocka_unit_test(test_wrong_ends))
