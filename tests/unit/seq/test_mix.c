/* test_mix.c - rows by their number, from a plan over shards and from one shard. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../test.h"
#include "base/err.h"
#include "seq/batch.h"
#include "seq/plan.h"
#include "shard/example.h"
#include "shard/shard.h"

/* Row i of a shard: input first + i, i, 1; target first + i, 1. */
static void write_shard(const char *path, const char *key, const char *langs, int n, int32_t first)
{
    struct shard_header *h = shard_header_new("examples");
    struct example_writer *w;
    struct err err;
    int i, n_lang = strchr(langs, ',') ? 2 : 1;

    shard_header_set(h, key, "%s", langs);
    shard_header_set(h, "vocab.size", "32100");
    shard_header_set(h, "inputs", "5");
    shard_header_set(h, "targets", "3");
    w = example_create(path, h, &err);
    assert_non_null(w);
    for (i = 0; i < n; i++) {
        int32_t input[] = { first + i, i + 2, 1 }, target[] = { first + i, 1 };
        uint32_t three = 3, two = 2;
        struct example_row row = { input, target, 3, 2, &three, &two, 1, (uint64_t)i, i % n_lang };

        assert_int_equal(example_write(w, &row, &err), 0);
    }
    assert_int_equal(example_finish(w, &err), 0);
    shard_header_free(h);
}

static void write_plan(const char *path, const char *a, const char *b)
{
    struct plan *p = plan_new(1);
    struct plan_facts facts;
    struct err err;

    assert_int_equal(plan_facts_read(a, &facts, &err), 0);
    assert_int_equal(plan_add(p, a, &facts, &err), 0);
    assert_int_equal(plan_facts_read(b, &facts, &err), 0);
    assert_int_equal(plan_add(p, b, &facts, &err), 0);
    assert_int_equal(plan_weigh(p, &(struct plan_rule){ .alpha = 0.3 }, 64, &err), 0);
    assert_int_equal(plan_write(p, path, &err), 0);
    plan_free(p);
}

static void test_plan(void **state)
{
    struct mix *m;
    struct plan *p;
    struct batch b;
    struct err err;
    uint64_t n;

    (void)state;
    write_shard("en.ex", "lang", "en", 50, 1000);
    write_shard("fi.ex", "lang", "fi", 8, 2000);
    write_plan("mix.tsv", "fi.ex", "en.ex");
    m = mix_open("mix.tsv", &err);
    assert_non_null(m);
    assert_int_equal(mix_n_tag(m), 2);
    assert_string_equal(mix_tag_name(m, 0), "en");
    assert_string_equal(mix_tag_name(m, 1), "fi");
    assert_int_equal(mix_inputs(m), 5);
    assert_int_equal(mix_targets(m), 3);
    assert_int_equal(mix_vocab(m), 32100);
    assert_string_equal(mix_vocab_sha256(m), "");
    assert_int_equal(mix_rows(m), 0);
    p = plan_read("mix.tsv", &err);
    batch_init(&b, 2, 5, 3);
    for (n = 0; n < 300; n++) {
        struct plan_place at = plan_at(p, n);

        assert_int_equal(mix_fill(m, n, &b, (int)(n % 2), &err), 0);
        assert_int_equal(b.input[n % 2 * 5], (at.lang ? 2000 : 1000) + (int)at.row);
        assert_int_equal(b.tag[n % 2], at.lang);
        assert_int_equal(b.number[n % 2], n);
    }
    assert_int_equal(mix_fill(m, UINT64_MAX, &b, 0, &err), 0);
    plan_free(p);
    mix_close(m);
    batch_release(&b);
}

static void test_shard(void **state)
{
    struct mix *m;
    struct batch b;
    struct err err;
    uint64_t n;

    (void)state;
    write_shard("two.ex", "langs", "sw,yo", 9, 3000);
    m = mix_open("two.ex", &err);
    assert_non_null(m);
    assert_int_equal(mix_n_tag(m), 2);
    assert_string_equal(mix_tag_name(m, 1), "yo");
    assert_int_equal(mix_rows(m), 9);
    assert_int_equal(strlen(mix_fingerprint(m)), 64);
    batch_init(&b, 1, 5, 3);
    for (n = 0; n < 9; n++) {
        assert_int_equal(mix_fill(m, n, &b, 0, &err), 0);
        assert_int_equal(b.input[0], 3000 + n);
        assert_int_equal(b.tag[0], n % 2);
    }
    assert_int_equal(mix_fill(m, 9, &b, 0, &err), -1);
    assert_non_null(strstr(err.msg, "row 9"));
    batch_release(&b);
    batch_init(&b, 1, 2, 3);
    assert_int_equal(mix_fill(m, 0, &b, 0, &err), -1);    // the batch is too narrow
    batch_release(&b);
    mix_close(m);
}

/* How often each tag comes in a period of a mixture of these parts. */
static void count_tags(const struct mix_part *part, int n, uint64_t cap, int *count)
{
    struct err err;
    struct mix *m = mix_open_parts(part, n, 1, cap, 5, &err);
    struct batch b;
    uint64_t i;

    assert_non_null(m);
    assert_int_equal(mix_rows(m), 0);
    assert_int_equal(mix_n_tag(m), n);
    memset(count, 0, (size_t)n * sizeof(*count));
    batch_init(&b, 1, 5, 3);
    for (i = 0; i < PLAN_PERIOD; i++) {
        assert_int_equal(mix_fill(m, i, &b, 0, &err), 0);
        count[b.tag[0]]++;
    }
    batch_release(&b);
    mix_close(m);
}

static void test_parts(void **state)
{
    struct mix_part part[] = { { "sum", "a.ex", 0 }, { "nli", "b.ex", 0 }, { "qa", "c.ex", 0 } };
    int count[3];
    struct err err;

    (void)state;
    write_shard("a.ex", "lang", "en", 60, 1000);
    write_shard("b.ex", "lang", "en", 30, 2000);    // the same language twice
    write_shard("c.ex", "langs", "sw,yo", 10, 3000);
    count_tags(part, 3, 0, count);    // in the order of names: nli, qa, sum
    assert_in_range(count[0], PLAN_PERIOD * 3 / 10, PLAN_PERIOD * 3 / 10 + 1);
    assert_in_range(count[1], PLAN_PERIOD / 10, PLAN_PERIOD / 10 + 1);
    count_tags(part, 3, 20, count);    // 20, 10, 20
    assert_in_range(count[0], PLAN_PERIOD * 2 / 5, PLAN_PERIOD * 2 / 5 + 1);
    assert_in_range(count[1], PLAN_PERIOD / 5, PLAN_PERIOD / 5 + 1);
    part[0].weight = part[1].weight = 1;
    part[2].weight = 6;
    count_tags(part, 3, 0, count);
    assert_int_equal(count[0], PLAN_PERIOD / 8);
    assert_int_equal(count[1], PLAN_PERIOD * 3 / 4);
    part[1].name = "sum";
    assert_null(mix_open_parts(part, 3, 1, 0, 5, &err));
    assert_non_null(strstr(err.msg, "sum"));
}

static void test_fingerprint(void **state)
{
    struct mix *a, *b;
    struct err err;

    (void)state;
    write_shard("en.ex", "lang", "en", 50, 1000);
    write_shard("fi.ex", "lang", "fi", 8, 2000);
    write_plan("mix.tsv", "fi.ex", "en.ex");
    mkdir("moved", 0777);
    write_shard("moved/e", "lang", "en", 50, 1000);
    write_shard("moved/f", "lang", "fi", 8, 2000);
    write_plan("moved/mix.tsv", "moved/e", "moved/f");
    a = mix_open("mix.tsv", &err);
    b = mix_open("moved/mix.tsv", &err);
    assert_string_equal(mix_fingerprint(a), mix_fingerprint(b));    // places do not count
    mix_close(a);
    mix_close(b);
    write_shard("moved/f", "lang", "fi", 8, 2001);
    assert_null(mix_open("moved/mix.tsv", &err));    // not what was planned with
    assert_non_null(strstr(err.msg, "moved/f"));
    write_plan("moved/mix.tsv", "moved/e", "moved/f");
    a = mix_open("mix.tsv", &err);
    b = mix_open("moved/mix.tsv", &err);
    assert_string_not_equal(mix_fingerprint(a), mix_fingerprint(b));
    mix_close(a);
    mix_close(b);
    remove("moved/f");
    assert_null(mix_open("moved/mix.tsv", &err));
}

static void test_refuses(void **state)
{
    struct plan_facts facts;
    struct err err;
    FILE *f;

    (void)state;
    assert_null(mix_open("none", &err));
    f = fopen("text", "w");
    fputs("SYSTEM\n", f);
    fclose(f);
    assert_null(mix_open("text", &err));
    assert_non_null(strstr(err.msg, "neither a mixture plan nor an example shard"));
    write_shard("two.ex", "langs", "sw,yo", 9, 3000);
    assert_int_equal(plan_facts_read("two.ex", &facts, &err), -1);
    assert_non_null(strstr(err.msg, "2 languages"));
    mix_close(NULL);
}

TESTS("seq/mix", cmocka_unit_test(test_plan), cmocka_unit_test(test_shard),
      cmocka_unit_test(test_parts), cmocka_unit_test(test_fingerprint),
      cmocka_unit_test(test_refuses))
