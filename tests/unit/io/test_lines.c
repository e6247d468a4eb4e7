/* test_lines.c - lines of several files: numbers, gaps between files and behind damage. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "io/ledger.h"
#include "io/lines.h"

/* A gzip file of members; one letter of the second is wrong if it is to be damaged. */
static char *write_file(const char *const *member, int n, int damaged)
{
    char *path = xstrdup("lines-XXXXXX");
    int fd = mkstemp(path), i;
    FILE *f = fdopen(fd, "wb");

    assert_non_null(f);
    for (i = 0; i < n; i++) {
        unsigned char out[200];
        z_stream z = { .next_in = (unsigned char *)(size_t)member[i],
                       .avail_in = (unsigned)strlen(member[i]),
                       .next_out = out,
                       .avail_out = sizeof(out) };

        assert_int_equal(deflateInit2(&z, 0, Z_DEFLATED, 31, 8, 0), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        deflateEnd(&z);
        if (damaged && i == 1)
            out[z.total_out - 8] ^= 1;    // of the checksum
        assert_int_equal(fwrite(out, 1, z.total_out, f), z.total_out);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

/* What comes, as "number:line" and "-" for a gap. */
static char *all(struct lines *l, struct err *err)
{
    struct buf b = { 0 };
    struct bytes line;
    int got;

    while ((got = lines_next(l, &line, err)) > 0)
        if (got == LINES_GAP)
            buf_add_str(&b, "-");
        else
            buf_printf(&b, "%d:%.*s ", (int)lines_number(l), (int)line.n, (const char *)line.p);
    buf_add_str(&b, got ? "bad" : ".");
    buf_add_byte(&b, 0);
    return (char *)b.p;
}

static void check(char **file, int strict, const char *want)
{
    struct ledger *ledger = ledger_new("t");
    struct lines *l = lines_new(file, strict, ledger);
    struct err err = { "" };
    char *got = all(l, &err);

    assert_string_equal(got, want);
    assert_int_equal(strstr(want, "bad") != NULL, *err.msg != 0 && strict);
    free(got);
    lines_free(l);
    ledger_free(ledger);
}

static void test_files(void **state)
{
    static const char *const two[] = { "a\nb\n", "c\nlast" }, *const none[] = { "" };
    char *a = write_file(two, 2, 0), *b = write_file(none, 1, 0), *list[] = { a, b, a, NULL };
    char *empty[] = { NULL };

    (void)state;
    check(list, 1, "1:a 2:b 3:c 4:last --1:a 2:b 3:c 4:last -.");
    check(empty, 1, ".");
    unlink(a);
    unlink(b);
    free(a);
    free(b);
}

static void test_damage(void **state)
{
    static const char *const three[] = { "a\nb\n", "c\nd\n", "e\n" };
    char *a = write_file(three, 3, 1), *list[] = { a, a, NULL };
    struct ledger *ledger = ledger_new("t");
    struct lines *l = lines_new(list, 0, ledger);
    struct err err;
    char *got = all(l, &err);

    (void)state;
    /* the message names what could not be read as the line behind the last */
    assert_non_null(strstr(got, "-6:e "));
    assert_int_equal(ledger_counted(ledger, "damage"), 2);
    free(got);
    lines_free(l);
    ledger_free(ledger);
    check(list, 1, "1:a 2:b 3:c 4:d bad");
    unlink(a);
    free(a);
}

static void test_absent(void **state)
{
    char none[] = "/nowhere/at/all", *list[] = { none, NULL };
    struct ledger *ledger = ledger_new("t");
    struct lines *l = lines_new(list, 0, ledger);
    struct bytes line;
    struct err err;

    (void)state;
    assert_int_equal(lines_next(l, &line, &err), -1);
    assert_non_null(strstr(err.msg, none));
    lines_free(l);
    ledger_free(ledger);
    lines_free(NULL);
}

TESTS("io/lines", cmocka_unit_test(test_files), cmocka_unit_test(test_damage),
      cmocka_unit_test(test_absent))
