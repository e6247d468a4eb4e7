/* test_ngram.c - the hash, division without dividing, n-grams: by hand, and fast against plain. */
#include "../test.h"

#include "langid/ngram.h"
#include "langid/scan.h"
#include "text.h"

static uint32_t hash(const char *s)
{
    return ngram_hash((const unsigned char *)s, strlen(s));
}

static void hashes(void **state)
{
    (void)state;    // MurmurHash2 of these bytes, seed 0xBEEF
    assert_int_equal(hash("a"), 0x59f316c0);
    assert_int_equal(hash("^ab"), 0xdd6f0082);
    assert_int_equal(hash("abcd"), 0x87a1b830);
    assert_int_equal(hash("\xE6\x97\xA5\xE6\x9C\xAC"), 0x2b20847b);
}

static void division(void **state)
{
    static const uint32_t ids[] = { 1,    2,    3,    7,     12,      100,           103,
                                    1000, 4096, 5000, 65536, 1000003, (1 << 22) - 1, 1 << 22 };
    struct rng r = rng_at(1, 2);
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        struct counter c;

        counter_init(&c, ids[i]);
        for (j = 0; j < 20000; j++) {
            uint32_t near = (uint32_t)rng_next(&r) / ids[i] * ids[i] - (j & 1),
                     h = j < 9999 ? near : (uint32_t)rng_next(&r);

            assert_int_equal(divisor_rest(&c.by, h), h % ids[i]);
        }
        assert_int_equal(divisor_rest(&c.by, UINT32_MAX), UINT32_MAX % ids[i]);
        assert_int_equal(divisor_rest(&c.by, 0), 0);
        counter_release(&c);
    }
}

static uint32_t count_of(const struct counter *c, const char *s)
{
    return c->count[divisor_rest(&c->by, hash(s))];
}

static void by_hand(void **state)
{
    struct counter c[5], *to[LANGID_NGRAM_MAX + 1] = { NULL };
    struct buf marked = { 0 };
    int i;

    (void)state;
    for (i = 1; i < 5; i++) {
        counter_init(&c[i], 1 << 20);
        to[i] = &c[i];
    }
    ngram_mark(&marked, (struct bytes){ (const unsigned char *)" ab  c\xC3\xA4 ab", 11 });
    ngram_count(to, buf_bytes(&marked));
    assert_int_equal(c[1].total, 16);    // 5 words, of which two are empty, and their marks
    assert_int_equal(count_of(&c[1], "^"), 5);
    assert_int_equal(count_of(&c[1], "$"), 5);
    assert_int_equal(count_of(&c[1], "a"), 2);
    assert_int_equal(c[2].total, 11);
    assert_int_equal(count_of(&c[2], "^$"), 2);
    assert_int_equal(count_of(&c[2], "ab"), 2);
    assert_int_equal(count_of(&c[2], "\xC3\xA4$"), 1);
    assert_int_equal(c[3].total, 6);
    assert_int_equal(count_of(&c[3], "^ab"), 2);
    assert_int_equal(c[4].total, 3);
    assert_int_equal(count_of(&c[4], "^ab$"), 2);
    assert_int_equal(count_of(&c[4], "^c\xC3\xA4$"), 1);
    assert_int_equal(c[4].n, 2);
    for (i = 1; i < 5; i++)
        counter_release(&c[i]);
    buf_release(&marked);
}

static void assert_same(const struct counter *a, const struct counter *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->total, b->total);
    assert_memory_equal(a->touched, b->touched, a->n * sizeof(*a->touched));
    assert_memory_equal(a->count, b->count, a->by.ids * sizeof(*a->count));
}

static void same_as_plain(void **state)
{
    static const uint32_t ids[LANGID_NGRAM_MAX + 1] = { 0, 100, 1000, 5000, 5003, 64, 7, 1, 300 };
    struct counter a[LANGID_NGRAM_MAX + 1], b[LANGID_NGRAM_MAX + 1], *fast[LANGID_NGRAM_MAX + 1],
        *plain[LANGID_NGRAM_MAX + 1];
    struct buf text = { 0 }, clean = { 0 }, marked = { 0 };
    uint64_t seed;
    int i;

    (void)state;
    for (i = 1; i <= LANGID_NGRAM_MAX; i++) {
        counter_init(&a[i], ids[i]);
        counter_init(&b[i], ids[i]);
    }
    for (seed = 0; seed < 300; seed++) {
        for (i = 1; i <= LANGID_NGRAM_MAX; i++) {    // some sizes are not asked for
            fast[i] = seed % 3 && seed >> i & 1 ? NULL : &a[i];
            plain[i] = fast[i] ? &b[i] : NULL;
        }
        text_make(&text, seed);
        buf_reset(&clean);
        buf_reset(&marked);
        scan_clean(&clean, buf_bytes(&text), 10000);
        ngram_mark(&marked, buf_bytes(&clean));
        ngram_count(fast, buf_bytes(&marked));
        ngram_count_plain(plain, buf_bytes(&marked));
        for (i = 1; i <= LANGID_NGRAM_MAX; i++) {
            assert_same(&a[i], &b[i]);
            counter_clear(&a[i]);
            counter_clear(&b[i]);
        }
    }
    for (i = 1; i <= LANGID_NGRAM_MAX; i++) {
        counter_release(&a[i]);
        counter_release(&b[i]);
    }
    buf_release(&text);
    buf_release(&clean);
    buf_release(&marked);
}

TESTS("langid/ngram", cmocka_unit_test(hashes), cmocka_unit_test(division),
      cmocka_unit_test(by_hand), cmocka_unit_test(same_as_plain))
