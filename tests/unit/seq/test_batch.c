/* test_batch.c - rows into arrays: segments, shifted decoder input, padding. */
#include "../test.h"
#include "base/err.h"
#include "seq/batch.h"
#include "shard/example.h"

static const int32_t input[] = { 8, 7, 1, 2, 3, 4, 1 }, target[] = { 4, 1, 5, 6, 1 };
static const uint32_t segment_input[] = { 3, 4 }, segment_target[] = { 2, 3 };
static const struct example_row row = {
    input, target, 7, 5, segment_input, segment_target, 2, 40, 3
};

static void test_set(void **state)
{
    static const int32_t seg[] = { 1, 1, 1, 2, 2, 2, 2, 0, 0, 0 };
    static const int32_t in[] = { 8, 7, 1, 2, 3, 4, 1, 0, 0, 0 }, zero[10] = { 0 };
    static const int32_t out[] = { 4, 1, 5, 6, 1, 0, 0 }, decoder[] = { 0, 4, 0, 5, 6, 0, 0 };
    static const int32_t out_seg[] = { 1, 1, 2, 2, 2, 0, 0 };
    struct batch b;
    struct err err;

    (void)state;
    batch_init(&b, 3, 10, 7);
    assert_int_equal(batch_set(&b, 1, &row, 6, 99, &err), 0);
    assert_memory_equal(b.input + 10, in, sizeof(in));
    assert_memory_equal(b.input_segment + 10, seg, sizeof(seg));
    assert_memory_equal(b.target + 7, out, sizeof(out));
    assert_memory_equal(b.decoder + 7, decoder, sizeof(decoder));
    assert_memory_equal(b.target_segment + 7, out_seg, sizeof(out_seg));
    assert_int_equal(b.tag[1], 6);
    assert_int_equal(b.number[1], 99);
    assert_int_equal(batch_targets(&b), 5);
    assert_memory_equal(b.input, zero, sizeof(zero));    // its neighbours are untouched
    assert_memory_equal(b.input + 20, zero, sizeof(zero));
    assert_memory_equal(b.target + 14, zero, 7 * sizeof(*zero));
    batch_clear(&b);
    assert_memory_equal(b.input + 10, zero, sizeof(zero));
    assert_memory_equal(b.decoder + 7, zero, 7 * sizeof(*zero));
    assert_int_equal(batch_targets(&b), 0);
    batch_release(&b);
}

static void test_shorter_row_leaves_nothing_behind(void **state)
{
    static const int32_t id[] = { 9 };
    static const uint32_t one[] = { 1 };
    const struct example_row small = { id, id, 1, 1, one, one, 1, 0, 0 };
    struct batch b;
    struct err err;
    int i;

    (void)state;
    batch_init(&b, 1, 7, 5);
    assert_int_equal(batch_set(&b, 0, &row, 0, 0, &err), 0);
    assert_int_equal(batch_set(&b, 0, &small, 0, 1, &err), 0);
    for (i = 1; i < 7; i++)
        assert_true(b.input[i] == 0 && b.input_segment[i] == 0);
    for (i = 1; i < 5; i++)
        assert_true(b.target[i] == 0 && b.target_segment[i] == 0 && b.decoder[i] == 0);
    assert_true(b.decoder[0] == 0 && b.target_segment[0] == 1);
    batch_release(&b);
}

static void test_refuses(void **state)
{
    struct example_row torn = row;
    struct batch b;
    struct err err;

    (void)state;
    batch_init(&b, 1, 6, 5);
    assert_int_equal(batch_set(&b, 0, &row, 0, 12, &err), -1);
    assert_non_null(strstr(err.msg, "row 12"));
    batch_release(&b);
    batch_init(&b, 1, 7, 4);
    assert_int_equal(batch_set(&b, 0, &row, 0, 0, &err), -1);
    batch_release(&b);
    batch_init(&b, 1, 7, 5);
    torn.n_segment = 1;
    assert_int_equal(batch_set(&b, 0, &torn, 0, 0, &err), -1);
    assert_int_equal(b.input[0], 0);
    batch_release(&b);
}

TESTS("seq/batch", cmocka_unit_test(test_set),
      cmocka_unit_test(test_shorter_row_leaves_nothing_behind), cmocka_unit_test(test_refuses))
