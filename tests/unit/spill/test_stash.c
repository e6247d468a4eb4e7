/* test_stash.c - blocks come back as they were, with and without bodies; a folder that is none. */
#include "../test.h"

#include <stdio.h>

#include "base/err.h"
#include "base/rng.h"
#include "spill/stash.h"

enum { BLOCKS = 40 };

static void fill(struct stash_block *b, int number)
{
    struct rng r = rng_at(3, (uint64_t)number);
    size_t i, n = number % 5 ? rng_below(&r, 3000) : 0;

    buf_reset(&b->head);
    buf_reset(&b->body);
    buf_printf(&b->head, "head %d", number);
    for (i = 0; i < n; i++)
        buf_add_byte(&b->body, (unsigned char)rng_below(&r, number % 2 ? 256 : 3));
}

static int same(const struct buf *a, const struct buf *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n));
}

static void test_blocks(void **state)
{
    struct stash_block in = { 0 }, out = { 0 };
    struct err err = { { 0 } };
    struct stash *s = stash_open(".", &err);
    int i, pass;

    (void)state;
    assert_non_null(s);
    for (i = 0; i < BLOCKS; i++) {
        fill(&in, i);
        assert_int_equal(stash_pack(&in, &err), 0);
        assert_int_equal(stash_put(s, &in, &err), 0);
    }
    for (pass = 0; pass < 3; pass++) {
        stash_rewind(s, pass > 0);
        for (i = 0; stash_next(s, &out, &err) == 1; i++) {
            fill(&in, i);
            assert_true(same(&in.head, &out.head));
            if (pass)
                assert_true(same(&in.body, &out.body));
            else
                assert_int_equal(out.body.n, 0);
        }
        assert_int_equal(i, BLOCKS);
        assert_string_equal(err.msg, "");
    }
    assert_true(stash_stored(s) > BLOCKS * 24);
    stash_block_release(&in);
    stash_block_release(&out);
    stash_close(s);
}

static void test_empty_and_nowhere(void **state)
{
    struct stash_block b = { 0 };
    struct err err = { { 0 } };
    struct stash *s = stash_open(".", &err);

    (void)state;
    stash_rewind(s, 1);
    assert_int_equal(stash_next(s, &b, &err), 0);
    stash_close(s);
    stash_block_release(&b);
    assert_null(stash_open("no/such/dir", &err));
    assert_non_null(strstr(err.msg, "no/such/dir"));
    stash_close(NULL);
}

TESTS("spill/stash", cmocka_unit_test(test_blocks), cmocka_unit_test(test_empty_and_nowhere))
