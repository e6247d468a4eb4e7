/* test_charsmap.c - the table that is made here: NFKC by ICU, and what real tables do. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/err.h"
#include "text/charsmap.h"
#include "text/normal.h"

static struct normal *make(const char *name)
{
    struct normal_spec spec = { 0 };
    struct buf table = { 0 };
    struct normal *n;
    struct err err;

    assert_int_equal(charsmap_make(name, &table), 0);
    spec.charsmap = buf_bytes(&table);
    n = normal_new(&spec, NULL, 0, &err);
    assert_non_null(n);
    buf_release(&table);
    return n;
}

static void becomes(const struct normal *n, const char *from, const char *to)
{
    struct buf out = { 0 };
    struct err err;

    assert_int_equal(normal_run(n, (struct bytes){ (const unsigned char *)from, strlen(from) },
                                &out, NULL, &err),
                     0);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.p, to);
    buf_release(&out);
}

static void examples(void **state)
{
    struct normal *n = make("nmt_nfkc"), *fold = make("nmt_nfkc_cf"), *plain = make("nfkc");

    (void)state;
    becomes(n, "plain ASCII, as it is.", "plain ASCII, as it is.");
    becomes(n, "\xEF\xBD\x81\xE2\x91\xA0\xEF\xAC\x81", "a1fi");        // wide a, circled 1
    becomes(n, "e\xCC\x81 u\xCC\x88\xCC\x84", "\xC3\xA9 \xC7\x96");    // composed
    becomes(n, "\xC3\xB4\xCC\xA3 \xE1\xBB\x8D\xCC\x82",
            "\xE1\xBB\x99 \xE1\xBB\x99");                                  // either way
    becomes(n, "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C");    // Hangul
    becomes(n,
            "a\tb\nc\x01\x02"
            "d\xE2\x80\x8B"
            "e\xEF\xBB\xBF"
            "f",
            "a b cd e f");
    becomes(n, "\xE2\x96\x81x", " x");
    becomes(plain, "a\tb\x01\xE2\x96\x81", "a\tb\x01\xE2\x96\x81");
    becomes(fold,
            "STRA\xC3\x9F"
            "E \xC3\x84",
            "strasse \xC3\xA4");
    normal_free(n);
    normal_free(fold);
    normal_free(plain);
}

/* Every character alone, and every one that ICU takes apart, taken apart. */
static void every_character(void **state)
{
    struct normal *n = make("nfkc");
    const UNormalizer2 *nfkc, *nfd;
    struct buf out = { 0 };
    UErrorCode bad = U_ZERO_ERROR;
    struct err err;
    UChar32 c;
    int wrong = 0;

    (void)state;
    nfkc = unorm2_getNFKCInstance(&bad);
    nfd = unorm2_getNFDInstance(&bad);
    for (c = 1; c <= 0x10FFFF; c++) {
        UChar one[2], form[64], apart[64];
        char from[2][256], want[256];
        int32_t n_one = 0, n_form, n_apart, k;

        if (U_IS_SURROGATE(c) || !u_isdefined(c))
            continue;
        U16_APPEND_UNSAFE(one, n_one, c);
        bad = U_ZERO_ERROR;
        n_form = unorm2_normalize(nfkc, one, n_one, form, 64, &bad);
        n_apart = unorm2_normalize(nfd, one, n_one, apart, 64, &bad);
        u_strToUTF8(want, 256, NULL, form, n_form, &bad);
        u_strToUTF8(from[0], 256, NULL, one, n_one, &bad);
        u_strToUTF8(from[1], 256, NULL, apart, n_apart, &bad);
        assert_true(U_SUCCESS(bad));
        for (k = 0; k < 2; k++) {
            struct bytes in = { (const unsigned char *)from[k], strlen(from[k]) };

            assert_int_equal(normal_run(n, in, &out, NULL, &err), 0);
            wrong += out.n != strlen(want) || memcmp(out.p, want, out.n) != 0;
        }
    }
    assert_int_equal(wrong, 0);
    buf_release(&out);
    normal_free(n);
}

static void others(void **state)
{
    struct buf b = { 0 };

    (void)state;
    assert_int_equal(charsmap_make("identity", &b), 0);
    assert_int_equal(b.n, 0);
    assert_int_equal(charsmap_make("nfd", &b), -1);
    assert_int_equal(charsmap_make("", &b), -1);
}

TESTS("text/charsmap", cmocka_unit_test(examples), cmocka_unit_test(every_character),
      cmocka_unit_test(others))
