/* test_tile.c - pieces cut so that rows fill: both sides, for any mixture; nothing lost, shares
 * and splits as they should be. */
#include <math.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "seq/denoise.h"
#include "seq/lengths.h"
#include "shard/example.h"

enum { EOS = 1, SENTINEL = 32099, MODE = 31000, IDS = 3000000, ROWS = 3000 };

static const struct span_rule base = { 0.15, 3, SENTINEL, 100, EOS };
static int32_t source[20000];

static struct {
    size_t n_row, n_input[ROWS * 8], n_target[ROWS * 8];
    uint64_t n_id, hash;
    uint32_t split[16], n_split, n_pair;
} seen;

static int take(void *to, const struct example_row *row, struct err *err)
{
    size_t k, in = 0, out = 0, i;
    int mirrored = 0;

    (void)to;
    (void)err;
    assert_true(seen.n_row < ROWS * 8);
    if (row->lang)
        return 0;
    for (k = 0; k < row->n_segment; k++) {
        const int32_t *input = row->input + in, *target = row->target + out;
        size_t n_in = row->segment_input[k], n_out = row->segment_target[k];

        assert_true(input[n_in - 1] == EOS && target[n_out - 1] == EOS);
        if (target[0] < MODE && n_in + n_out > 34) {    // a prefix
            seen.split[16 * (n_in - 2) / (n_in + n_out - 3)]++;
            seen.n_split++;
            mirrored = !mirrored && k + 1 < row->n_segment && row->segment_input[k + 1] == n_out &&
                       row->segment_target[k + 1] == n_in;
            seen.n_pair += (uint32_t)mirrored;
        }
        in += n_in;
        out += n_out;
    }
    for (i = 0; i < row->n_input; i++) {
        seen.n_id += row->input[i] > EOS && row->input[i] < MODE;
        seen.hash = (seen.hash ^ (uint64_t)row->input[i]) * 0x100000001b3u;
    }
    for (i = 0; i < row->n_target; i++)
        seen.n_id += row->target[i] > EOS && row->target[i] < MODE;
    seen.n_input[seen.n_row] = row->n_input;
    seen.n_target[seen.n_row++] = row->n_target;
    return 0;
}

static struct denoise_rule rule_of(const char *mixture, uint32_t inputs)
{
    struct denoise_rule rule = {
        .inputs = inputs, .seed = 4, .fit = PACKER_BEST, .n_open = 64, .tiles = 1
    };
    struct err err;

    rule.n_kind = denoiser_parse(mixture, &base, rule.kind, &err);
    assert_true(rule.n_kind > 0);
    return rule;
}

/* Documents of 1 to 3,000 ids, most of them short. */
static struct denoise_count run(const struct denoise_rule *rule, uint64_t n_id, int with_other)
{
    struct denoise *d = denoise_new(rule, (struct packer_sink){ take, NULL });
    struct denoise_count count;
    uint64_t doc, sum = 0;
    struct err err;
    size_t i;

    memset(&seen, 0, sizeof(seen));
    for (i = 0; i < sizeof(source) / sizeof(source[0]); i++)
        source[i] = 2 + (int32_t)(i * 7919 % 30000);
    for (doc = 0; sum < n_id; doc++) {
        size_t n = (size_t)(3000 * pow(rng_uniform(8, doc, 0), 4)) + 1;

        assert_int_equal(denoise_add(d, 0, doc, source + doc % 999, n, &err), 1);
        if (with_other)
            assert_int_equal(denoise_add(d, 1, doc, source, n % 77 + 1, &err), 1);
        sum += n;
    }
    assert_int_equal(denoise_end(d, &err), 0);
    count = *denoise_counts_of(d, 0);
    denoise_free(d);
    assert_int_equal(seen.n_id, sum);    // nothing lost, nothing twice
    return count;
}

/* Both sides of all rows are 99 % full. */
static void test_fill(void **state)
{
    static const struct {
        const char *mixture;
        uint32_t inputs;
    } cases[] = { { "prefix:1", 512 },
                  { denoiser_ul2, 512 },
                  { denoiser_ul2, 1024 },
                  { denoiser_ul2, 128 },
                  { "span:0.15:3:2:31001,prefix:1:31002,span:0.5:3:2:31003", 512 },
                  { "span:0.15:3:1,prefix:1", 512 },
                  { "span:0.15:3:4,span:0.5:8:1", 512 },
                  { "prefix:3,span:0.5:8:1", 512 } };
    struct err err;
    size_t c, i;

    (void)state;
    for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct denoise_rule rule = rule_of(cases[c].mixture, cases[c].inputs);
        double in = 0, out = 0;

        assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
        run(&rule, cases[c].inputs * (uint64_t)ROWS, 0);
        assert_true(seen.n_row > ROWS / 2);
        for (i = 0; i < seen.n_row; i++) {
            in += (double)seen.n_input[i];
            out += (double)seen.n_target[i];
        }
        in /= (double)(seen.n_row * rule.inputs);
        out /= (double)(seen.n_row * rule.targets);
        if (!(in >= 0.99 && out >= 0.99))
            fail_msg("%s of %u: %.4f of inputs, %.4f of targets", cases[c].mixture, cases[c].inputs,
                     in, out);
    }
}

/* Where the targets are given, inputs are full whatever they are. */
static void test_given_targets(void **state)
{
    struct denoise_rule rule = rule_of(denoiser_ul2, 512);
    struct denoise_count c;
    struct err err;

    (void)state;
    assert_int_equal(lengths_fit(&rule, 512, 0, &err), 0);
    assert_int_equal(rule.targets, 512);
    c = run(&rule, IDS / 4, 0);
    assert_true((double)c.n_input > 0.99 * 512 * (double)c.n_row);
}

static void check_cells(const uint32_t *cell, const double *p, int n, double total)
{
    double chi = 0;
    int i;

    for (i = 0; i < n; i++)
        chi += (cell[i] - p[i] * total) * (cell[i] - p[i] * total) / (p[i] * total);
    assert_true(chi <= n - 1 + 5 * sqrt(2.0 * (n - 1)));
}

/* Prefixes are two by two, the splits of each pair mirrored, and each split as likely. */
static void test_pairs(void **state)
{
    struct denoise_rule rule = rule_of("prefix:1", 512);
    double p[16];
    struct err err;
    int i;

    (void)state;
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
    assert_int_equal(rule.targets, 512);
    assert_int_equal(rule.kind[0].piece, 2 * 510);
    run(&rule, IDS, 0);
    assert_true(seen.n_split > 5000);
    assert_true(seen.n_split - 2 * seen.n_pair <= 2);    // the last two may be of two lengths
    for (i = 0; i < 16; i++)
        p[i] = 1.0 / 16;
    for (i = 0; i < 16; i++)
        seen.split[i] /= 2;    // half of them are drawn
    check_cells(seen.split, p, 16, seen.n_split / 2.0);
}

/* The shares are of examples, though prefixes come two by two. */
static void test_shares(void **state)
{
    struct denoise_rule rule = rule_of("span:0.15:3:2,prefix:1,span:0.5:3:3", 512);
    struct denoise_count c;
    struct err err;
    int i;

    (void)state;
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
    c = run(&rule, IDS, 0);
    for (i = 0; i < 3; i++) {
        static const double share[] = { 2 / 6.0, 1 / 6.0, 3 / 6.0 };
        double n = (double)c.n_example, sd = sqrt(2 * n * share[i] * (1 - share[i]));

        assert_true(fabs((double)c.n_kind[i] - n * share[i]) < 5 * sd);
    }
}

static void test_other_languages_change_nothing(void **state)
{
    struct denoise_rule rule = rule_of(denoiser_ul2, 512);
    struct err err;
    uint64_t hash;

    (void)state;
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
    run(&rule, 200000, 0);
    hash = seen.hash;
    run(&rule, 200000, 1);
    assert_true(seen.hash == hash);
    rule.epoch = 1;
    run(&rule, 200000, 0);
    assert_true(seen.hash != hash);
}

/* Any mixture in any row: pieces fit, and the work ends. */
static void test_hostile(void **state)
{
    static const double density[] = { 0.01, 0.05, 0.15, 0.5, 0.9 }, mean[] = { 1, 3, 64, 1000 };
    static const uint32_t inputs[] = { 20, 33, 200, 2048 };
    uint64_t i, k;
    int n_run = 0;
    struct err err;

    (void)state;
    for (i = 0; i < 300; i++) {
        struct denoise_rule rule = rule_of("prefix:1", inputs[i % 4]);
        uint32_t targets = rng_u64(1, i, 1) % 3 ? 0 : 20 + (uint32_t)(rng_u64(1, i, 2) % 900);

        rule.n_open = 1 + (int)(rng_u64(1, i, 3) % 8);
        rule.n_kind = 1 + (int)(rng_u64(1, i, 4) % 5);
        for (k = 0; k < (uint64_t)rule.n_kind; k++) {
            struct denoiser *kind = &rule.kind[k];

            *kind = (struct denoiser){ .span = base, .share = 1 + (double)k };
            kind->prefix = rng_u64(2, i, k) % 3 == 0;
            kind->mode = rng_u64(3, i, k) % 2 ? MODE : 0;
            kind->span.density = density[rng_u64(4, i, k) % 5];
            kind->span.mean = mean[rng_u64(5, i, k) % 4];
        }
        if (lengths_fit(&rule, targets, rng_u64(6, i, 0) % 4 ? 0 : 40, &err) == 0) {
            run(&rule, 5000, 0);
            n_run++;
        }
    }
    assert_true(n_run > 100);
}

static void test_lengths(void **state)
{
    struct denoise_rule rule = rule_of(denoiser_ul2, 512);
    struct err err;

    (void)state;
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
    assert_int_equal(rule.targets, 280);
    rule = rule_of("span:0.15:3:1", 512);
    rule.tiles = 0;
    rule.whole_alone = 1;
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
    assert_true(rule.targets == 114 && rule.kind[0].piece == 568 && rule.whole_alone);
    assert_int_equal(lengths_fit(&rule, 0, 100, &err), 0);
    assert_true(rule.targets == 114 && rule.kind[0].piece == 100 && !rule.whole_alone);
    rule = rule_of("prefix:1", 512);
    rule.tiles = 0;
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), 0);
    assert_true(rule.targets == 512 && rule.kind[0].piece == 511);
    rule = rule_of("prefix:1", 8);
    assert_int_equal(lengths_fit(&rule, 0, 0, &err), -1);    // too short to be tiled
}

TESTS("seq/tile", cmocka_unit_test(test_fill), cmocka_unit_test(test_given_targets),
      cmocka_unit_test(test_pairs), cmocka_unit_test(test_shares),
      cmocka_unit_test(test_other_languages_change_nothing), cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_lengths))
