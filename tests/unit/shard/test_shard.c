/* The container: what is written is read, segments join, and reading goes on behind damage. */
#include "container.h"

#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

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
      cmocka_unit_test(test_codecs), cmocka_unit_test(test_segments), cmocka_unit_test(test_resync),
      cmocka_unit_test(test_what_it_looks_like), cmocka_unit_test(test_long_index),
      cmocka_unit_test(test_pipe_is_quick))
