/* test_ledger.c - sums, order, and the balance. */
#include "../test.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "io/ledger.h"

static json_t *load(const char *path)
{
    json_error_t e;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &e);

    if (!root)
        fail_msg("%s: line %d: %s", path, e.line, e.text);
    return root;
}

/* The number at a path of keys, "dropped/short/records". */
static int64_t number(json_t *root, const char *where)
{
    char key[100];
    size_t n;

    for (; *where; where += n + (where[n] == '/')) {
        n = strcspn(where, "/");
        snprintf(key, sizeof(key), "%.*s", (int)n, where);
        root = json_object_get(root, key);
        assert_non_null(root);
    }
    assert_true(json_is_integer(root));
    return json_integer_value(root);
}

static void fill(struct ledger *l, int back)
{
    static const char *const lang[] = { "fi", "zh-Hant", NULL, "ar" };
    static const char *const reason[] = { "short", "bad \"word\"", NULL, NULL };
    int i;

    for (i = 0; i < 12; i++) {
        int k = back ? 11 - i : i;

        ledger_in(l, lang[k % 4], 100);
        if (reason[k % 3])
            ledger_drop(l, lang[k % 4], reason[k % 3], 10);
        else
            ledger_out(l, lang[k % 4], 80);
        ledger_count(l, k % 2 ? "lines" : "edits", 5);
    }
}

static void test_sums(void **state)
{
    struct ledger *l = ledger_new("c4clean");
    struct err err;
    json_t *root;

    (void)state;
    fill(l, 0);
    ledger_set(l, "profile", "mc4");
    ledger_set(l, "profile", "c4");
    ledger_file(l, "b.wet", 7, NULL);
    ledger_file(l, "a\xff.wet", 8, "cut short");
    assert_int_equal(ledger_write(l, "stats", &err), 0);
    assert_int_equal(ledger_records_in(l), 12);
    assert_int_equal(ledger_records_out(l), 4);
    assert_int_equal(ledger_records_dropped(l), 8);
    assert_int_equal(ledger_counted(l, "lines"), 30);
    assert_int_equal(ledger_counted(l, "nothing"), 0);
    root = load("stats");
    assert_int_equal(number(root, "in/records"), 12);
    assert_int_equal(number(root, "in/bytes"), 1200);
    assert_int_equal(number(root, "out/bytes"), 320);
    assert_int_equal(number(root, "dropped/bad \"word\"/records"), 4);
    assert_int_equal(number(root, "dropped/short/bytes"), 40);
    assert_int_equal(number(root, "counted/edits"), 30);
    assert_int_equal(number(root, "lang/fi/in"), 3);
    assert_int_equal(number(root, "lang/fi/out") + number(root, "lang/fi/dropped/short") +
                         number(root, "lang/fi/dropped/bad \"word\""),
                     3);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(root, "facts"), "profile")), "c4");
    assert_int_equal(json_array_size(json_object_get(root, "files")), 2);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(root, "files"), 1), "path")),
                        "a\xef\xbf\xbd.wet");
    json_decref(root);
    ledger_free(l);
}

static void slurp(const char *path, char *to, size_t size)
{
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    to[fread(to, 1, size - 1, f)] = 0;
    fclose(f);
}

/* The order in which things were met, and by which of several threads, cannot be seen. */
static void test_order(void **state)
{
    struct ledger *a = ledger_new("t"), *b = ledger_new("t"), *c = ledger_new("t");
    char one[4096], two[4096];
    struct err err;

    (void)state;
    fill(a, 0);
    fill(a, 1);
    fill(b, 1);
    fill(c, 0);
    ledger_merge(b, c);
    assert_int_equal(ledger_write(a, "a", &err), 0);
    assert_int_equal(ledger_write(b, "b", &err), 0);
    slurp("a", one, sizeof(one));
    slurp("b", two, sizeof(two));
    assert_string_equal(one, two);
    ledger_free(a);
    ledger_free(b);
    ledger_free(c);
    ledger_free(NULL);
}

static void test_balance(void **state)
{
    struct ledger *l = ledger_new("t");
    struct err err;

    (void)state;
    assert_int_equal(ledger_write(l, NULL, &err), 0);
    ledger_in(l, NULL, 1);
    ledger_in(l, NULL, 1);
    ledger_out(l, NULL, 1);
    assert_int_equal(ledger_write(l, NULL, &err), -1);
    assert_string_equal(err.msg, "ledger: 2 records in, but 1 out and 0 dropped");
    assert_int_equal(ledger_write(l, "unbalanced", &err), -1);
    assert_int_not_equal(access("unbalanced", F_OK), 0);
    ledger_drop(l, NULL, "why", 1);
    assert_int_equal(ledger_write(l, "balanced", &err), 0);
    json_decref(load("balanced"));
    assert_int_equal(ledger_write(l, "/dev/full", &err), -1);
    assert_non_null(strstr(err.msg, "/dev/full: write failed"));
    ledger_free(l);
}

TESTS("io/ledger", cmocka_unit_test(test_sums), cmocka_unit_test(test_order),
      cmocka_unit_test(test_balance))
