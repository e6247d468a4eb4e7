/* test_report.c - models, languages, baseline and speed-up; the pages made of them. */
#include "../test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/chart.h"
#include "eval/page.h"
#include "eval/report.h"

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void make_runs(struct report *r)
{
    struct err err = { 0 };

    mkdir("s", 0777);
    mkdir("d", 0777);
    put("s/metrics.tsv", "step\tseconds\ttokens\tloss\n0\t1\t10\t6\n1\t1\t10\t5\n");
    put("s/eval.tsv", "step\tlang\tnlp\ttargets\n10\tfi\t-5\t7\n20\tfi\t-3\t7\n10\tall\t-5\t7\n"
                      "20\tall\t-3\t7\n");
    put("d/metrics.tsv", "step\tloss\n0\t6\n1\t5.5\n");
    put("d/eval.tsv", "step\tlang\tnlp\ttargets\n10\tfi\t-5\t7\n20\tfi\t-4\t7\n10\tall\t-5\t7\n"
                      "20\tall\t-4\t7\n");
    put("s.tsv", "lang\ttargets\tloss\nfi\t7\t3\nru\t9\t3.5\nall\t16\t3.28\n");
    put("d.tsv", "lang\ttargets\tloss\nfi\t7\t4\nall\t7\t4\n");
    assert_int_equal(report_add_run(r, "s", "s", &err), 0);
    assert_int_equal(report_add_run(r, "d", "d", &err), 0);
    assert_int_equal(report_add_eval(r, NULL, "s.tsv", &err), 0);
    assert_int_equal(report_add_eval(r, "d", "d.tsv", &err), 0);
    assert_int_equal(report_set_baseline(r, NULL, &err), 0);
}

static void test_report(void **state)
{
    struct report r = { .baseline = -1 };
    struct err err = { 0 };
    const char **tag;
    size_t n;

    (void)state;
    make_runs(&r);
    assert_int_equal(r.n_model, 2);
    assert_int_equal(r.baseline, 1);
    assert_true(r.model[0].tokens == 20 && r.model[0].seconds == 2);
    tag = report_tags(&r, &n);
    assert_int_equal(n, 2);
    assert_string_equal(tag[1], "ru");
    free(tag);
    // level 4 is reached half-way from 10 to 20: 20 / 15
    assert_true(fabs(report_speed_up(&r, &r.model[0], "fi") - 20.0 / 15) < 1e-12);
    assert_true(isnan(report_speed_up(&r, &r.model[0], "ru")));
    assert_int_equal(report_set_baseline(&r, "s", &err), 0);
    assert_true(report_speed_up(&r, &r.model[1], "fi") == 0);    // never as good
    assert_int_equal(report_set_baseline(&r, "x", &err), -1);
    report_release(&r);
}

static void test_pages(void **state)
{
    struct report r = { .baseline = -1 };
    struct buf out = { 0 };

    (void)state;
    make_runs(&r);
    page_tsv(&out, &r);
    buf_add_byte(&out, 0);
    assert_non_null(strstr((char *)out.p, "fi\tFinnish\t7\t3.000000\t20.0855\t7\t4.000000\t"
                                          "54.5982\t-1.000000\t1.3333\n"));
    assert_non_null(strstr((char *)out.p, "ru\tRussian\t9\t3.500000\t33.1155\t0\t\t\t\t\n"));
    buf_reset(&out);
    page_html(&out, &r, NULL, "a <title> & more");
    buf_add_byte(&out, 0);
    assert_non_null(strstr((char *)out.p, "<title>a &lt;title&gt; &amp; more</title>"));
    assert_null(strstr((char *)out.p, "nan"));
    assert_null(strstr((char *)out.p, "http"));    // needs no other file, near or far
    buf_release(&out);
    report_release(&r);
}

static void test_names(void **state)
{
    char to[96];

    (void)state;
    assert_string_equal(page_lang_name("iw", to, sizeof(to)), "Hebrew");
    assert_string_equal(page_lang_name("ru-Latn", to, sizeof(to)), "Russian (Latin)");
    assert_string_equal(page_lang_name("und", to, sizeof(to)), "unknown");
}

TESTS("eval/report", cmocka_unit_test(test_report), cmocka_unit_test(test_pages),
      cmocka_unit_test(test_names))
