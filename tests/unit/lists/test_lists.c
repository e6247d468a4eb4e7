/* test_lists.c - hosts and domains of URLs; lists that are refused. */
#include "../test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "lists/lists.h"
#include "lists/site.h"

static struct bytes bytes(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void sites(void **state)
{
    static const char *const is[][4] = {
        { "http://www.news.bbc.co.uk/a?b#c", "www.news.bbc.co.uk", "bbc.co.uk", "www.news" },
        { "https://bbc.co.uk", "bbc.co.uk", "bbc.co.uk", "" },
        { "http://co.uk/", "co.uk", "", "" },
        { "//User:pw@Example.COM.:8080/x", "example.com", "example.com", "" },
        { "example.com/http://other.net/", "example.com", "example.com", "" },
        { "http://me.github.io/", "me.github.io", "github.io", "me" },
        { "http://a.b.kawasaki.jp/", "a.b.kawasaki.jp", "a.b.kawasaki.jp", "" },
        { "http://x.city.kawasaki.jp/", "x.city.kawasaki.jp", "city.kawasaki.jp", "x" },
        { "http://\xD1\x8F.xn--p1ai?q", "\xD1\x8F.xn--p1ai", "\xD1\x8F.xn--p1ai", "" },
        { "http://127.0.0.1:80/", "127.0.0.1", "", "" },
        { "http://[::1]:80/", "[::1]", "", "" },
        { "http://[::1", "[::1", "", "" },
        { "http:///x", "", "", "" },
        { "http://localhost/", "localhost", "", "" },
        { "http://.../", "", "", "" },
        { "http://a..com/", "a..com", "a..com", "" },
        { "", "", "", "" },
    };
    struct buf room = { 0 };
    struct site s;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(is) / sizeof(*is); i++) {
        char got[200];

        site_of(bytes(is[i][0]), &room, &s);
        snprintf(got, sizeof(got), "%.*s %.*s %.*s", (int)s.host.n, (const char *)s.host.p,
                 (int)s.domain.n, s.domain.n ? (const char *)s.domain.p : "", (int)s.sub.n,
                 s.sub.n ? (const char *)s.sub.p : "");
        if (strncmp(got, is[i][1], strlen(is[i][1])) != 0 ||
            strcmp(strchr(got, ' ') + 1 + strlen(is[i][2]) + 1, is[i][3]) != 0 ||
            strncmp(strchr(got, ' ') + 1, is[i][2], strlen(is[i][2])) != 0)
            fail_msg("%s: %s", is[i][0], got);
    }
    buf_release(&room);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void refused_sites(void **state)
{
    static const char *const bad[][2] = {
        { "", "sites: no domain in it" },
        { "# none\n", "sites: no domain in it" },
        { "{}", "sites: no domain in it" },
        { "{\"a.com\": false}", "sites: a.com: neither true nor subdomains" },
        { "{\"a.com\": [1]}", "sites: a.com: a subdomain that is no string" },
        { "{\"a.com\": true", "sites: line 1: '}' expected near end of file" },
        { "a.com\nhttp://b.com\n", "sites: line 2: 'http://b.com' is no domain" },
    };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        put("sites", bad[i][0]);
        assert_null(sites_load("sites", &err));
        assert_string_equal(err.msg, bad[i][1]);
    }
    assert_null(sites_load("absent", &err));
    sites_free(NULL);
}

static void plain_sites(void **state)
{
    struct buf room = { 0 };
    struct sites *s;
    struct err err;

    (void)state;
    put("plain", "# mine\r\nexample.com\r\n\n");
    assert_non_null((s = sites_load("plain", &err)));
    assert_int_equal(sites_find(s, bytes("http://x.example.com/"), &room), SITES_HAS);
    assert_int_equal(sites_find(s, bytes("http://example.org/"), &room), SITES_NO_DOMAIN);
    sites_free(s);
    buf_release(&room);
}

static void refused_lists(void **state)
{
    struct keyset k = { 0 };
    struct err err;

    (void)state;
    mkdir("block", 0777);
    assert_null(blocklist_load("block", &err));
    assert_string_equal(err.msg,
                        "block: no entry in domains, hosts, urls, words, substrings or soft-words");
    put("block/words", "plum\n--\n");
    assert_null(blocklist_load("block", &err));
    assert_string_equal(err.msg, "block/words: line 2: no letter or digit in it");
    assert_null(blocklist_load("absent", &err));
    blocklist_free(NULL);
    put("urls", "# none\n");
    assert_int_equal(urls_load("urls", &k, &err), -1);
    assert_string_equal(err.msg, "urls: no URL in it");
    keyset_release(&k);
}

static void keysets(void **state)
{
    struct keyset k = { 0 };
    char s[16];
    int i;

    (void)state;
    assert_false(keyset_has(&k, bytes("0")));
    for (i = 0; i < 3000; i++) {
        snprintf(s, sizeof(s), "%d", i / 3);
        keyset_add(&k, bytes(s));
    }
    keyset_seal(&k);
    assert_int_equal(k.n, 1000);
    for (i = 0; i < 2000; i++) {
        snprintf(s, sizeof(s), "%d", i);
        assert_int_equal(keyset_has(&k, bytes(s)), i < 1000);
    }
    keyset_release(&k);
}

TESTS("lists/lists", cmocka_unit_test(sites), cmocka_unit_test(refused_sites),
      cmocka_unit_test(plain_sites), cmocka_unit_test(refused_lists), cmocka_unit_test(keysets))
