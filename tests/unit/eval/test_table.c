/* test_table.c - TSV tables: columns by name, numbers, what is wrong where. */
#include "../test.h"

#include <stdio.h>

#include "base/err.h"
#include "eval/table.h"

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_reads(void **state)
{
    struct err err = { 0 };
    struct table *t;
    double x;

    (void)state;
    put("t.tsv", "# a remark\nlang\tloss\r\nfi\t2.5\n\nru\t-1e-3\r\n");
    t = table_read("t.tsv", &err);
    assert_non_null(t);
    assert_int_equal(table_rows(t), 2);
    assert_int_equal(table_column(t, "loss"), 1);
    assert_int_equal(table_column(t, "los"), -1);
    assert_string_equal(table_text(t, 1, 0), "ru");
    assert_int_equal(table_num(t, 1, 1, &x, &err), 0);
    assert_true(x == -1e-3);
    assert_int_equal(table_num(t, 0, 0, &x, &err), -1);
    assert_string_equal(err.msg, "t.tsv: row 1: lang: 'fi' is not a finite number");
    assert_int_equal(table_need(t, "nlp", &err), -1);
    assert_string_equal(err.msg, "t.tsv: no column 'nlp'");
    table_free(t);
}

static void test_refuses(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_null(table_read("absent.tsv", &err));
    assert_non_null(strstr(err.msg, "absent.tsv: "));
    put("short.tsv", "a\tb\n1\t2\n3\n");
    assert_null(table_read("short.tsv", &err));
    assert_string_equal(err.msg, "short.tsv: line 3: 1 fields, the header has 2");
    put("empty.tsv", "");
    assert_null(table_read("empty.tsv", &err));
    assert_string_equal(err.msg, "empty.tsv: empty, not even a header");
}

TESTS("eval/table", cmocka_unit_test(test_reads), cmocka_unit_test(test_refuses))
