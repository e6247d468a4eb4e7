/* test_pack.c - greedy packing: the example of the specification, limits, odd lengths. */
#include "../test.h"
#include "seq/pack.h"

static void test_example(void **state)
{
    static const int32_t in1[] = { 8, 7, 1, 0, 0 }, out1[] = { 4, 1, 0 };
    static const int32_t in2[] = { 2, 3, 4, 1 }, out2[] = { 5, 6, 1 };
    static const int32_t input[] = { 8, 7, 1, 2, 3, 4, 1 }, target[] = { 4, 1, 5, 6, 1 };
    struct pack p;

    (void)state;
    pack_init(&p, 10, 7);
    assert_int_equal(pack_add(&p, in1, 5, out1, 3, 40), 1);
    assert_int_equal(pack_add(&p, in2, 4, out2, 3, 41), 1);
    assert_int_equal(p.row.n_segment, 2);
    assert_int_equal(p.row.n_input, 7);
    assert_memory_equal(p.row.input, input, sizeof(input));
    assert_int_equal(p.row.n_target, 5);
    assert_memory_equal(p.row.target, target, sizeof(target));
    assert_int_equal(p.row.segment_input[0], 3);
    assert_int_equal(p.row.segment_input[1], 4);
    assert_int_equal(p.row.segment_target[0], 2);
    assert_int_equal(p.row.segment_target[1], 3);
    assert_int_equal(p.row.doc, 40);
    pack_release(&p);
}

static void test_both_must_fit(void **state)
{
    static const int32_t id[] = { 5, 5, 5, 5, 5, 5, 5, 5 };
    struct pack p;

    (void)state;
    pack_init(&p, 6, 4);
    assert_int_equal(pack_add(&p, id, 3, id, 3, 1), 1);
    assert_int_equal(pack_add(&p, id, 4, id, 1, 2), 0);    // inputs are full
    assert_int_equal(pack_add(&p, id, 3, id, 2, 2), 0);    // targets are
    assert_int_equal(p.row.n_segment, 1);
    assert_int_equal(p.row.n_input, 3);
    assert_int_equal(pack_add(&p, id, 3, id, 1, 2), 1);
    assert_int_equal(p.row.n_input, 6);
    assert_int_equal(p.row.n_target, 4);
    pack_reset(&p);
    assert_int_equal(p.row.n_segment, 0);
    assert_int_equal(pack_add(&p, id, 8, id, 8, 9), 1);    // cut to the row
    assert_int_equal(p.row.n_input, 6);
    assert_int_equal(p.row.n_target, 4);
    assert_int_equal(p.row.doc, 9);
    pack_release(&p);
}

static void test_nothing(void **state)
{
    static const int32_t zero[] = { 0, 0 }, one[] = { 1 };
    struct pack p;
    int i;

    (void)state;
    pack_init(&p, 3, 2);
    assert_int_equal(pack_add(&p, zero, 2, zero, 0, 1), 1);
    assert_int_equal(p.row.n_segment, 0);
    for (i = 0; i < 3; i++)    // one side may be empty: as many segments as ids at most
        assert_int_equal(pack_add(&p, one, 1, zero, 1, 2), 1);
    for (i = 0; i < 2; i++)
        assert_int_equal(pack_add(&p, zero, 1, one, 1, 2), 1);
    assert_int_equal(p.row.n_segment, 5);
    assert_int_equal(pack_add(&p, one, 1, one, 1, 2), 0);
    pack_release(&p);
}

TESTS("seq/pack", cmocka_unit_test(test_example), cmocka_unit_test(test_both_must_fit),
      cmocka_unit_test(test_nothing))
