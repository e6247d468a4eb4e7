/* train/metrics: rows appended, cut on resuming; foreign files are left alone. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../test.h"
#include "base/err.h"
#include "train/evaluate.h"
#include "train/loop.h"
#include "train/metrics.h"

static struct err err;

static void holds(const char *path, const char *want)
{
    char got[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(got, 1, sizeof(got) - 1, f);
    fclose(f);
    got[n] = 0;
    assert_string_equal(got, want);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static struct metrics *reopen(const char *name, uint64_t end)
{
    struct metrics *m = metrics_open(".", name, "step\tx", end, &err);

    if (!m)
        fail_msg("%s", err.msg);
    return m;
}

static void test_rows(void **state)
{
    struct metrics *m = reopen("a.tsv", 0);
    int i;

    (void)state;
    holds("a.tsv", "step\tx\n");
    for (i = 8; i < 12; i++)
        assert_int_equal(metrics_add(m, &err, "%d\tv", i), 0);
    holds("a.tsv", "step\tx\n8\tv\n9\tv\n10\tv\n11\tv\n");    // without being closed
    metrics_close(m);
    m = reopen("a.tsv", 10);    // by number, not by text
    holds("a.tsv", "step\tx\n8\tv\n9\tv\n");
    assert_int_equal(metrics_add(m, &err, "10\tw"), 0);
    metrics_close(m);
    holds("a.tsv", "step\tx\n8\tv\n9\tv\n10\tw\n");
}

static void test_damage(void **state)
{
    (void)state;
    put("b.tsv", "step\tx\n1\tv\n2\t");    // killed in the middle of a row
    metrics_close(reopen("b.tsv", 100));
    holds("b.tsv", "step\tx\n1\tv\n");
    put("c.tsv", "");
    metrics_close(reopen("c.tsv", 100));
    holds("c.tsv", "step\tx\n");
    put("d.tsv", "other\tthings\n1\t2\n");
    assert_null(metrics_open(".", "d.tsv", "step\tx", 100, &err));
    assert_non_null(strstr(err.msg, "columns"));
    holds("d.tsv", "other\tthings\n1\t2\n");
    assert_null(metrics_open("no/such", "a.tsv", "step\tx", 0, &err));
    assert_int_equal(symlink("/dev/zero", "endless.tsv"), 0);
    assert_null(metrics_open(".", "endless.tsv", "step\tx", 0, &err));
    assert_non_null(strstr(err.msg, "endless.tsv: not a regular file"));
}

static void test_tables(void **state)
{
    struct eval_sums sums[] = { { 2, 4, 8, 0, 0, 0 }, { 1, 0, 0, 0, 0, 0 }, { 3, 4, 8, 0, 0, 0 } };
    const char *lang[] = { "aa", "bb" };
    struct evaluation e = { .n_lang = 2, .lang = lang, .sums = sums };
    struct metrics *m = metrics_open(".", "eval.tsv", metrics_eval_header, 0, &err);
    struct step_report r = { .seconds = 2, .tokens = 10, .loss = 3, .nlp = -2.5, .flops = 4e9 };

    (void)state;
    r.spent[SPENT_GEMM] = 1;
    r.spent[SPENT_INPUT] = 0.5;
    assert_non_null(m);
    assert_int_equal(metrics_add_eval(m, 7, &e, &err), 0);
    holds("eval.tsv", "step\tlang\tnlp\ttargets\n7\taa\t-2\t4\n7\tall\t-2\t4\n");
    metrics_close(m);
    m = metrics_open(".", "metrics.tsv", "", 0, &err);
    r.sums = (struct losses){ .log_z2 = 6, .n_target = 2, .aux = 1, .routed = 8, .dropped = 2 };
    assert_int_equal(metrics_add_step(m, 3, &r, &err), 0);
    holds("metrics.tsv", "\n3\t2.000000\t10\t3\t-2.5\t1\t3\t0\t0\t0.25\t0\t5.0\t0.5000\t0.0000\t"
                         "0.0000\t0.0000\t0.0000\t0.0000\t0.0000\t0.2500\t2.0\n");
    metrics_close(m);
}

static void test_full(void **state)
{
    struct metrics *m = reopen("full.tsv", 0);
    struct rlimit was, small = { 16, 16 };

    (void)state;
    assert_int_equal(metrics_add(m, &err, "1\tv"), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small.rlim_max = was.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(metrics_add(m, &err, "2\tmore than there is room for"), -1);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_non_null(strstr(err.msg, "full.tsv: write failed"));
    metrics_close(m);
}

TESTS("train/metrics", cmocka_unit_test(test_rows), cmocka_unit_test(test_damage),
      cmocka_unit_test(test_tables), cmocka_unit_test(test_full))
