/* test_trials.c - examples out of tables and files of lines; what is refused, and where. */
#include "../test.h"

#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "score/trials.h"

static struct err err;

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static int is(struct bytes s, const char *want)
{
    return s.n == strlen(want) && (!s.n || !memcmp(s.p, want, s.n));
}

static struct trials *table(const char *text, const struct trials_how *how)
{
    struct trials *r = trials_open(put("table", text), how, &err);

    if (!r)
        fail_msg("%s", err.msg);
    return r;
}

/* Columns in any order, others passed over; an empty reference after the first is none. */
static void test_table(void **state)
{
    struct trials_how how = { .lang = "fi" };
    struct trials *r = table("x\treference\tlang\tprediction\treference\tid\tgroup\tlabel\n"
                             "?\twant\tsw\tsaid\tor\t7\tg\tTrue\n"
                             "\t\t\t\t\t\t\t\n"
                             "\ta\t\tb\t\t\t\t",
                             &how);
    struct trial t;

    (void)state;
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_true(is(t.prediction, "said") && t.n_ref == 2 && is(t.ref[0], "want") &&
                is(t.ref[1], "or"));
    assert_true(is(t.lang, "sw") && is(t.id, "7") && is(t.group, "g") && is(t.label, "True"));
    assert_int_equal(t.line, 2);
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_true(is(t.prediction, "") && t.n_ref == 1 && is(t.ref[0], "") && is(t.lang, "fi"));
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_true(t.n_ref == 1 && is(t.ref[0], "a") && t.line == 4);
    assert_int_equal(trials_next(r, &t, &err), 0);
    trials_close(r);
}

static void test_strings(void **state)
{
    struct trials_how how = {
        .separator = "||", .escaped = 1, .prediction = "out", .reference = "gold"
    };
    struct trials *r = table("gold\tout\n"
                             "a||b|c||\ta\\nb\\\\n\\t\\x\\\n",
                             &how);
    struct trial t;

    (void)state;
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_true(t.n_ref == 3 && is(t.ref[0], "a") && is(t.ref[1], "b|c") && is(t.ref[2], ""));
    assert_true(is(t.prediction, "a\nb\\n\t\\x\\"));    // others stay, so does one at the end
    trials_close(r);
}

static void test_lines(void **state)
{
    const char *path[] = { put("ref1", "a\r\nb\tc\n"), put("ref2", "x\ny\n"), put("said", "1\n2") };
    struct trials_how how = { .separator = "\t" };
    struct trials *r = trials_open_lines(path, 3, &how, &err);
    struct trial t;

    (void)state;
    assert_non_null(r);
    assert_string_equal(trials_path(r), "ref1");
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_true(t.n_ref == 2 && is(t.ref[0], "a") && is(t.ref[1], "x") && is(t.prediction, "1"));
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_true(t.n_ref == 3 && is(t.ref[1], "c") && is(t.prediction, "2") && t.line == 2);
    assert_int_equal(trials_next(r, &t, &err), 0);
    trials_close(r);
}

/* The second example of this table is refused with these words. */
static void refuses(const char *text, const char *want)
{
    struct trials_how how = { 0 };
    struct trials *r = trials_open(put("bad", text), &how, &err);
    struct trial t;
    int got = r ? 1 : -1;

    while (got > 0)
        got = trials_next(r, &t, &err);
    trials_close(r);
    assert_int_equal(got, -1);
    if (!strstr(err.msg, want))
        fail_msg("%s, without %s", err.msg, want);
}

static void test_refusals(void **state)
{
    const char *path[] = { put("ref", "a\nb\n"), put("short", "a\n") };
    struct trials_how how = { 0 };
    struct trials *r;
    struct trial t;

    (void)state;
    refuses("", "bad: empty");
    refuses("prediction\tx\n", "reference");
    refuses("reference\n", "prediction");
    refuses("reference\tprediction\na\tb\na\n", "bad: line 3");
    refuses("reference\tprediction\na\tb\na\tb\tc\n", "bad: line 3");
    refuses("reference\tprediction\na\tb\n\xFF\tb\n", "bad: line 3: not UTF-8");
    assert_null(trials_open("no such file", &how, &err));
    r = trials_open_lines(path, 2, &how, &err);
    assert_int_equal(trials_next(r, &t, &err), 1);
    assert_int_equal(trials_next(r, &t, &err), -1);
    assert_non_null(strstr(err.msg, "ref: line 2: short has no such line"));
    trials_close(r);
}

TESTS("score/trials", cmocka_unit_test(test_table), cmocka_unit_test(test_strings),
      cmocka_unit_test(test_lines), cmocka_unit_test(test_refusals))
