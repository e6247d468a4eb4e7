/* The text of a plan: what is written is read, and what is not one is told by line. */
#include "plans.h"

#include <sys/stat.h>

static void test_stages_text(void **state)
{
    struct plan *p = staged(), *q;
    char a[65], b[65];
    struct err err;
    uint64_t n;

    (void)state;
    assert_int_equal(plan_write(p, "staged.tsv", &err), 0);
    q = plan_read("staged.tsv", &err);
    assert_non_null(q);
    assert_int_equal(q->n_stage, 2);
    plan_fingerprint(p, a);
    plan_fingerprint(q, b);
    assert_string_equal(a, b);
    for (n = 0; n < 3000; n++)
        assert_int_equal(plan_at(p, n).row, plan_at(q, n).row);
    plan_free(p);
    plan_free(q);
}

static void test_text(void **state)
{
    struct plan *p = three(7, 65536), *q;
    char a[65], b[65];
    struct err err;
    uint64_t n;
    int i;

    (void)state;
    assert_int_equal(mkdir("out", 0777), 0);
    assert_int_equal(plan_write(p, "out/mix.tsv", &err), 0);
    q = plan_read("out/mix.tsv", &err);
    assert_non_null(q);
    assert_int_equal(q->n_lang, 3);
    assert_string_equal(q->lang[1].file, "out/../fi.ex");
    for (i = 0; i < 3; i++) {
        assert_string_equal(q->lang[i].is.lang, p->lang[i].is.lang);
        assert_int_equal(q->lang[i].is.tokens, p->lang[i].is.tokens);
        assert_int_equal(q->stage[0].draw[i].weight, p->stage[0].draw[i].weight);
    }
    assert_int_equal(q->lang[0].is.inputs, 512);
    assert_int_equal(q->lang[0].is.vocab, 32100);
    plan_fingerprint(p, a);
    plan_fingerprint(q, b);
    assert_string_equal(a, b);
    for (n = 0; n < 1000; n++)
        assert_int_equal(plan_at(p, n).row, plan_at(q, n).row);
    plan_free(p);
    plan_free(q);
}

static void put(const char *text)
{
    FILE *f = fopen("bad.tsv", "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define NAMES "lang\trows\ttokens\tshare\tprobability\tweight\toversampling\tsha256\tfile\n"
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

static void test_bad_text(void **state)
{
    static const struct {
        const char *text, *where;
    } bad[] = {
        { "", "without languages" },
        { "hello\n", "bad.tsv: line 1" },
        { "# switchyard-plan 2\n", "bad.tsv: line 1" },
        { "# switchyard-plan 1\n# period x\n", "bad.tsv: line 2" },
        { "# switchyard-plan 1\n# stage.3 5\n", "bad.tsv: line 2" },
        { "# switchyard-plan 1\n# period 10\n# stage.2 5\n" NAMES, "bad.tsv: line 4" },
        { "# switchyard-plan 1\n# period 10\nlang\trows\n", "bad.tsv: line 3" },
        { "# switchyard-plan 1\n# period 10\n" NAMES, "without languages" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t5\n", "bad.tsv: line 4" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t5\t5\t1\t1\t9\t1\t" A64 "\ta\n",
          "sum to 9" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t-5\t5\t1\t1\t10\t1\t" A64 "\ta\n",
          "bad.tsv: line 4" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t0\t5\t1\t1\t10\t1\t" A64 "\ta\n",
          "bad.tsv: line 4" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t5\t5\tnan\t1\t10\t1\t" A64 "\ta\n",
          "bad.tsv: line 4" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t5\t5\t1\t1\t10\t1\tabc\ta\n",
          "bad.tsv: line 4" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "en\t5\t5\t1\t1\t5\t1\t" A64
          "\ta\nen\t5\t5\t1\t1\t5\t1\t" A64 "\tb\n",
          "en" },
        { "# switchyard-plan 1\n# period 10\n" NAMES "\t5\t5\t1\t1\t10\t1\t" A64 "\ta\n",
          "bad.tsv: line 4" },
    };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put(bad[i].text);
        assert_null(plan_read("bad.tsv", &err));
        assert_non_null(strstr(err.msg, bad[i].where));
    }
    assert_null(plan_read("none.tsv", &err));
    assert_non_null(strstr(err.msg, "none.tsv"));
}

static void test_columns_by_name(void **state)
{
    struct plan *p;
    struct err err;

    (void)state;
    put("# switchyard-plan 1\n# note  what a person wrote\n# period 10\n"
        "file\tsha256\tmood\tlang\trows\ttokens\tshare\tprobability\tweight\toversampling\n"
        "/d/a\t" A64 "\tgood\ten\t5\t50\t1\t1\t10\t1\n");
    p = plan_read("bad.tsv", &err);
    assert_non_null(p);
    assert_string_equal(p->lang[0].file, "/d/a");
    assert_int_equal(p->stage[0].draw[0].weight, 10);
    plan_free(p);
}

static void test_relative(void **state)
{
    static const struct {
        const char *path, *folder, *want;
    } cases[] = {
        { "a.ex", ".", "a.ex" },
        { "a.ex", "d", "../a.ex" },
        { "d/a.ex", "d", "a.ex" },
        { "d/a.ex", ".", "d/a.ex" },
        { "d/e/a.ex", "d", "e/a.ex" },
        { "d/a.ex", "d/e", "../a.ex" },
        { "dd/a.ex", "d", "../dd/a.ex" },
        { "d/a.ex", "dd", "../d/a.ex" },
        { "/x/a.ex", "d", "/x/a.ex" },
        { "../a.ex", ".", "../a.ex" },
        { "d/e/a.ex", "dd", "../d/e/a.ex" },
    };
    struct err err;
    size_t i;

    (void)state;
    assert_int_equal(mkdir("d", 0777), 0);
    assert_int_equal(mkdir("d/e", 0777), 0);
    assert_int_equal(mkdir("dd", 0777), 0);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got = plan_relative(cases[i].path, cases[i].folder, &err);

        assert_string_equal(got, cases[i].want);
        free(got);
    }
    assert_null(plan_relative("none/a.ex", ".", &err));
}

TESTS("seq/plan_text", cmocka_unit_test(test_stages_text), cmocka_unit_test(test_text),
      cmocka_unit_test(test_bad_text), cmocka_unit_test(test_columns_by_name),
      cmocka_unit_test(test_relative))
