/* test_tsv.c - splitting, columns, numbers and what is said of bad ones. */
#include "../test.h"

#include <math.h>

#include "base/err.h"
#include "base/tsv.h"

static struct bytes b(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void check_split(const char *line, const char *joined, size_t want)
{
    struct bytes f[4];
    char got[100] = "";
    size_t n = tsv_split(b(line), f, 4), i;

    assert_int_equal(n, want);
    for (i = 0; i < n && i < 4; i++) {
        strncat(got, (const char *)f[i].p, f[i].n);
        strcat(got, "|");
    }
    assert_string_equal(got, joined);
}

static void test_split(void **state)
{
    (void)state;
    check_split("", "|", 1);
    check_split("\n", "|", 1);
    check_split("a", "a|", 1);
    check_split("a\tb\r\n", "a|b|", 2);
    check_split("\t\t\n", "|||", 3);
    check_split("a\tb\tc\td\te", "a|b|c|d|", 5);
    assert_int_equal(tsv_split((struct bytes){ NULL, 0 }, NULL, 0), 1);
}

static void test_columns(void **state)
{
    const struct tsv at = { "mix.tsv", 1 };
    struct bytes f[4];
    struct err err;
    size_t n = tsv_split(b("lang\tweight\tpath\n"), f, 4);

    (void)state;
    assert_int_equal(tsv_column(&at, f, n, "weight", &err), 1);
    assert_int_equal(tsv_column(&at, f, n, "weigh", &err), -1);
    assert_string_equal(err.msg, "mix.tsv: line 1: no column called 'weigh'");
    assert_int_equal(tsv_check(&at, 3, n, &err), 0);
    assert_int_equal(tsv_check(&at, 2, n, &err), -1);
    assert_string_equal(err.msg, "mix.tsv: line 1: 2 fields, where its header has 3");
}

static void test_whole_numbers(void **state)
{
    static const char *const bad[] = { "",    " 1",  "1 ", "1.5", "x", "11",
                                       "-11", "0x1", "1e", "inf", "-", "+ 1" };
    const struct tsv at = { "t", 7 };
    struct err err;
    int64_t x = 0;
    size_t i;

    (void)state;
    assert_int_equal(tsv_int(&at, "n", b("-10"), -10, 10, &x, &err), 0);
    assert_int_equal(x, -10);
    assert_int_equal(tsv_int(&at, "n", b("+7"), -10, 10, &x, &err), 0);
    assert_int_equal(x, 7);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tsv_int(&at, "n", b(bad[i]), -10, 10, &x, &err), -1);
    assert_int_equal(tsv_int(&at, "n", b("9223372036854775808"), INT64_MIN, INT64_MAX, &x, &err),
                     -1);
    assert_int_equal(tsv_int(&at, "n", b("11"), -10, 10, &x, &err), -1);
    assert_string_equal(err.msg, "t: line 7: n: '11' is not a whole number from -10 to 10");
    assert_int_equal(tsv_int(&at, "n", (struct bytes){ NULL, 0 }, 0, 1, &x, &err), -1);
    assert_int_equal(x, 7);
}

static void test_numbers(void **state)
{
    static const char *const bad[] = { "", "nan", "inf", "1e999", "1,5", "2e", "--1", "1\0" };
    const struct tsv at = { "t", 7 };
    struct err err;
    double x = 0;
    size_t i;

    (void)state;
    assert_int_equal(tsv_num(&at, "p", b("0.25"), 0, 1, &x, &err), 0);
    assert_true(x == 0.25);
    assert_int_equal(tsv_num(&at, "p", b("-1.5e-3"), -1, 1, &x, &err), 0);
    assert_true(x == -1.5e-3);
    for (i = 0; i + 1 < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tsv_num(&at, "p", b(bad[i]), -1e9, 1e9, &x, &err), -1);
    assert_int_equal(
        tsv_num(&at, "p", (struct bytes){ (const unsigned char *)"1\0", 2 }, 0, 9, &x, &err), -1);
    assert_int_equal(tsv_num(&at, "p", b("1.01"), 0, 1, &x, &err), -1);
    assert_string_equal(err.msg, "t: line 7: p: '1.01' is not a number from 0 to 1");
}

TESTS("base/tsv", cmocka_unit_test(test_split), cmocka_unit_test(test_columns),
      cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_numbers))
