/* test_denoiser.c - mixtures: what their text says, what fits, and the laws of what is drawn. */
#include <math.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "seq/denoise.h"
#include "seq/denoiser.h"
#include "shard/example.h"

enum { EOS = 1, SENTINEL = 32099, MODE = 31000 };

static const struct span_rule base = { 0.15, 3, SENTINEL, 100, EOS };

/* Chi-square of n cells that should be alike, or as p[] says. */
static void check_cells(const uint32_t *seen, const double *p, uint32_t n, uint32_t total)
{
    double chi = 0;
    uint32_t i;

    for (i = 0; i < n; i++) {
        double want = (p ? p[i] : 1.0 / n) * total, d = seen[i] - want;

        assert_true(want >= 10);
        chi += d * d / want;
    }
    assert_true(chi <= n - 1 + 5 * sqrt(2.0 * (n - 1)));
}

static void test_split_is_uniform(void **state)
{
    static const uint32_t lengths[] = { 2, 3, 10, 101, 511 };
    uint64_t key = rng_key(5, "split");
    uint32_t l, i;

    (void)state;
    for (l = 0; l < 5; l++) {
        uint32_t n = lengths[l], seen[512] = { 0 }, draws = 100 * n;

        for (i = 0; i < draws; i++) {
            struct rng rng = rng_at(key, (uint64_t)n << 32 | i);
            uint32_t at = denoiser_split(n, &rng);

            assert_true(at >= 1 && at < n);
            seen[at - 1]++;
        }
        if (n > 2)
            check_cells(seen, NULL, n - 1, draws);
    }
    {
        struct rng rng = rng_at(key, 0);

        assert_int_equal(denoiser_split(1, &rng), 0);
    }
}

static void test_pick(void **state)
{
    struct denoiser k[3] = { { .share = 2 }, { .share = 1 }, { .share = 5 } };

    (void)state;
    assert_int_equal(denoiser_pick(k, 3, 0), 0);
    assert_int_equal(denoiser_pick(k, 3, 0.2499), 0);
    assert_int_equal(denoiser_pick(k, 3, 0.25), 1);
    assert_int_equal(denoiser_pick(k, 3, 0.3749), 1);
    assert_int_equal(denoiser_pick(k, 3, 0.375), 2);
    assert_int_equal(denoiser_pick(k, 3, 1 - 0x1p-53), 2);
    assert_int_equal(denoiser_pick(k, 1, 0.9), 0);
}

static void test_parse(void **state)
{
    static const char *const bad[] = { "",
                                       "span",
                                       "span:0.15:3",
                                       "span:0.15:3:1:",
                                       "span:0.15:3:1:2:3",
                                       "span:0.15:3:0",
                                       "span:0.95:3:1",
                                       "span:0.15:0.5:1",
                                       "span:0.15:3:1:0",
                                       "span:0.15:3:1:1.5",
                                       "span:nan:3:1",
                                       "prefix",
                                       "prefix:",
                                       "prefix:1,",
                                       "prefix:1:2:3",
                                       "noise:1",
                                       "prefix:1x" };
    struct denoiser k[DENOISER_MAX];
    struct err err;
    size_t i;

    (void)state;
    assert_int_equal(denoiser_parse(denoiser_ul2, &base, k, &err), 7);
    for (i = 0; i < 7; i++) {
        assert_int_equal(k[i].prefix, i == 2);
        assert_int_equal(k[i].mode, 0);
        assert_int_equal(k[i].span.sentinel0, SENTINEL);
        assert_true(k[i].share == 1);
    }
    assert_true(k[5].span.density == 0.15 && k[5].span.mean == 64);
    assert_int_equal(denoiser_parse("prefix:0.25:31000,span:0.5:8:3:7", &base, k, &err), 2);
    assert_true(k[0].prefix && k[0].share == 0.25 && k[0].mode == 31000);
    assert_true(!k[1].prefix && k[1].share == 3 && k[1].mode == 7 && k[1].span.mean == 8);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(denoiser_parse(bad[i], &base, k, &err), -1);
    assert_int_equal(denoiser_parse("prefix:1,prefix:1,prefix:1,prefix:1,prefix:1,prefix:1,"
                                    "prefix:1,prefix:1,prefix:1,prefix:1,prefix:1,prefix:1,"
                                    "prefix:1,prefix:1,prefix:1,prefix:1,prefix:1",
                                    &base, k, &err),
                     -1);
}

/* All pieces up to the longest fit, with a mode; of T5's own the longest is 568. */
static void test_fit(void **state)
{
    struct denoiser k[DENOISER_MAX];
    struct err err;
    uint32_t n;
    int i;

    (void)state;
    assert_int_equal(denoiser_parse(denoiser_ul2, &base, k, &err), 7);
    for (i = 0; i < 7; i++) {
        k[i].mode = i % 2 ? MODE : 0;
        assert_int_equal(denoiser_fit(&k[i], 512, 512, 511, &err), 0);
        if (k[i].prefix)
            assert_int_equal(k[i].piece, 511);
        for (n = 1; n <= k[i].piece && !k[i].prefix; n++) {
            struct span_size s = span_size(&k[i].span, n);

            assert_true(s.n_input + (k[i].mode != 0) <= 512 && s.n_target <= 512 &&
                        s.n_span <= 100);
        }
    }
    assert_int_equal(denoiser_fit(&k[0], 512, 114, SPAN_PIECE_MAX, &err), 0);
    assert_int_equal(k[0].piece, 568);
    k[0].mode = MODE;
    assert_int_equal(denoiser_fit(&k[0], 512, 114, SPAN_PIECE_MAX, &err), 0);
    assert_true(k[0].piece < 568 && k[0].piece > 560);
    assert_int_equal(denoiser_fit(&k[3], 4096, 4096, SPAN_PIECE_MAX, &err), 0);
    assert_int_equal(span_size(&k[3].span, k[3].piece).n_span, 100);    // no sentinel more
    assert_int_equal(denoiser_fit(&k[0], 2, 3, SPAN_PIECE_MAX, &err), -1);
}

enum { PIECES = 7000 };

static struct {
    uint32_t kind[3], split[64];
    size_t n_id, n;
} seen;

/* Of the mixture in test_mixture: which denoiser made each example? */
static int take(void *to, const struct example_row *row, struct err *err)
{
    size_t k, in = 0, out = 0, i;

    (void)to;
    (void)err;
    for (k = 0; k < row->n_segment; k++) {
        const int32_t *input = row->input + in, *target = row->target + out;
        size_t n_in = row->segment_input[k], n_out = row->segment_target[k];
        int kind = input[0] == MODE ? 2 : 0;

        assert_int_equal(input[n_in - 1], EOS);
        assert_int_equal(target[n_out - 1], EOS);
        if (!kind && target[0] == SENTINEL)
            kind = 1;
        seen.kind[kind]++;
        if (kind == 0) {    // ids go on where the input ends
            assert_int_equal(n_in + n_out, 64 + 2);
            for (i = 0; i + 2 < n_in; i++)
                assert_int_equal(input[i + 1], 2 + (input[i] - 1) % 30000);
            assert_int_equal(target[0], 2 + (input[n_in - 2] - 1) % 30000);
            seen.split[n_in - 2]++;
        }
        in += n_in;
        out += n_out;
        seen.n++;
    }
    return 0;
}

/* A mixture's shares, the split's law, and the ids, through denoise. */
static void test_mixture(void **state)
{
    struct denoise_rule rule = {
        .inputs = 80, .targets = 80, .seed = 9, .fit = PACKER_BEST, .n_open = 8
    };
    const double share[3] = { 0.5, 0.125, 0.375 };
    static int32_t id[64];
    struct denoise *d;
    struct err err;
    uint64_t doc, at = 0;
    int i;

    (void)state;
    rule.n_kind =
        denoiser_parse("prefix:4,span:0.15:3:1,span:0.5:8:3:31000", &base, rule.kind, &err);
    assert_int_equal(rule.n_kind, 3);
    for (i = 0; i < 3; i++)
        assert_int_equal(denoiser_fit(&rule.kind[i], 80, 80, 64, &err), 0);
    d = denoise_new(&rule, (struct packer_sink){ take, NULL });
    for (doc = 0; doc < PIECES; doc++) {
        for (i = 0; i < 64; i++)
            id[i] = 2 + (int32_t)(at++ % 30000);
        assert_int_equal(denoise_add(d, 0, doc, id, 64, &err), 1);
    }
    assert_int_equal(denoise_end(d, &err), 0);
    assert_int_equal(seen.n, PIECES);
    check_cells(seen.kind, share, 3, PIECES);
    for (i = 0; i < 3; i++)
        assert_int_equal(denoise_counts(d)->n_kind[i], seen.kind[i]);
    check_cells(seen.split, NULL, 63, seen.kind[0]);
    assert_int_equal(denoise_counts_of(d, 0)->n_example, PIECES);
    assert_null(denoise_counts_of(d, 1));
    denoise_free(d);
}

TESTS("seq/denoiser", cmocka_unit_test(test_split_is_uniform), cmocka_unit_test(test_pick),
      cmocka_unit_test(test_parse), cmocka_unit_test(test_fit), cmocka_unit_test(test_mixture))
