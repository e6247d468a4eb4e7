/* test_out.c - whole or not at all, and checked to the last byte. */
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/mem.h"
#include "io/out.h"
#include "io/stream.h"

static void check_file(const char *path, const void *p, size_t n)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    char *got = xmalloc(n + 1);

    assert_non_null(s);
    if (n)
        assert_int_equal(stream_read_all(s, got, n, &err), 1);
    assert_memory_equal(got, p, n);
    assert_int_equal(stream_read(s, got, 1, &err), 0);
    stream_close(s);
    free(got);
}

static int is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void test_whole_or_not(void **state)
{
    struct err err;
    struct out *o;

    (void)state;
    o = out_open("a", &err);
    assert_non_null(o);
    assert_int_equal(out_printf(o, &err, "%s %d", "text", 42), 0);
    assert_int_equal(out_offset(o), 7);
    assert_int_equal(out_flush(o, &err), 0);
    assert_false(is_there("a"));
    assert_true(is_there("a.part"));
    assert_int_equal(out_close(o, &err), 0);
    assert_false(is_there("a.part"));
    check_file("a", "text 42", 7);
    o = out_open("a", &err);
    assert_int_equal(out_write(o, "new", 3, &err), 0);
    out_abandon(o);
    assert_false(is_there("a.part"));
    check_file("a", "text 42", 7);
    out_abandon(NULL);
}

/* Sizes around those of the buffer, written in pieces of several sizes. */
static void check_sizes(const char *path)
{
    static const size_t size[] = { 0, 1, 262143, 262144, 262145, 1500000 };
    static const size_t piece[] = { 1000, 262144, 600000 };
    unsigned char *data = xmalloc(1500000);
    struct err err;
    size_t i, k, at;

    for (i = 0; i < 1500000; i++)
        data[i] = (unsigned char)(i * i >> 7);
    for (i = 0; i < sizeof(size) / sizeof(size[0]); i++)
        for (k = 0; k < sizeof(piece) / sizeof(piece[0]); k++) {
            struct out *o = out_open(path, &err);

            assert_non_null(o);
            for (at = 0; at < size[i]; at += piece[k]) {
                size_t n = size[i] - at < piece[k] ? size[i] - at : piece[k];

                assert_int_equal(out_write(o, data + at, n, &err), 0);
                if (at == 0)
                    assert_int_equal(out_flush(o, &err), 0);
            }
            assert_int_equal(out_offset(o), size[i]);
            assert_int_equal(out_close(o, &err), 0);
            check_file(path, data, size[i]);
        }
    free(data);
}

static void test_sizes(void **state)
{
    (void)state;
    check_sizes("plain");
    check_sizes("packed.gz");
    check_sizes("packed.zst");
}

static void test_packed_by_name(void **state)
{
    static const char *const path[] = { "p.gz", "p.zst", "gz" };
    static const char magic[][5] = { "\x1f\x8b", "\x28\xb5\x2f\xfd", "ab" };
    char got[4];
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        struct out *o = out_open(path[i], &err);
        FILE *f;

        assert_int_equal(out_write(o, "ab", 2, &err), 0);
        assert_int_equal(out_close(o, &err), 0);
        f = fopen(path[i], "rb");
        assert_int_equal(fread(got, 1, strlen(magic[i]), f), strlen(magic[i]));
        fclose(f);
        assert_memory_equal(got, magic[i], strlen(magic[i]));
    }
}

static void test_full_disk(void **state)
{
    static char block[400000];
    struct err err;
    struct out *o;

    (void)state;
    if (!is_there("/dev/full"))
        skip();
    o = out_open("/dev/full", &err);
    assert_non_null(o);
    assert_int_equal(out_write(o, "x", 1, &err), 0);
    assert_int_equal(out_close(o, &err), -1);
    assert_string_equal(err.msg, "/dev/full: write failed: No space left on device");
    o = out_open("/dev/full", &err);
    assert_int_equal(out_write(o, block, sizeof(block), &err), -1);
    assert_int_equal(out_write(o, "x", 1, &err), -1);    // once failed, it stays failed
    err.msg[0] = 0;
    assert_int_equal(out_close(o, &err), -1);
    assert_string_equal(err.msg, "/dev/full: write failed: No space left on device");
}

static void test_special_files(void **state)
{
    struct err err;
    struct out *o;
    struct stat st;
    char got[4] = "";
    int fd;

    (void)state;
    o = out_open("/dev/null", &err);
    assert_int_equal(out_write(o, "x", 1, &err), 0);
    assert_int_equal(out_close(o, &err), 0);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(mkfifo("fifo", 0600), 0);
    fd = open("fifo", O_RDONLY | O_NONBLOCK);
    o = out_open("fifo", &err);
    assert_int_equal(out_write(o, "abc", 3, &err), 0);
    assert_int_equal(out_close(o, &err), 0);
    assert_int_equal(read(fd, got, 3), 3);
    assert_string_equal(got, "abc");
    close(fd);
    assert_false(is_there("fifo.part"));
    assert_null(out_open(".", &err));
    assert_string_equal(err.msg, ".: cannot write: Is a directory");
    assert_null(out_open("no/where", &err));
    assert_string_equal(err.msg, "no/where: cannot write: No such file or directory");
    assert_null(out_open("", &err));
}

static void test_links_and_modes(void **state)
{
    struct err err;
    struct out *o;
    struct stat st;

    (void)state;
    o = out_open("target", &err);
    assert_int_equal(out_close(o, &err), 0);
    assert_int_equal(chmod("target", 0640), 0);
    assert_int_equal(symlink("target", "link"), 0);
    o = out_open("link", &err);
    assert_int_equal(out_write(o, "through", 7, &err), 0);
    assert_int_equal(out_close(o, &err), 0);
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat("target", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    check_file("target", "through", 7);
}

/* Run f in a child, its standard output in a file: its exit status. */
static int in_child(void (*f)(void), const char *standard_output)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        int fd = open(standard_output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || !freopen("messages", "w", stderr))
            _exit(99);
        f();
        exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void opens_and_dies(void)
{
    struct err err;

    out_write(out_open("dies", &err), "x", 1, &err);
    out_write(out_open("dies.gz", &err), "x", 1, &err);
    die("that was it");
}

static void opens_and_forks(void)
{
    struct err err;
    struct out *o = out_open("forks", &err);
    pid_t child = fork();

    if (child == 0)
        exit(0);    // its end is not its parent's
    waitpid(child, NULL, 0);
    if (out_close(o, &err) < 0)
        exit(3);
}

static void test_end_of_process(void **state)
{
    (void)state;
    assert_int_equal(in_child(opens_and_dies, "null"), 1);
    assert_false(is_there("dies") || is_there("dies.part") || is_there("dies.gz.part"));
    assert_int_equal(in_child(opens_and_forks, "null"), 0);
    assert_true(is_there("forks"));
}

static void print_and_write(void)
{
    struct err err;
    struct out *o;

    printf("one ");
    o = out_open("-", &err);
    if (!o || out_write(o, "two ", 4, &err) < 0 || out_close(o, &err) < 0)
        exit(3);
    printf("three");
    out_close_stdout();
}

static void write_only(void)
{
    struct err err;
    struct out *o = out_open("-", &err);

    out_write(o, "x", 1, &err);
    exit(out_close(o, &err) < 0 && strstr(err.msg, "standard output: write failed: No space") ? 0
                                                                                              : 3);
}

static void print_only(void)
{
    printf("x");
    out_close_stdout();
}

static void print_nothing(void)
{
    close(STDOUT_FILENO);
    out_close_stdout();
}

static void test_standard_output(void **state)
{
    (void)state;
    assert_int_equal(in_child(print_and_write, "said"), 0);
    check_file("said", "one two three", 13);
    assert_int_equal(in_child(print_nothing, "said"), 0);
    if (!is_there("/dev/full"))
        skip();
    assert_int_equal(in_child(write_only, "/dev/full"), 0);
    assert_int_equal(in_child(print_only, "/dev/full"), 1);
    check_file("messages", "switchyard: standard output: write failed: No space left on device\n",
               67);
}

TESTS("io/out", cmocka_unit_test(test_whole_or_not), cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_packed_by_name), cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_special_files), cmocka_unit_test(test_links_and_modes),
      cmocka_unit_test(test_end_of_process), cmocka_unit_test(test_standard_output))
