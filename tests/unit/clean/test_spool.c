/* test_spool.c - what goes in comes out, over many blocks. */
#include "../test.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "clean/spool.h"

enum { BLOCKS = 30, LONGEST = 20000 };

static unsigned char bytes[2 * LONGEST];

/* Page i, made of nothing but i. */
static struct spool_page make(uint64_t i)
{
    struct rng r = rng_at(9, i);
    struct spool_page p = { .head = { .bytes = rng_next(&r), .rule = (int32_t)i - 7 } };
    int k;

    for (k = 0; k < SPOOL_STRINGS; k++)
        if (rng_below(&r, 4))
            p.s[k] = (struct bytes){ bytes + rng_below(&r, LONGEST), rng_below(&r, LONGEST) };
    return p;
}

static void read_back(struct spool *s, struct spool_block *b)
{
    struct err err;
    struct spool_page got, want;
    uint64_t i = 0, block;
    int k;

    spool_rewind(s);
    for (block = 1; spool_get(s, b, &err) == 1; block++) {
        assert_int_equal(b->n_page, block);
        assert_int_equal(spool_block_unpack(b, &err), 0);
        for (; spool_block_next(b, &got); i++) {
            want = make(i);
            assert_int_equal(got.head.bytes, want.head.bytes);
            assert_int_equal(got.head.rule, want.head.rule);
            for (k = 0; k < SPOOL_STRINGS; k++) {
                assert_int_equal(got.s[k].n, want.s[k].n);
                if (got.s[k].n)
                    assert_memory_equal(got.s[k].p, want.s[k].p, got.s[k].n);
            }
        }
    }
    assert_int_equal(i, BLOCKS * (BLOCKS + 1) / 2);
    assert_int_equal(spool_get(s, b, &err), 0);
}

static void round_trip(void **state)
{
    struct rng r = rng_at(1, 1);
    struct spool_block b = { 0 };
    struct spool_page p;
    struct spool *s;
    struct err err;
    uint64_t i, k, page = 0;

    (void)state;
    for (i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)('a' + rng_below(&r, 4));
    s = spool_open(".", &err);
    assert_non_null(s);
    for (i = 1; i <= BLOCKS; i++) {
        spool_block_reset(&b);
        for (k = 0; k < i; k++) {
            p = make(page++);
            spool_block_add(&b, &p);
        }
        spool_block_pack(&b);
        assert_int_equal(spool_put(s, &b, &err), 0);
    }
    read_back(s, &b);
    read_back(s, &b);
    assert_in_range(spool_stored(s), 100 * page, 24 << 20);    // the texts: some 25 MB
    spool_block_release(&b);
    spool_close(s);
}

static void none(void **state)
{
    struct spool_block b = { 0 };
    struct spool *s;
    struct err err;

    (void)state;
    s = spool_open(".", &err);
    assert_non_null(s);
    spool_block_pack(&b);
    assert_int_equal(spool_put(s, &b, &err), 0);
    assert_int_equal(spool_get(s, &b, &err), 0);
    spool_block_release(&b);
    spool_close(s);
    assert_null(spool_open("./not/here", &err));
    assert_non_null(strstr(err.msg, "./not/here: temporary file"));
    spool_close(NULL);
}

TESTS("clean/spool", cmocka_unit_test(round_trip), cmocka_unit_test(none))
