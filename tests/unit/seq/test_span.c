/* test_span.c - the arithmetic exactly, the law by chi-square. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "seq/span.h"

static const struct span_rule t5 = {
    .density = 0.15, .mean = 3, .sentinel0 = 32099, .n_sentinel = 100, .eos = 1
};

static FILE *data(const char *name)
{
    char path[4200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/span/%s", test_data, name);
    f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

static void test_counts(void **state)
{
    FILE *f = data("counts_1_2048.tsv");
    char head[200];
    unsigned n, noise, span, input, target, seen = 0, bad = 0;

    (void)state;
    assert_non_null(fgets(head, sizeof(head), f));
    for (; fscanf(f, "%u%u%u%u%u", &n, &noise, &span, &input, &target) == 5; seen++) {
        struct span_size s = span_size(&t5, n);

        bad += s.n_noise != noise || s.n_span != span || s.n_input != input || s.n_target != target;
    }
    fclose(f);
    assert_int_equal(seen, 2048);
    assert_int_equal(bad, 0);
}

static void test_lengths(void **state)
{
    static const unsigned want[][3] = {
        // inputs, ids, targets
        { 32, 34, 8 },     { 64, 70, 14 },      { 128, 141, 29 },    { 256, 284, 58 },
        { 512, 568, 114 }, { 1024, 1137, 229 }, { 2048, 2274, 456 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        uint32_t targets, room = 0;
        struct err err;

        assert_int_equal(span_helper(&t5, want[i][0], &targets), want[i][1]);
        assert_int_equal(targets, want[i][2]);
        if (want[i][0] == 2048) {    // 114 spans, 100 sentinels
            assert_int_equal(span_piece(&t5, 2048, &room, &err), 0);
            assert_non_null(strstr(err.msg, "114 spans"));
            assert_non_null(strstr(err.msg, "100 sentinels"));
            continue;
        }
        assert_int_equal(span_piece(&t5, want[i][0], &room, &err), want[i][1]);
        assert_int_equal(room, want[i][2]);
    }
}

/* Where a half of float32 rounds unlike that of double: 39 lengths up to 4096. */
static void test_halves(void **state)
{
    static const uint32_t some[] = { 190, 350, 390, 670, 710, 750, 790, 830, 1310 };
    uint32_t n, differ = 0, i = 0;

    (void)state;
    for (n = 2; n <= 4096; n++)
        if (span_size(&t5, n).n_noise != (uint32_t)fmax(rint(n * 0.15), 1)) {
            if (i < sizeof(some) / sizeof(some[0]))
                assert_int_equal(n, some[i++]);
            differ++;
        }
    assert_int_equal(differ, 39);
}

/* Whatever the lengths of a row: all examples up to the piece fit whole, and the piece is
 * T5's but where float32 needs more room than double said. */
static void test_piece_fits(void **state)
{
    uint32_t inputs;

    (void)state;
    for (inputs = 4; inputs <= 1700; inputs++) {
        uint32_t room = 0, targets, n, k, helper = span_helper(&t5, inputs, &targets);
        struct err err = { { 0 } };

        n = span_piece(&t5, inputs, &room, &err);
        assert_true(n > 1 && n <= helper && room >= targets);
        for (k = 1; k <= n; k++)
            assert_true(span_size(&t5, k).n_input <= inputs && span_size(&t5, k).n_target <= room);
        if (n < helper) {    // T5 would cut a sentinel off: a half, or a span of its "at least 1"
            struct span_size next = span_size(&t5, n + 1);

            assert_true(next.n_input > inputs);
            assert_true(n < 10 || next.n_noise != (uint32_t)rint((n + 1) * 0.15));
        }
    }
}

static void test_given_targets(void **state)
{
    uint32_t room = 60, n;
    struct err err;

    (void)state;
    n = span_piece(&t5, 512, &room, &err);
    assert_int_equal(room, 60);
    assert_true(span_size(&t5, n).n_target <= 60 && span_size(&t5, n + 1).n_target > 60);
    room = 200;
    assert_int_equal(span_piece(&t5, 512, &room, &err), 568);
    assert_int_equal(room, 200);
    room = 1;
    assert_int_equal(span_piece(&t5, 512, &room, &err), 0);
    room = 0;
    assert_int_equal(span_piece(&t5, 2, &room, &err), 0);
}

static size_t numbers(const char *s, int32_t *id)
{
    size_t n = 0;
    char *end;

    for (;; s = end) {
        long x = strtol(s, &end, 10);

        if (end == s)
            return n;
        id[n++] = (int32_t)x;
    }
}

static void runs_of(const char *mask, struct span_mask *m)
{
    m->n_run = 0;
    while (*mask) {
        m->kept[m->n_run] = (uint32_t)strspn(mask, "0");
        mask += strspn(mask, "0");
        m->noise[m->n_run++] = (uint32_t)strspn(mask, "1");
        mask += strspn(mask, "1");
    }
}

static void test_sentinels(void **state)
{
    static int32_t id[2100], input[2100], target[2100], want_in[2100], want_out[2100];
    FILE *f = data("mask_examples.tsv");
    static char line[60000];
    struct span_mask mask;
    int seen = 0;

    (void)state;
    while (fgets(line, sizeof(line), f)) {
        struct span_rule rule = t5;
        char *field[5];
        size_t n_in, n_out, n_want_in, n_want_out;
        int i;

        if (*line == '#')
            continue;
        for (i = 0; i < 5; i++)
            assert_non_null(field[i] = strtok(i ? NULL : line, "\t\n"));
        rule.sentinel0 = (int32_t)atol(field[0]) - 1;
        numbers(field[1], id);
        runs_of(field[2], &mask);
        n_want_in = numbers(field[3], want_in);
        n_want_out = numbers(field[4], want_out);
        span_apply(&rule, id, &mask, input, &n_in, target, &n_out);
        assert_int_equal(n_in, n_want_in);
        assert_memory_equal(input, want_in, n_in * sizeof(*input));
        assert_int_equal(n_out, n_want_out);
        assert_memory_equal(target, want_out, n_out * sizeof(*target));
        seen++;
    }
    fclose(f);
    assert_int_equal(seen, 18);
}

static void test_segments(void **state)
{
    FILE *f = data("segmentation_examples.tsv");
    char line[1000];
    int seen = 0;

    (void)state;
    while (fgets(line, sizeof(line), f)) {
        uint64_t marks[2] = { 0 };
        uint32_t length[100], k, n;
        int32_t want[100];
        char *item, *segment, *mark, *list;

        if (*line == '#')
            continue;
        item = strtok(line, "\t");
        segment = strtok(NULL, "\t");
        mark = strtok(NULL, "\t");
        list = strtok(NULL, "\n");
        for (k = 0; mark[k]; k++)
            marks[k / 64] |= (uint64_t)(mark[k] == '1') << k % 64;
        n = span_segments(marks, (uint32_t)atol(item), length);
        assert_int_equal(n, atol(segment));
        assert_int_equal(numbers(list, want), n);
        for (k = 0; k < n; k++)
            assert_int_equal(length[k], want[k]);
        seen++;
    }
    fclose(f);
    assert_int_equal(seen, 5);
}

/* One span's length, of many independent masks, against its exact law. Lengths that are
 * expected fewer than 10 times are one class together. The bound is 5 deviations of a
 * chi-square of that many degrees: the seed is fixed, and no sound generator comes near. */
static void check_law(const double *p, const uint32_t *seen, uint32_t n, int n_class)
{
    double chi = 0, rest_p = 1, rest = n;
    int j, freedom = -1;

    for (j = 1; j <= n_class; j++) {
        double want = p[j] * n, d = seen[j] - want;

        if (want < 10)
            continue;
        chi += d * d / want;
        rest_p -= p[j];
        rest -= seen[j];
        freedom++;
    }
    if (rest_p * n >= 10) {
        chi += (rest - rest_p * n) * (rest - rest_p * n) / (rest_p * n);
        freedom++;
    }
    assert_true(freedom >= 0 && chi <= freedom + 5 * sqrt(2.0 * freedom));
    if (rest_p < 1e-7)    // the table has 8 digits
        assert_int_equal(rest, 0);
}

static void check_length(uint32_t n, uint32_t n_span, const double *p_noise, const double *p_kept)
{
    enum { DRAWS = 40000 };
    uint32_t noise[21] = { 0 }, kept[21] = { 0 }, i;
    uint64_t key = rng_key(7, "law");

    for (i = 0; i < DRAWS; i++) {
        struct rng rng = rng_at(key, (uint64_t)n << 32 | i);
        struct span_mask m;
        uint32_t k;

        span_draw(&t5, n, &rng, &m);
        assert_int_equal(m.n_run, n_span);
        k = i % n_span;    // every place has the same law
        noise[m.noise[k] < 21 ? m.noise[k] : 0]++;
        kept[m.kept[k] < 21 ? m.kept[k] : 0]++;
    }
    check_law(p_noise, noise, DRAWS, 20);
    check_law(p_kept, kept, DRAWS, 20);
}

static void test_law(void **state)
{
    FILE *f = data("exact_law.tsv");
    double p_noise[21] = { 0 }, p_kept[21] = { 0 };
    char head[200];
    unsigned n, noise, span, j, seen = 0;
    double a, b;

    (void)state;
    assert_non_null(fgets(head, sizeof(head), f));
    while (fscanf(f, "%u%u%u%u%lf%lf", &n, &noise, &span, &j, &a, &b) == 6) {
        p_noise[j] = a;
        p_kept[j] = b;
        if (j == 20) {
            check_length(n, span, p_noise, p_kept);
            seen++;
        }
    }
    fclose(f);
    assert_int_equal(seen, 6);
}

/* All C(7, 2) * C(3, 2) masks of 12 ids with 4 noise in 3 spans come, equally often. */
static void test_compositions(void **state)
{
    enum { DRAWS = 63000, KINDS = 21 * 3 };
    static uint32_t seen[4096];
    const struct span_rule rule = { .density = 1 / 3.0, .mean = 1.5, .n_sentinel = 9 };
    uint64_t key = rng_key(1, "compositions");
    uint32_t i, kinds = 0;
    double chi = 0;

    (void)state;
    for (i = 0; i < DRAWS; i++) {
        struct rng rng = rng_at(key, i);
        struct span_mask m;
        uint32_t r, bits = 0, k;

        span_draw(&rule, 12, &rng, &m);
        for (r = 0; r < m.n_run; r++) {
            for (k = 0; k < m.kept[r]; k++)
                bits <<= 1;
            for (k = 0; k < m.noise[r]; k++)
                bits = bits << 1 | 1;
        }
        seen[bits]++;
    }
    for (i = 0; i < 4096; i++)
        if (seen[i]) {
            double d = seen[i] - (double)DRAWS / KINDS;

            assert_true(i & 1 && !(i >> 11));    // begins kept, ends in noise
            kinds++;
            chi += d * d / ((double)DRAWS / KINDS);
        }
    assert_int_equal(kinds, KINDS);
    assert_true(chi < KINDS - 1 + 5 * sqrt(2.0 * (KINDS - 1)));
}

static void test_masks(void **state)
{
    uint32_t n, i;

    (void)state;
    for (n = 1; n <= 1800; n++) {
        struct span_size s = span_size(&t5, n);
        struct rng rng = rng_at(3, n);
        struct span_mask m;
        uint32_t noise = 0, kept = 0;

        span_draw(&t5, n, &rng, &m);
        for (i = 0; i < m.n_run; i++) {
            assert_true(m.kept[i] > 0 && (m.noise[i] > 0 || n == 1));
            noise += m.noise[i];
            kept += m.kept[i];
        }
        assert_int_equal(noise, s.n_noise);
        assert_int_equal(noise + kept, n);
    }
}

/* Odd rules: spans never outnumber what they must part. */
static void test_rules(void **state)
{
    double density, mean;

    (void)state;
    for (density = 0.05; density < 0.95; density += 0.05)
        for (mean = 1; mean < 12; mean += 0.5) {
            const struct span_rule rule = { density, mean, 32099, SPAN_MAX, 1 };
            uint32_t n;

            for (n = 1; n < 700; n += n < 20 ? 1 : 37) {
                struct rng rng = rng_at(9, n);
                struct span_mask m;

                span_draw(&rule, n, &rng, &m);
                assert_int_equal(m.n_run, n == 1 ? 1 : span_size(&rule, n).n_span);
            }
        }
}

TESTS("seq/span", cmocka_unit_test(test_counts), cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_halves), cmocka_unit_test(test_piece_fits),
      cmocka_unit_test(test_given_targets), cmocka_unit_test(test_sentinels),
      cmocka_unit_test(test_segments), cmocka_unit_test(test_law),
      cmocka_unit_test(test_compositions), cmocka_unit_test(test_masks),
      cmocka_unit_test(test_rules))
