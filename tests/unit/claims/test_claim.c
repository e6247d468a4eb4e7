/* test_claim.c - owners, against a plain search, whatever the order of claims. */
#include "../test.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/rng.h"
#include "claims/claim.h"
#include "claims/lost.h"
#include "spill/sort.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

/* Whether page a's claim comes before that of b. */
static int wins(const struct url_claim *a, const struct url_claim *b, int compat301)
{
    unsigned char x[URL_CLAIM], y[URL_CLAIM];

    url_claim_write(x, a, compat301);
    url_claim_write(y, b, compat301);
    return memcmp(x, y, URL_CLAIM) < 0;
}

static void dates(void **state)
{
    static const char *const order[] = { "",
                                         "2018",
                                         "2019-01-01T00:00:00",
                                         "2019-01-01T00:00:00Z",
                                         "2019-01-01T00:00:01Z",
                                         "2019-01-01t00:00:00z",
                                         "2021-01-01T00:00:00.5Z",
                                         "2021-01-01T00:00:00Z",
                                         "9999-99-99T99:99:99Z",
                                         "yesterday" };
    enum { N = sizeof(order) / sizeof(order[0]) };
    unsigned char key[16] = { 1 }, low[16] = { 2 }, high[16] = { 3 };
    size_t i, k;

    (void)state;
    for (i = 0; i < N; i++)
        for (k = 0; k < N; k++) {
            struct url_claim a = { key, of(order[i]), high, high, 9 };
            struct url_claim b = { key, of(order[k]), low, low, 5 };

            assert_int_equal(wins(&a, &b, 0), i > k);
            assert_true(wins(&a, &b, 1));    // 3.0.1: the greatest text, whatever the date
        }
}

static void ties(void **state)
{
    unsigned char key[16] = { 1 }, low[16] = { 2 }, high[16] = { 3 };
    struct url_claim a = { key, of("2020"), low, high, 9 }, b = a;

    (void)state;
    b.text_md5 = high;
    b.page = 1;
    assert_true(wins(&a, &b, 0));    // the smaller text
    b = a;
    b.url_md5 = low;
    b.page = 10;
    assert_true(wins(&b, &a, 0));    // then the smaller URL
    assert_true(wins(&b, &a, 1));
    b.url_md5 = high;
    assert_true(wins(&a, &b, 0));    // then the earlier page
}

enum { PAGES = 3000, LINES = 900, CLAIMS = 20000 };

/* Random lines in random pages, some twice in one: each is lost but where the owner has it first.
 */
static void lines(void **state)
{
    static uint64_t page_of[CLAIMS], key_of[CLAIMS];
    struct sorter *s = sorter_new(LINE_CLAIM, 100000, "."), *all = sorter_new(8, 1 << 20, ".");
    struct lost lost = { .sorter = { sorter_new(8, 1 << 20, "."), NULL, all } };
    unsigned char key[16], owner[16], rec[LINE_CLAIM], place[8];
    struct rng r = rng_at(5, 6);
    struct walk walk = { 0 };
    struct buf got = { 0 };
    uint64_t i, k, n_lost = 0;
    const void *next;
    struct err err;

    (void)state;
    for (i = 0; i < CLAIMS; i++) {
        page_of[i] = i * PAGES / CLAIMS;
        key_of[i] = rng_below(&r, LINES);
        hash_md5(&key_of[i], sizeof(key_of[i]), key);
        hash_md5(&page_of[i], sizeof(page_of[i]), owner);
        line_claim_write(rec, key, owner, line_place(page_of[i], i));
        assert_int_equal(sorter_add(s, rec, &err), 0);
    }
    assert_int_equal(sorter_start(s, &err), 0);
    while (sorter_next(s, &next, &err) == 1) {
        enum line_fate fate = walk_line(&walk, next, 0);

        number_write(place, place_lost(line_claim_place(next), fate));
        if (fate != LINE_MINE && ++n_lost)
            sorter_add(lost.sorter[n_lost % 2 ? 0 : 2], place, &err);
    }
    assert_int_equal(lost_start(&lost, &err), 0);
    assert_int_equal(lost_take(&lost, PAGES / 2, &got, &err), 0);
    assert_int_equal(lost_take(&lost, PAGES, &got, &err), 0);
    assert_int_equal(got.n, 8 * n_lost);
    for (i = k = 0; i < CLAIMS; i++) {
        enum line_fate want = LINE_MINE, is = LINE_MINE;
        uint64_t other, at = k < n_lost ? ((uint64_t *)(void *)got.p)[k] : 0;
        unsigned char his[16];

        hash_md5(&page_of[i], sizeof(page_of[i]), owner);
        for (other = 0; other < CLAIMS && want != LINE_OTHERS; other++) {
            if (key_of[other] != key_of[i] || other == i)
                continue;
            hash_md5(&page_of[other], sizeof(page_of[other]), his);
            if (memcmp(his, owner, 8) < 0)
                want = LINE_OTHERS;
            else if (page_of[other] == page_of[i] && other < i)
                want = LINE_AGAIN;
        }
        if (k < n_lost && place_line(at) == i) {
            assert_int_equal(place_page(at), page_of[i]);
            is = place_fate(at);
            k++;
        }
        assert_int_equal(is, want);
    }
    assert_int_equal(k, n_lost);
    buf_release(&got);
    sorter_free(s);
    lost_release(&lost);
}

static void walks_know_tasks(void **state)
{
    unsigned char rec[LINE_CLAIM] = { 0 };
    struct walk w = { 0 };

    (void)state;
    assert_int_equal(walk_line(&w, rec, 3), LINE_MINE);
    assert_int_equal(walk_line(&w, rec, 3), LINE_AGAIN);
    assert_int_equal(walk_line(&w, rec, 4), LINE_OTHERS);
    rec[15] = 1;
    assert_int_equal(walk_line(&w, rec, 4), LINE_MINE);
}

static void keys(void **state)
{
    unsigned char a[16], b[16];
    struct buf low = { 0 };

    (void)state;
    line_key(of(" \xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\x95\xD1\x82 World\xC2\xA0"), &low, a);
    line_key(of("\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 world"), &low, b);
    assert_memory_equal(a, b, 16);
    line_key(of("\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82  world"), &low, b);
    assert_memory_not_equal(a, b, 16);
    buf_release(&low);
}

static void places(void **state)
{
    uint64_t p = line_place((1ULL << 34) + 5, (1 << 28) - 1);

    (void)state;
    assert_true(place_page(p) == (1ULL << 34) + 5);
    assert_int_equal(place_line(p), (1 << 28) - 1);
    assert_int_equal(place_fate(place_lost(p, LINE_AGAIN)), LINE_AGAIN);
    assert_int_equal(place_fate(place_lost(p, LINE_OTHERS)), LINE_OTHERS);
    assert_int_equal(place_line(place_lost(p, LINE_AGAIN)), (1 << 28) - 1);
    assert_true(line_place(7, 0) > place_lost(line_place(6, (1 << 28) - 1), LINE_AGAIN));
}

TESTS("claims/claim", cmocka_unit_test(dates), cmocka_unit_test(ties), cmocka_unit_test(lines),
      cmocka_unit_test(walks_know_tasks), cmocka_unit_test(keys), cmocka_unit_test(places))
