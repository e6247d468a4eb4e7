/* test_denoise.c - documents to rows: nothing lost, nothing twice, noise that depends on
 * nothing but (seed, epoch, document, offset). */
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "seq/denoise.h"
#include "shard/example.h"

enum { SENTINEL = 1 << 30, EOS = 1, ROWS = 4096, IDS = 1 << 20 };

struct seen {    // what came out, taken apart again
    int n_row, lang[ROWS];
    uint64_t doc[ROWS], hash[ROWS];
    size_t n_segment[ROWS], n_input[ROWS];
    int32_t id[IDS];    // the pieces' ids, in order of segments
    size_t n, n_piece;
    uint32_t piece[ROWS * 4];
    int fail_at;
};

static struct seen seen;

static uint64_t fold(uint64_t h, const int32_t *id, size_t n)
{
    for (; n; n--)
        h = (h ^ (uint64_t)*id++) * 0x100000001b3u;
    return h;
}

/* Input and target of one segment back into the piece. */
static void undo(struct seen *s, const int32_t *in, size_t n_in, const int32_t *out, size_t n_out)
{
    size_t i, j = 0, begin = s->n;

    assert_int_equal(in[n_in - 1], EOS);
    assert_int_equal(out[n_out - 1], EOS);
    for (i = 0; i < n_in - 1; i++) {
        if (in[i] <= SENTINEL - 200) {
            s->id[s->n++] = in[i];
            continue;
        }
        assert_int_equal(out[j++], in[i]);    // the same sentinel
        while (out[j] < SENTINEL - 200 && j < n_out - 1)
            s->id[s->n++] = out[j++];
    }
    if (n_in == 2 && n_out == 2)
        assert_int_equal(out[j++], SENTINEL);    // the piece of one id
    assert_int_equal(j, n_out - 1);
    s->piece[s->n_piece++] = (uint32_t)(s->n - begin);
}

static int take(void *to, const struct example_row *row, struct err *err)
{
    struct seen *s = to;
    size_t k, in = 0, out = 0;

    if (s->fail_at && s->n_row == s->fail_at)
        return err_set(err, "the sink is full");
    assert_true(row->n_input <= 512 && row->n_target <= 114);
    s->lang[s->n_row] = row->lang;
    s->doc[s->n_row] = row->doc;
    s->n_segment[s->n_row] = row->n_segment;
    s->n_input[s->n_row] = row->n_input;
    s->hash[s->n_row++] =
        fold(fold(14695981039346656037u, row->input, row->n_input), row->target, row->n_target);
    for (k = 0; k < row->n_segment; k++) {
        undo(s, row->input + in, row->segment_input[k], row->target + out, row->segment_target[k]);
        in += row->segment_input[k];
        out += row->segment_target[k];
    }
    assert_int_equal(in, row->n_input);
    assert_int_equal(out, row->n_target);
    return 0;
}

static struct denoise *start(uint64_t seed, uint64_t epoch)
{
    const struct denoise_rule rule = {
        .kind = { { .span = { 0.15, 3, SENTINEL, 100, EOS }, .share = 1, .piece = 568 } },
        .n_kind = 1,
        .inputs = 512,
        .targets = 114,
        .seed = seed,
        .epoch = epoch,
        .n_open = 1,
        .whole_alone = 1
    };

    seen.n_row = seen.fail_at = 0;
    seen.n = seen.n_piece = 0;
    return denoise_new(&rule, (struct packer_sink){ take, &seen });
}

static int32_t source[IDS];    // ids 10, 11, 12, ...

static void fill_source(void)
{
    int32_t i;

    for (i = 0; i < IDS; i++)
        source[i] = i + 10;
}

static int by_id(const void *a, const void *b)
{
    return *(const int32_t *)a < *(const int32_t *)b ? -1
                                                     : *(const int32_t *)a > *(const int32_t *)b;
}

/* 300 documents of 0..999 ids: pieces are those of 128, 128 and 44 joined ones. */
static void test_join_and_split(void **state)
{
    struct denoise *d = start(1, 0);
    size_t length[3] = { 0 }, at = 0, i, group = 0, n_doc = 0, n_short = 0;
    const struct denoise_count *count;
    struct err err;

    (void)state;
    fill_source();
    for (i = 0; i < 310; i++) {
        size_t n = i % 31 ? i * 7919 % 1000 : 0;    // 10 are empty, and do not count as joined

        assert_int_equal(denoise_add(d, 0, i, source + at, n, &err), n > 0);
        at += n;
        length[group] += n;
        if (n > 0 && ++n_doc % 128 == 0)
            group++;
    }
    assert_int_equal(denoise_end(d, &err), 0);
    count = denoise_counts(d);
    assert_int_equal(count->n_doc, 310);
    assert_int_equal(count->n_empty, 10);
    assert_int_equal(count->n_id, at);
    assert_int_equal(count->n_row, seen.n_row);
    for (i = 0; i < seen.n_piece; i++)
        n_short += seen.piece[i] < 568;
    assert_int_equal(n_short, 3);
    assert_int_equal(seen.n_piece,
                     (length[0] + 567) / 568 + (length[1] + 567) / 568 + (length[2] + 567) / 568);
    assert_int_equal(count->n_example, seen.n_piece);
    assert_int_equal(seen.n, at);    // each id once; in a piece, in order
    for (i = 1; i < 568; i++)
        assert_int_equal(seen.id[i], seen.id[i - 1] + 1);
    qsort(seen.id, seen.n, sizeof(*seen.id), by_id);
    assert_memory_equal(seen.id, source, at * sizeof(*source));
    denoise_free(d);
}

static void test_tails_share_rows(void **state)
{
    struct denoise *d = start(1, 0);
    int i, full = 0, tails = 0;
    struct err err;

    (void)state;
    fill_source();
    for (i = 0; i < 128 * 8; i++)    // 128 * 7 = 568 + 328: 8 whole pieces, 8 tails
        assert_int_equal(denoise_add(d, 0, (uint64_t)i, source, 7, &err), 1);
    assert_int_equal(denoise_end(d, &err), 0);
    for (i = 0; i < seen.n_row; i++) {
        full += seen.n_segment[i] == 1 && seen.n_input[i] == 512;
        tails += (int)(seen.n_input[i] < 512 ? seen.n_segment[i] : 0);
    }
    assert_int_equal(full, 8);
    assert_int_equal(tails, 8);
    denoise_free(d);
    d = start(1, 0);
    for (i = 0; i < 128 * 9; i++)    // 128 ids a tail: four to a row, then one
        assert_int_equal(denoise_add(d, 0, (uint64_t)i, source, 1, &err), 1);
    assert_int_equal(denoise_end(d, &err), 0);
    assert_int_equal(seen.n_row, 3);
    assert_int_equal(seen.n_segment[0], 4);
    assert_int_equal(seen.n_segment[1], 4);
    assert_int_equal(seen.n_segment[2], 1);
    assert_int_equal(seen.doc[1], 128 * 4);
    denoise_free(d);
}

static void test_zeros_and_short(void **state)
{
    static const int32_t a[] = { 0, 0, 10, 0, 11, 0 }, zero[] = { 0 }, one[] = { 77 };
    struct denoise *d = start(1, 0);
    struct err err;

    (void)state;
    assert_int_equal(denoise_add(d, 0, 0, a, 6, &err), 1);
    assert_int_equal(denoise_add(d, 0, 1, zero, 1, &err), 1);
    assert_int_equal(denoise_add(d, 1, 2, one, 1, &err), 1);
    assert_int_equal(denoise_end(d, &err), 0);
    assert_int_equal(denoise_counts(d)->n_zero, 5);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.piece[0], 2);
    assert_int_equal(seen.piece[1], 1);
    assert_int_equal(seen.id[0], 10);
    assert_int_equal(seen.id[1], 11);
    assert_int_equal(seen.id[2], 77);
    denoise_free(d);
    d = start(1, 0);
    assert_int_equal(denoise_end(d, &err), 0);
    assert_int_equal(seen.n_row, 0);
    denoise_free(d);
}

static void test_chunk(void **state)
{
    unsigned drawn = 0;
    uint64_t epoch;
    struct err err;

    (void)state;
    fill_source();
    for (epoch = 0; epoch < 40; epoch++) {
        struct denoise *d = start(5, epoch);
        size_t first, n;

        assert_int_equal(denoise_add(d, 0, 3, source, 200000, &err), 1);
        assert_int_equal(denoise_end(d, &err), 0);
        first = (size_t)seen.id[0] - 10;
        assert_int_equal(first % 65536, 0);
        n = first == 3 * 65536 ? 200000 - first : 65536;
        assert_int_equal(seen.n, n);
        assert_int_equal(denoise_counts(d)->n_cut, 200000 - n);
        assert_int_equal(denoise_counts(d)->n_chunked, 1);
        assert_memory_equal(seen.id, source + first, n * sizeof(*source));
        drawn |= 1u << first / 65536;
        denoise_free(d);
    }
    assert_int_equal(drawn, 15);    // the chance to miss one is 4 * 0.75^40
    {
        struct denoise *d = start(5, 0);

        assert_int_equal(denoise_add(d, 0, 3, source, 65536, &err), 1);
        assert_int_equal(denoise_counts(d)->n_chunked, 0);
        denoise_free(d);
    }
}

static int run(uint64_t seed, uint64_t epoch, int with_other, uint64_t *hash)
{
    struct denoise *d = start(seed, epoch);
    struct err err;
    uint64_t i;
    int n = 0, k;

    for (i = 0; i < 200; i++) {
        assert_int_equal(denoise_add(d, 0, i, source + i * 100, 300, &err), 1);
        if (with_other)
            assert_int_equal(denoise_add(d, 1, 5000 + i, source, i + 1, &err), 1);
    }
    assert_int_equal(denoise_end(d, &err), 0);
    denoise_free(d);
    for (k = 0; k < seen.n_row; k++)
        if (seen.lang[k] == 0)
            hash[n++] = seen.hash[k];
    return n;
}

static void test_noise_is_a_function(void **state)
{
    static uint64_t a[ROWS], b[ROWS];
    int n, i, same;

    (void)state;
    fill_source();
    n = run(1, 0, 0, a);
    assert_true(n > 100);
    assert_int_equal(run(1, 0, 1, b), n);
    assert_memory_equal(a, b, (size_t)n * sizeof(*a));    // other languages change nothing
    assert_int_equal(run(1, 1, 0, b), n);
    for (same = i = 0; i < n; i++)
        same += a[i] == b[i];
    assert_int_equal(same, 0);    // another epoch: another mask
    assert_int_equal(run(2, 0, 0, b), n);
    for (same = i = 0; i < n; i++)
        same += a[i] == b[i];
    assert_int_equal(same, 0);
}

/* A document's pieces do not depend on what was joined before it, when they begin alike. */
static void test_noise_does_not_depend_on_the_past(void **state)
{
    struct denoise *d = start(1, 0);
    uint64_t first;
    struct err err;
    int i;

    (void)state;
    assert_int_equal(denoise_add(d, 0, 900, source, 568, &err), 1);
    first = seen.hash[0];
    denoise_free(d);
    d = start(1, 0);
    for (i = 0; i < 3; i++)
        assert_int_equal(denoise_add(d, 0, (uint64_t)i, source + 50, 568, &err), 1);
    assert_int_equal(denoise_add(d, 0, 900, source, 568, &err), 1);
    assert_true(seen.hash[3] == first);
    assert_true(seen.hash[0] != seen.hash[1]);
    denoise_free(d);
}

static void test_languages_end_in_order(void **state)
{
    struct denoise *d = start(1, 0);
    struct err err;
    int k;

    (void)state;
    for (k = 3; k >= 0; k--)
        if (k != 1)
            assert_int_equal(denoise_add(d, k, (uint64_t)k, source, 20, &err), 1);
    assert_int_equal(denoise_end(d, &err), 0);
    assert_int_equal(seen.n_row, 3);
    assert_int_equal(seen.lang[0], 0);
    assert_int_equal(seen.lang[1], 2);
    assert_int_equal(seen.lang[2], 3);
    denoise_free(d);
}

static void test_sink_fails(void **state)
{
    struct denoise *d = start(1, 0);
    struct err err;

    (void)state;
    seen.fail_at = 2;
    assert_int_equal(denoise_add(d, 0, 0, source, 5000, &err), -1);
    assert_string_equal(err.msg, "the sink is full");
    denoise_free(d);
}

TESTS("seq/denoise", cmocka_unit_test(test_join_and_split), cmocka_unit_test(test_tails_share_rows),
      cmocka_unit_test(test_zeros_and_short), cmocka_unit_test(test_chunk),
      cmocka_unit_test(test_noise_is_a_function),
      cmocka_unit_test(test_noise_does_not_depend_on_the_past),
      cmocka_unit_test(test_languages_end_in_order), cmocka_unit_test(test_sink_fails))
