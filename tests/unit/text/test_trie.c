/* test_trie.c - what is in the trie is found, what is not is not, whatever the keys. */
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "text/trie.h"

static struct bytes bytes(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static int32_t find(const struct trie *t, struct bytes key)
{
    uint32_t base = t->root;
    int32_t number = TRIE_NONE;
    size_t i;

    for (i = 0; i < key.n && number >= 0; i++)
        number = trie_step(t, &base, key.p[i]);
    return number < 0 ? TRIE_NONE : number;
}

static void every_key_and_no_other(void **state)
{
    enum { N = 3000, WIDTH = 24 };
    static unsigned char text[N][WIDTH];
    static struct bytes key[N];
    static uint32_t number[N];
    struct rng r = rng_at(rng_key(1, "trie"), 0);
    size_t i, j, n = 0, bad = 0;
    struct trie t;
    struct err err;

    (void)state;
    for (i = 0; i < N; i++) {    // few letters, so that keys share; some bytes of all values
        size_t len = 1 + rng_below(&r, 9);
        uint64_t kind = rng_below(&r, 3);

        for (j = 0; j < len; j++)
            text[i][j] = (unsigned char)(kind == 0   ? 'a' + rng_below(&r, 3)
                                         : kind == 1 ? 1 + rng_below(&r, 255)
                                                     : 0xFF - rng_below(&r, 2));
        for (j = 0; j < n; j++)
            if (key[j].n == len && !memcmp(key[j].p, text[i], len))
                break;
        if (j < n)
            continue;
        key[n] = (struct bytes){ text[i], len };
        number[n] = (uint32_t)(n * 7);
        n++;
    }
    assert_int_equal(trie_build(&t, key, number, n, &err), 0);
    for (i = 0; i < n; i++) {
        unsigned char other[WIDTH];
        struct bytes o = { other, key[i].n + 1 };

        bad += find(&t, key[i]) != (int32_t)number[i];
        bad += trie_longest(&t, key[i]) != key[i].n;
        memcpy(other, key[i].p, key[i].n);
        for (j = 0; j < 256; j++) {    // one byte more
            size_t k;

            other[key[i].n] = (unsigned char)j;
            if (find(&t, o) == TRIE_NONE)
                continue;
            for (k = 0; k < n && !(key[k].n == o.n && !memcmp(key[k].p, other, o.n)); k++)
                ;
            bad += k == n;
        }
    }
    assert_int_equal(bad, 0);
    trie_release(&t);
}

static void no_byte_goes_on_from_a_leaf_or_a_gap(void **state)
{
    struct bytes key[] = { bytes("a"), bytes("\xFF") };
    uint32_t number[] = { 0, 1 }, a, b, c;
    struct trie t;
    struct err err;
    size_t on = 0;

    (void)state;
    assert_int_equal(trie_build(&t, key, number, 2, &err), 0);
    for (a = 0; a < 256; a++)
        for (b = 0; b < 256; b++)
            for (c = 0; c < 2; c++) {
                uint32_t base = t.root;

                if (trie_step(&t, &base, (unsigned char)a) >= 0)
                    on += trie_step(&t, &base, (unsigned char)b) >= 0;
            }
    assert_int_equal(on, 0);
    trie_release(&t);
}

static void an_empty_set_and_equal_keys(void **state)
{
    struct bytes key[] = { bytes("ab"), bytes("b"), bytes("ab") };
    uint32_t number[] = { 0, 1, 2 };
    struct trie t;
    struct err err;

    (void)state;
    assert_int_equal(trie_build(&t, NULL, NULL, 0, &err), 0);
    assert_int_equal(find(&t, key[0]), TRIE_NONE);
    trie_release(&t);
    assert_int_equal(trie_build(&t, key, number, 3, &err), -1);
    assert_non_null(strstr(err.msg, "same"));
    trie_release(&t);
}

/* Many keys of wide labels, some of which agree in more of them than are sorted by at once. */
static void wide_keys(void **state)
{
    enum { N = 6000, LONG = 12, MOST = 5000 };
    static uint16_t label[N * (LONG + 1) + TRIE_SPARE];
    static struct trie_key key[N];
    struct rng r = rng_at(rng_key(2, "trie"), 0);
    struct trie_keys keys = { label, 0, MOST, key, N };
    size_t i, n, bad = 0;
    struct trie t;
    struct err err;

    (void)state;
    for (i = 0; i < N; i++) {
        uint32_t few = rng_below(&r, 2) ? 3 : MOST;

        key[i] = (struct trie_key){ (uint32_t)keys.n_label, (uint32_t)i };
        for (n = rng_below(&r, LONG - 4); n; n--)
            label[keys.n_label++] = (uint16_t)(1 + rng_below(&r, few));
        label[keys.n_label++] = (uint16_t)(MOST - i / 100);    // no two are the same
        label[keys.n_label++] = (uint16_t)(MOST - i % 100);
        label[keys.n_label++] = MOST;
        label[keys.n_label++] = 0;
    }
    for (n = 1; n <= N; n += N - 1) {    // one key, and all
        keys.n = n;
        assert_int_equal(trie_build_wide(&t, &keys, TRIE_NONE, &err), 0);
        for (i = 0; i < N; i++) {
            const uint16_t *p = label + key[i].at;
            uint32_t base = t.root, number = TRIE_NONE;

            for (; *p && base + *p < t.n_node && trie_label(t.node[base + *p]) == *p; p++) {
                number = trie_number(t.node[base + *p]);
                base = trie_base(t.node[base + *p]);
            }
            bad += (!*p && number == key[i].number) != (i < n);
        }
        trie_release(&t);
    }
    assert_int_equal(bad, 0);
    key[N - 1] = key[N / 2];
    assert_int_equal(trie_build_wide(&t, &keys, TRIE_NONE, &err), -1);
    assert_non_null(strstr(err.msg, "same"));
}

TESTS("text/trie", cmocka_unit_test(every_key_and_no_other),
      cmocka_unit_test(no_byte_goes_on_from_a_leaf_or_a_gap),
      cmocka_unit_test(an_empty_set_and_equal_keys), cmocka_unit_test(wide_keys))
