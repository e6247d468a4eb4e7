/* What comes out of whole, odd, cut and damaged files: see also test_damage.c. */
#include "stored.h"

#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

static void add_frame(struct buf *b, const void *p, size_t n)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(n), r;

    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    buf_need(b, b->n + bound);
    r = ZSTD_compress2(c, b->p + b->n, bound, p, n);
    assert_false(ZSTD_isError(r));
    b->n += r;
    ZSTD_freeCCtx(c);
}

static void test_plain(void **state)
{
    struct buf b = { 0 };

    (void)state;
    expect(&b, "", 0, 0);
    buf_add_str(&b, "\x1f");    // half a magic
    expect(&b, "\x1f", 1, 0);
    buf_reset(&b);
    while (b.n < 3000000)
        buf_printf(&b, "line %zu\n", b.n);
    expect(&b, b.p, b.n, 0);
    buf_release(&b);
}

static void test_gzip_members(void **state)
{
    struct buf b = { 0 };

    (void)state;
    add_member(&b, "one ", 4, 9, 0);
    expect(&b, "one ", 4, 0);
    add_member(&b, "", 0, 9, 0);
    add_member(&b, "two ", 4, 0, 1);
    add_member(&b, "", 0, 9, 1);
    add_member(&b, "three", 5, 9, 0);
    expect(&b, "one two three", 13, 0);
    buf_add(&b, "\0\0\0\0\0", 5);
    expect(&b, "one two three", 13, 5);
    buf_add_str(&b, "garbage \x1f\x8b behind");
    expect(&b, "one two three", 13, 5 + 17);
    buf_release(&b);
}

static void test_zstd(void **state)
{
    struct buf b = { 0 };
    size_t two;

    (void)state;
    add_frame(&b, "one ", 4);
    buf_add(&b, "\x5e\x2a\x4d\x18\3\0\0\0abc", 11);    // a skippable frame
    two = b.n;
    add_frame(&b, "two ", 4);
    add_frame(&b, "", 0);
    add_frame(&b, "three", 5);
    expect(&b, "one two three", 13, 0);
    b.p[two + 10] ^= 1;
    expect_trouble(&b, 1, "x: zstd frame at byte 28: ", "one three");
    b.p[two + 10] ^= 1;
    b.n--;
    expect_trouble(&b, 1, "cut short", "one two three");
    b.n = two;
    buf_add_str(&b, "what is this");
    expect_trouble(&b, 1, "x: zstd frame at byte 28: ", "one ");
    buf_release(&b);
}

/* Bytes that trickle down a pipe, and read errors. */
static void test_pipe(void **state)
{
    struct buf b = { 0 }, out = { 0 };
    int fd[2], status;
    char path[40];
    size_t i;
    pid_t child;

    (void)state;
    add_member(&b, "hello ", 6, 9, 1);
    add_member(&b, "pipe", 4, 9, 0);
    assert_int_equal(pipe(fd), 0);
    child = fork();
    if (child == 0) {
        for (i = 0; i < b.n; i++)
            if (write(fd[1], b.p + i, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(fd[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", fd[0]);
    assert_int_equal(drain(path, &out, NULL, NULL), 0);
    assert_int_equal(out.n, 10);
    assert_memory_equal(out.p, "hello pipe", 10);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fd[0]);
    buf_release(&b);
    buf_release(&out);
}

static void test_read_errors(void **state)
{
    struct err err;
    struct stream *s;
    char c;

    (void)state;
    assert_null(stream_open(".", &err));
    assert_string_equal(err.msg, ".: is a directory");
    assert_null(stream_open("nowhere", &err));
    assert_string_equal(err.msg, "nowhere: No such file or directory");
    s = stream_open("/proc/self/mem", &err);    // its first page is not there: EIO
    if (!s)
        skip();
    assert_int_equal(stream_read(s, &c, 1, &err), -1);
    assert_string_equal(err.msg, "/proc/self/mem: byte 0: read failed: Input/output error");
    assert_int_equal(stream_resume(s, &err), -1);
    assert_int_equal(stream_read(s, &c, 1, &err), -1);
    stream_close(s);
}

static void check_line(struct stream *s, const char *want)
{
    struct bytes line;
    struct err err;

    assert_int_equal(stream_line(s, &line, 20, &err), 1);
    assert_int_equal(line.n, strlen(want));
    assert_memory_equal(line.p, want, line.n);
}

static void test_lines(void **state)
{
    struct buf b = { 0 };
    struct bytes line;
    struct err err;
    struct stream *s;

    (void)state;
    buf_add_str(&b, "one\n\r\n\ntwenty characters!!\n21 characters, as here\nlast");
    save("x", &b);
    s = stream_open("x", &err);
    check_line(s, "one");
    check_line(s, "\r");
    check_line(s, "");
    check_line(s, "twenty characters!!");
    assert_int_equal(stream_line(s, &line, 20, &err), -1);
    assert_string_equal(err.msg, "x: line at byte 27 of the text: longer than 20 bytes");
    check_line(s, "last");
    assert_int_equal(stream_line(s, &line, 20, &err), 0);
    assert_int_equal(stream_line(s, &line, 20, &err), 0);
    assert_int_equal(stream_offset(s), b.n);
    stream_close(s);
    buf_release(&b);
}

/* Lines of all sizes around those of the buffers. */
static void test_long_lines(void **state)
{
    static const size_t size[] = { 1, 262143, 262144, 262145, 1000000, 5, 327680, 0, 2000000 };
    struct buf b = { 0 };
    struct bytes line;
    struct err err;
    struct stream *s;
    size_t i, n = sizeof(size) / sizeof(size[0]);

    (void)state;
    for (i = 0; i < n; i++) {
        buf_need(&b, b.n + size[i]);
        memset(b.p + b.n, (int)('a' + i), size[i]);
        b.n += size[i];
        buf_add_byte(&b, '\n');
    }
    save("x", &b);
    s = stream_open("x", &err);
    for (i = 0; i < n; i++) {
        assert_int_equal(stream_line(s, &line, 1000000, &err), size[i] > 1000000 ? -1 : 1);
        if (size[i] > 1000000)
            continue;
        assert_int_equal(line.n, size[i]);
        assert_true(!line.n || (line.p[0] == 'a' + i && line.p[line.n - 1] == 'a' + i));
    }
    assert_int_equal(stream_line(s, &line, 1000000, &err), 0);
    stream_close(s);
    buf_release(&b);
}

static void test_peek_and_read_all(void **state)
{
    struct buf b = { 0 };
    const unsigned char *p;
    char got[8];
    struct err err;
    struct stream *s;

    (void)state;
    add_member(&b, "abc", 3, 9, 0);
    add_member(&b, "defgh", 5, 9, 0);
    save("x", &b);
    s = stream_open("x", &err);
    assert_true(stream_peek(s, 5, &p, &err) >= 5);
    assert_memory_equal(p, "abcde", 5);
    assert_int_equal(stream_read_all(s, got, 6, &err), 1);
    assert_memory_equal(got, "abcdef", 6);
    assert_int_equal(stream_peek(s, 100, &p, &err), 2);
    assert_int_equal(stream_read_all(s, got, 3, &err), -1);
    assert_string_equal(err.msg, "x: byte 8: cut short");
    assert_int_equal(stream_read_all(s, got, 3, &err), 0);
    assert_int_equal(stream_peek(s, 1, &p, &err), 0);
    stream_close(s);
    buf_release(&b);
}

/* What was decoded before the damage comes first, and is dropped by going on. */
static void test_order_at_damage(void **state)
{
    struct buf b = { 0 };
    const unsigned char *p;
    struct bytes line;
    struct err err;
    struct stream *s;

    (void)state;
    add_member(&b, "a\nb\n", 4, 9, 0);
    add_member(&b, "c\npart", 6, 0, 0);
    b.p[b.n - 8] ^= 1;
    add_member(&b, "d\n", 2, 9, 0);
    save("x", &b);
    s = stream_open("x", &err);
    check_line(s, "a");
    assert_int_equal(stream_peek(s, 100, &p, &err), 8);
    check_line(s, "b");
    check_line(s, "c");
    assert_int_equal(stream_line(s, &line, 20, &err), -1);
    assert_non_null(strstr(err.msg, "checksum"));
    assert_int_equal(stream_damaged_from(s), 4);
    assert_int_equal(stream_peek(s, 1, &p, &err), -1);
    assert_int_equal(stream_resume(s, &err), 1);
    check_line(s, "d");
    assert_int_equal(stream_line(s, &line, 20, &err), 0);
    stream_close(s);
    buf_release(&b);
}

static void test_crawl_sizes(void **state)
{
    static const struct {
        const char *name;
        uint64_t size, junk;
        int damage;
    } want[] = {
        { "broken/all-gzip-header-fields.wet.gz", 80107, 0, 0 },
        { "broken/empty-members.wet.gz", 80107, 0, 0 },
        { "broken/empty.wet.gz", 0, 0, 0 },
        { "broken/record-across-members.wet.gz", 80107, 0, 0 },
        { "broken/trailing-garbage.wet.gz", 80107, 29, 0 },
        { "broken/trailing-zeros.wet.gz", 80107, 512, 0 },
        { "broken/bad-crc-member5.wet.gz", 80107, 0, 1 },
        { "broken/bad-isize-member5.wet.gz", 80107, 0, 1 },
        { "broken/truncated-in-header.wet.gz", 80107, 0, 1 },
        { "broken/not-gzip.wet.gz", 4000, 0, 0 },
        { "wet/core-5langs-a.warc.wet.gz", 2303938, 0, 0 },
        { "wet/oscar-lines-a.warc.wet.gz", 3730972, 0, 0 },
        { "wet/hplt-zh-a.warc.wet.gz", 2493127, 0, 0 },
        { "warc/jwarc-gzip_extra_sl.warc.gz", 615, 0, 0 },
        { "warc/ukwa-sopa-wikipedia-homepage.warc.gz", 745269, 0, 0 },
        { "warc/resiliparse-clipped.warc.gz", 75657, 0, 1 },
    };
    struct buf out = { 0 };
    uint64_t junk;
    char path[600];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        snprintf(path, sizeof(path), "%s/data/crawl/%s", test_shared, want[i].name);
        if (access(path, R_OK) != 0)
            skip();
        assert_int_equal(drain(path, &out, &junk, NULL), want[i].damage);
        assert_int_equal(out.n, want[i].size);
        assert_int_equal(junk, want[i].junk);
    }
    buf_release(&out);
}

TESTS("io/stream", cmocka_unit_test(test_plain), cmocka_unit_test(test_gzip_members),
      cmocka_unit_test(test_zstd), cmocka_unit_test(test_pipe), cmocka_unit_test(test_read_errors),
      cmocka_unit_test(test_lines), cmocka_unit_test(test_long_lines),
      cmocka_unit_test(test_peek_and_read_all), cmocka_unit_test(test_order_at_damage),
      cmocka_unit_test(test_crawl_sizes))
