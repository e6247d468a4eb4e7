/* test_slices.c - records come back by slices; what is damaged is never believed. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "claims/claim.h"
#include "claims/slices.h"

enum { SLICES = 5, MANY = 3000 };

static struct slices_about about = { .task = 2,
                                     .n_task = SLICES,
                                     .options = "fifteen letters",
                                     .n_page = 77,
                                     .input = 1ULL << 63,
                                     .missing = 5 };

static const unsigned count[SLICES] = { 0, 1, MANY, 0, 1024 };

static void make(void)
{
    struct err err;
    struct slices_writer *w = slices_create(".", SLICES_LINES_LOST, &about, &err);
    unsigned char rec[8];
    unsigned s, i;

    assert_non_null(w);
    for (s = 0; s < SLICES; s++)
        for (i = 0; i < count[s]; i++) {
            number_write(rec, s * 100000 + i);
            assert_int_equal(slices_add(w, s, rec, &err), 0);
        }
    assert_int_equal(slices_close(w, &err), 0);
}

static int next(void *ctx, const unsigned char *rec, struct err *err)
{
    uint64_t *want = ctx;

    return number_read(rec) == (*want)++ ? 0 : err_set(err, "not as written");
}

/* Read every slice: 0 when all is as written. */
static int read_all(void)
{
    struct slices_about a = about;
    struct err err;
    struct slices *s;
    unsigned i;
    int bad = 0;

    a.n_page = a.input = a.missing = 0;
    s = slices_open(".", SLICES_LINES_LOST, &a, &err);
    if (!s)
        return -1;
    assert_int_equal(a.n_page, 77);
    assert_true(a.input == 1ULL << 63);
    assert_int_equal(a.missing, 5);
    for (i = SLICES; !bad && i-- > 0;) {
        uint64_t want = i * 100000;

        bad = slices_read(s, i, next, &want, &err);
        assert_true(bad || want == i * 100000 + count[i]);
    }
    slices_free(s);
    return bad;
}

static void round_trip(void **state)
{
    (void)state;
    make();
    assert_int_equal(read_all(), 0);
}

/* Any byte of the file changed, or its end gone. */
static void damage(void **state)
{
    static unsigned char whole[40000], bad[40000];
    const char *path = "lines-lost.00003-of-00005";
    size_t n, i;
    FILE *f;

    (void)state;
    make();
    f = fopen(path, "rb");
    n = fread(whole, 1, sizeof(whole), f);
    fclose(f);
    assert_int_equal(n, 80 + 8 * (MANY + 1025) + 16 * SLICES + 16);
    for (i = 0; i < n; i += i < 200 || i + 120 > n ? 1 : 997) {
        memcpy(bad, whole, n);
        bad[i] ^= 0x40;
        f = fopen(path, "wb");
        fwrite(bad, 1, n, f);
        fclose(f);
        assert_int_equal(read_all(), -1);
        f = fopen(path, "wb");
        fwrite(whole, 1, i, f);
        fclose(f);
        assert_int_equal(read_all(), -1);
    }
}

static void foreign(void **state)
{
    struct slices_about a = about;
    struct err err;

    (void)state;
    make();
    a.options[3] ^= 1;
    assert_null(slices_open(".", SLICES_LINES_LOST, &a, &err));
    assert_non_null(strstr(err.msg, "other options"));
    assert_int_equal(rename("lines-lost.00003-of-00005", "lines-lost.00004-of-00005"), 0);
    a = about;
    a.task = 3;
    assert_null(slices_open(".", SLICES_LINES_LOST, &a, &err));
    assert_int_equal(rename("lines-lost.00004-of-00005", "urls-lost.00003-of-00005"), 0);
    assert_null(slices_open(".", SLICES_URLS_LOST, &about, &err));
    assert_null(slices_open("nowhere", SLICES_URLS_LOST, &about, &err));
}

/* Ranges of keys: all of them, in order, of about the same size. */
static void ranges(void **state)
{
    static const unsigned n[] = { 1, 2, 7, 1000, SLICES_TASKS_MAX };
    unsigned char key[16];
    unsigned i, k, last;

    (void)state;
    memset(key, 0xff, sizeof(key));
    for (i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
        assert_int_equal(slices_of_key(key, n[i]), n[i] - 1);
        for (k = 0, last = 0; k < 4096; k++) {
            unsigned char some[16] = { (unsigned char)(k >> 4), (unsigned char)(k << 4) };
            unsigned s = slices_of_key(some, n[i]);

            assert_true(s >= last && s <= last + n[i] / 4096 + 1);
            last = s;
        }
    }
}

TESTS("claims/slices", cmocka_unit_test(round_trip), cmocka_unit_test(damage),
      cmocka_unit_test(foreign), cmocka_unit_test(ranges))
