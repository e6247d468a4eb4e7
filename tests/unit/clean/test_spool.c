/* test_spool.c - what goes in comes out, with and without texts, over many blocks. */
#include "../test.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "clean/spool.h"

enum { PAGES = 600, LONGEST = 20000 };

static unsigned char bytes[2 * LONGEST];

/* Page i, made of nothing but i. */
static struct spool_page make(uint64_t i)
{
    struct rng r = rng_at(9, i);
    struct spool_page p = { .head = { .owner = rng_next(&r), .rule = (int32_t)i - 7 } };
    int k;

    p.head.n_key = (uint32_t)rng_below(&r, 40);
    p.keys = bytes + rng_below(&r, LONGEST);
    for (k = 0; k < SPOOL_STRINGS; k++)
        if (rng_below(&r, 4))
            p.s[k] = (struct bytes){ bytes + rng_below(&r, LONGEST), rng_below(&r, LONGEST) };
    return p;
}

static void read_back(struct spool *s, int with_text)
{
    struct err err;
    struct spool_page got, want;
    uint64_t i;
    int k;

    assert_int_equal(spool_rewind(s, with_text, &err), 0);
    for (i = 0; spool_next(s, &got, &err) == 1; i++) {
        want = make(i);
        assert_int_equal(got.head.owner, want.head.owner);
        assert_int_equal(got.head.rule, want.head.rule);
        assert_int_equal(got.head.n_key, want.head.n_key);
        assert_memory_equal(got.keys, want.keys, 16 * want.head.n_key);
        for (k = 0; k < SPOOL_STRINGS; k++) {
            assert_int_equal(got.head.len[k], want.s[k].n);
            assert_int_equal(got.s[k].n, with_text ? want.s[k].n : 0);
            if (got.s[k].n)
                assert_memory_equal(got.s[k].p, want.s[k].p, got.s[k].n);
        }
    }
    assert_int_equal(i, PAGES);
    assert_int_equal(spool_next(s, &got, &err), 0);
}

static void round_trip(void **state)
{
    struct rng r = rng_at(1, 1);
    struct spool_page p;
    struct spool *s;
    struct err err;
    uint64_t i;

    (void)state;
    for (i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)('a' + rng_below(&r, 4));
    s = spool_open(".", &err);
    assert_non_null(s);
    for (i = 0; i < PAGES; i++) {
        p = make(i);
        assert_int_equal(spool_put(s, &p, &err), 0);
    }
    assert_int_equal(spool_pages(s), PAGES);
    read_back(s, 0);
    read_back(s, 1);
    read_back(s, 0);
    assert_in_range(spool_stored(s), 16 * PAGES, 16 << 20);    // the texts: some 27 MB
    spool_close(s);
}

static void none(void **state)
{
    struct spool_page p;
    struct spool *s;
    struct err err;

    (void)state;
    s = spool_open(".", &err);
    assert_non_null(s);
    assert_int_equal(spool_rewind(s, 1, &err), 0);
    assert_int_equal(spool_next(s, &p, &err), 0);
    spool_close(s);
    assert_null(spool_open("./not/here", &err));
    assert_non_null(strstr(err.msg, "./not/here: temporary file"));
    spool_close(NULL);
}

TESTS("clean/spool", cmocka_unit_test(round_trip), cmocka_unit_test(none))
