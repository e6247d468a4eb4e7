/* test_dedup.c - owners, against a plain search, in any order. */
#include "../test.h"

#include "base/hash.h"
#include "base/rng.h"
#include "clean/dedup.h"

static struct bytes of(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
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
    struct url_table *t = url_table_new();
    unsigned char key[16] = { 0 };
    uint64_t i, j, page = 0;

    (void)state;
    for (i = 0; i < N; i++)
        for (j = 0; j < N; j++, page += 2) {
            uint64_t first = url_table_rank_date(t, of(order[i]));

            hash_md5(&page, sizeof(page), key);
            url_table_add(t, key, page, first);
            url_table_add(t, key, page + 1, url_table_rank_date(t, of(order[j])));
            assert_int_equal(url_table_owner(t, key), j > i ? page + 1 : page);
        }
    url_table_free(t);
    url_table_free(NULL);
}

enum { PAGES = 20000, URLS = 9000 };

static void urls(void **state)
{
    static uint64_t rank[URLS], owner[URLS];
    static int met[URLS];
    struct url_table *t = url_table_new();
    struct rng r = rng_at(3, 4);
    unsigned char key[16];
    uint64_t page, url;

    (void)state;
    for (page = 0; page < PAGES; page++) {
        uint64_t mine = rng_below(&r, 5);

        url = rng_below(&r, URLS);
        hash_md5(&url, sizeof(url), key);
        url_table_add(t, key, page, mine);
        if (!met[url] || mine > rank[url]) {
            rank[url] = mine;
            owner[url] = page;
        }
        met[url] = 1;
    }
    for (url = 0; url < URLS; url++) {
        hash_md5(&url, sizeof(url), key);
        if (met[url])
            assert_int_equal(url_table_owner(t, key), owner[url]);
    }
    url_table_free(t);
}

static void lines(void **state)
{
    enum { LINES = 12000, OWNERS = 300 };
    static uint64_t best[LINES];
    struct line_table *t = line_table_new();
    unsigned char md5[16], key[16];
    uint64_t owner[OWNERS], i, line, wins = 0;
    struct rng r = rng_at(5, 6);

    (void)state;
    for (i = 0; i < OWNERS; i++) {
        hash_md5(&i, sizeof(i), md5);
        owner[i] = line_owner(md5);
    }
    for (i = 0; i < 3 * LINES; i++) {
        uint64_t who = owner[rng_below(&r, OWNERS)];

        line = rng_below(&r, LINES);
        hash_md5(&line, sizeof(line), key);
        line_table_prefetch(t, key);
        line_table_add(t, key, who);
        if (!best[line] || who < best[line])
            best[line] = who;
    }
    for (line = 0; line < LINES; line++) {
        hash_md5(&line, sizeof(line), key);
        if (!best[line])
            continue;
        wins++;
        for (i = 0; i < OWNERS; i++)
            assert_int_equal(line_table_take(t, key, owner[i]),
                             owner[i] == best[line] ? LINE_MINE : LINE_OTHERS);
        assert_int_equal(line_table_take(t, key, best[line]), LINE_AGAIN);
        assert_int_equal(line_table_take(t, key, best[line] ^ 4), LINE_OTHERS);
    }
    assert_int_equal(line_table_lines(t), wins);
    line_table_free(t);
    line_table_free(NULL);
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
    line_key(of(" "), &low, a);
    assert_memory_equal(a, "\xD4\x1D\x8C\xD9\x8F\x00\xB2\x04\xE9\x80\x09\x98\xEC\xF8\x42\x7E", 16);
    buf_release(&low);
}

TESTS("clean/dedup", cmocka_unit_test(dates), cmocka_unit_test(urls), cmocka_unit_test(lines),
      cmocka_unit_test(keys))
