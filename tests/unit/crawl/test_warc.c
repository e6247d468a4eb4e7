/* test_warc.c - records of sound, odd and damaged files. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "crawl/warc.h"
#include "io/stream.h"

static void save(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(n ? p : "", 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static struct warc_reader *reader(const char *path, int strict)
{
    struct err err;
    struct stream *s = stream_open(path, &err);

    assert_non_null(s);
    return warc_open(s, strict);
}

static void is(struct bytes b, const char *want)
{
    if (b.n != strlen(want) || (b.n && memcmp(b.p, want, b.n) != 0))
        fail_msg("'%.*s' is not '%s'", (int)b.n, (const char *)b.p, want);
}

/* A reader that tells what is lost hands out the same records, and one for each that is lost. */
static void expect_told(const char *blocks, uint64_t lost)
{
    struct warc_reader *r = reader("x", 0);
    struct warc_record rec;
    struct buf b = { 0 };
    struct err err;
    uint64_t n = 0;
    int got;

    warc_tell_lost(r);
    while ((got = warc_next(r, &rec, &err)) > 0) {
        assert_int_equal(got == 2, rec.lost != WARC_WHOLE);
        if (got == 2) {
            assert_string_equal(rec.trouble, warc_damage(r)->last);
            assert_true(rec.block.n <= WARC_LOST_MAX);
            n++;
            continue;
        }
        buf_add(&b, rec.block.p, rec.block.n);
        buf_add_byte(&b, '|');
    }
    assert_int_equal(got, 0);
    is(buf_bytes(&b), blocks);
    assert_int_equal(n, lost);
    assert_int_equal(warc_damage(r)->records, lost);
    warc_close(r);
    buf_release(&b);
}

/* The blocks of a file, each with a bar behind it, and the damage. */
static void expect(const void *file, size_t n, const char *blocks, uint64_t lost, uint64_t mended)
{
    struct warc_record rec;
    struct warc_reader *r;
    struct buf b = { 0 };
    struct err err;

    save("x", file, n);
    r = reader("x", 0);
    while (warc_next(r, &rec, &err) == 1) {
        buf_add(&b, rec.block.p, rec.block.n);
        buf_add_byte(&b, '|');
    }
    is(buf_bytes(&b), blocks);
    assert_int_equal(warc_damage(r)->records, lost);
    assert_int_equal(warc_damage(r)->mended, mended);
    assert_int_equal(warc_damage(r)->last[0] != 0, lost + mended > 0);
    warc_close(r);
    buf_release(&b);
    expect_told(blocks, lost);
}

static void expect_text(const char *file, const char *blocks, uint64_t lost, uint64_t mended)
{
    expect(file, strlen(file), blocks, lost, mended);
}

static void test_fields(void **state)
{
    static const char text[] =
        "WARC/1.0\r\nwarc-type:conversion\r\nWARC-Target-URI: <http://a/>\r\n"
        "WARC-DATE:\t2020-01-01T00:00:00Z \r\nNo colon here\r\n"
        "Content-Type: text/plain;\r\n  charset=utf-8\r\nX-Empty:\r\n"
        "WARC-Identified-Content-Language: eng,fra\r\n"
        "Content-Length: 99\r\nContent-Length: 5\r\n\r\nblock\r\n\r\n"
        "WARC/1.1\nWARC-Type: resource\nContent-Length: 0\n\n\n\n";
    struct warc_record rec;
    struct warc_reader *r;
    struct err err;

    (void)state;
    save("x", text, sizeof(text) - 1);
    r = reader("x", 1);
    assert_int_equal(warc_next(r, &rec, &err), 1);
    is(rec.type, "conversion");
    is(rec.url, "http://a/");
    is(rec.date, "2020-01-01T00:00:00Z");
    is(rec.languages, "eng,fra");
    is(rec.content_type, "text/plain;    charset=utf-8");
    is(rec.content_length, "5");
    is(rec.block, "block");
    assert_int_equal(rec.offset, 0);
    assert_int_equal(warc_next(r, &rec, &err), 1);
    is(rec.type, "resource");
    assert_null(rec.url.p);
    assert_int_equal(rec.block.n, 0);
    assert_int_equal(rec.offset, strstr(text, "WARC/1.1") - text);
    assert_int_equal(warc_next(r, &rec, &err), 0);
    assert_int_equal(warc_next(r, &rec, &err), 0);
    warc_close(r);
}

#define REC(length, block) "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: " length "\r\n\r\n" block
#define END "\r\n\r\n"

static void test_sound(void **state)
{
    (void)state;
    expect_text("", "", 0, 0);
    expect_text("\r\n\n", "", 0, 0);
    expect_text(REC("3", "abc"), "abc|", 0, 0);    // at the end no line end is missed
    expect_text(REC("3", "abc") END REC("3", "def") END, "abc|def|", 0, 0);
    expect_text("\xef\xbb\xbf" REC("3", "abc") END, "abc|", 0, 0);
    expect_text(REC("3", "abc") REC("3", "def") END, "abc|def|", 0, 0);
    expect_text("WARC/0.18\nWARC-Type: x\nContent-Length: 3\n\nabc\n\nWARC/0.17\nA: b\n"
                "Content-Length: 3\n\ndef\n\n",
                "abc|def|", 0, 0);
    expect_text(REC("17", "a\nWARC/1.0\r\nb\r\n\r\n") END REC("3", "abc"),
                "a\nWARC/1.0\r\nb\r\n\r\n|abc|", 0, 0);
    expect_text(REC("4", "abc\n") END REC("5", "\r\n\r\nx"), "abc\n|\r\n\r\nx|", 0, 0);
}

static void test_lengths(void **state)
{
    (void)state;
    expect_text(REC("2", "abc") END REC("3", "def") END, "abc|def|", 0, 1);
    expect_text(REC("9", "abc") END REC("3", "def") END, "abc|def|", 0, 1);
    expect_text(REC("90000", "abc") END REC("3", "def") END, "abc|def|", 0, 1);
    expect_text(REC("-3", "abc") END REC("3", "def") END, "abc|def|", 0, 1);
    expect_text(REC("3 bytes", "abc") END REC("3", "def") END, "abc|def|", 0, 1);
    expect_text(REC("", "a\nb\n") END REC("3", "def") END, "a\nb\n|def|", 0, 1);
    expect_text("WARC/1.0\r\nWARC-Type: x\r\n\r\nabc" END REC("3", "def"), "abc|def|", 0, 1);
    expect_text(REC("3", "abc") END REC("9", "def") END, "abc|def|", 0, 1);
    expect_text(REC("99999999999999999999999999", "abc") END REC("3", "def"), "def|", 1, 0);
    expect_text(REC("67108865", "abc") END REC("3", "def"), "def|", 1, 0);
}

static void test_no_records(void **state)
{
    (void)state;
    expect_text("what is this", "", 1, 0);
    expect_text("cut\r\n\r\nhere\r\n" REC("3", "abc") END, "abc|", 1, 0);
    expect_text(REC("3", "abc") END "WARC/1.0\r\nWARC-Type: x\r\n" REC("3", "def"), "abc|def|", 1,
                0);
    expect_text("WARC/1.0\r\n\r\nabc" END REC("3", "def"), "def|", 1, 0);
    expect_text("WARC/1.0\r\nWARC-Type: x\r\nContent-Le", "", 1, 0);
    expect_text("WARC/1\r\nA: b\r\n\r\n" REC("3", "def"), "def|", 1, 0);
    expect_text("XWARC/1.0\r\nA: b\r\n\r\n WARC/1.0\r\nWARC/1.x\r\n" REC("3", "def"), "def|", 1, 0);
}

static void test_header_too_long(void **state)
{
    struct buf b = { 0 };

    (void)state;
    buf_add_str(&b, "WARC/1.0\r\n");
    while (b.n < 200000)
        buf_add_str(&b, "X-Filler: more and more\r\n");
    buf_add_str(&b, "\r\n" REC("3", "abc"));
    expect(b.p, b.n, "abc|", 1, 0);
    buf_reset(&b);
    buf_add_str(&b, "WARC/1.0\r\nX-Long: ");
    buf_need(&b, 3000000);
    memset(b.p + b.n, 'x', 3000000 - b.n);    // without any line end
    b.n = 3000000;
    buf_add_str(&b, "\r\n\r\n" REC("3", "abc"));
    expect(b.p, b.n, "abc|", 1, 0);
    buf_release(&b);
}

static void test_large_blocks(void **state)
{
    struct warc_record rec;
    struct warc_reader *r;
    struct buf b = { 0 };
    struct err err;
    size_t size = 5000000, i;

    (void)state;
    for (i = 0; i < 3; i++) {
        buf_printf(&b, "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: %zu\r\n\r\n", size);
        buf_need(&b, b.n + size);
        memset(b.p + b.n, (int)('a' + i), size);
        b.n += size;
        buf_add_str(&b, END);
    }
    save("x", b.p, b.n);
    r = reader("x", 1);
    for (i = 0; i < 3; i++) {
        assert_int_equal(warc_next(r, &rec, &err), 1);
        is(rec.type, "x");
        assert_int_equal(rec.block.n, size);
        assert_true(rec.block.p[0] == 'a' + i && rec.block.p[size - 1] == 'a' + i);
    }
    assert_int_equal(warc_next(r, &rec, &err), 0);
    warc_close(r);
    buf_release(&b);
}

static void test_strict(void **state)
{
    static const char bad[] = REC("9", "abc") END REC("3", "def");
    struct warc_record rec;
    struct warc_reader *r;
    struct err err;

    (void)state;
    save("x", bad, sizeof(bad) - 1);
    r = reader("x", 1);
    assert_int_equal(warc_next(r, &rec, &err), -1);
    assert_string_equal(err.msg, "x: byte 0 of the text: wrong Content-Length");
    warc_close(r);
    save("x", "junk\n", 5);
    r = reader("x", 1);
    assert_int_equal(warc_next(r, &rec, &err), -1);
    assert_string_equal(err.msg, "x: byte 0 of the text: no record begins here");
    warc_close(r);
}

/* n gzip members of a record each; returns where member i starts. */
static size_t add_members(struct buf *b, size_t n, size_t *start)
{
    struct buf text = { 0 };
    size_t i, k;

    for (i = 0; i < n; i++) {
        uLong bound;
        z_stream z = { 0 };

        buf_reset(&text);
        buf_printf(&text, "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: %zu\r\n\r\n", 4 + 100 * i);
        for (k = 0; k < 4 + 100 * i; k++)
            buf_add_byte(&text, (unsigned char)('a' + (i * 7 + k * k) % 26));
        buf_add_str(&text, END);
        start[i] = b->n;
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        bound = deflateBound(&z, text.n);
        buf_need(b, b->n + bound);
        z.next_in = text.p;
        z.avail_in = (uInt)text.n;
        z.next_out = b->p + b->n;
        z.avail_out = (uInt)bound;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        b->n += z.total_out;
        deflateEnd(&z);
    }
    start[n] = b->n;
    buf_release(&text);
    return n;
}

/* Damage to one member costs its record and no other; the sizes tell which ones are there. */
static void test_gzip_damage(void **state)
{
    enum { N = 7 };
    struct buf b = { 0 };
    struct rng rng = rng_at(rng_key(2, "damage"), 0);
    size_t start[N + 1], i, k, found, lost, n_lost = 0;
    struct warc_record rec;
    struct err err;

    (void)state;
    add_members(&b, N, start);
    for (i = 0; i < 300; i++) {
        size_t member = rng_below(&rng, N - 1) + 1;
        size_t from = start[member] + 10, at = from + rng_below(&rng, start[member + 1] - from);
        unsigned char was = b.p[at];
        struct warc_reader *r;

        b.p[at] ^= (unsigned char)(1 << rng_below(&rng, 8));
        save("x", b.p, b.n);
        r = reader("x", 0);
        for (k = found = 0; warc_next(r, &rec, &err) == 1; k++, found++) {
            k += k == member && rec.block.n != 4 + 100 * k;    // the one that was hit
            if (k >= N || rec.block.n != 4 + 100 * k)
                fail_msg("byte %zu of member %zu changed: record %zu is not there", at, member, k);
        }
        lost = warc_damage(r)->records;    // none where it is one of the last byte's spare bits
        assert_int_equal(found + lost, N);
        assert_in_range(lost, 0, 1);
        n_lost += lost;
        assert_true(!lost || strstr(warc_damage(r)->last, "x: gzip member at byte "));
        warc_close(r);
        b.p[at] = was;
    }
    assert_in_range(n_lost, 290, 300);
    buf_release(&b);
}

static void test_crawls(void **state)
{
    static const struct {
        const char *name;
        int n, lost, mended;
    } want[] = {
        { "wet/cc-2014-eugeneware.warc.wet", 4, 0, 0 },
        { "wet/ccnet_sample.warc.wet", 4, 0, 4 },
        { "wet/ccst_corrupt_starts_with_conversion.wet.gz", 6, 0, 0 },
        { "wet/ccst_corrupt_warcconversion_1.wet.gz", 6, 0, 0 },
        { "wet/ccst_corrupt_warcconversion_2.wet.gz", 2, 0, 0 },
        { "wet/ccst_corrupt_warcinfo_1.wet.gz", 6, 0, 0 },
        { "wet/ccst_file_and_wet_headers_only.wet.gz", 1, 1, 1 },    // the second: half a header
        { "wet/ccst_file_headers_only.wet.gz", 1, 0, 1 },
        { "wet/ccst_filter_test_1.wet.gz", 26, 0, 0 },
        { "wet/ccst_fragment1_asthma_incomplete_last.wet.gz", 3, 0, 2 },
        { "wet/ccst_fragment1_incomplete_last.wet.gz", 3, 0, 1 },
        { "wet/ccst_fragment2_no_header.wet.gz", 2, 1, 1 },    // begins in a page
        { "wet/ccst_fragment3.wet.gz", 6, 0, 0 },
        { "wet/core-5langs-a.warc.wet.gz", 537, 0, 0 },
        { "wet/hplt-cc100.warc.wet.gz", 96, 0, 0 },
        { "wet/hplt-dolma-en-ru.warc.wet.gz", 237, 0, 0 },
        { "wet/hplt-zh-a.warc.wet.gz", 411, 0, 0 },
        { "wet/oscar-lines-a.warc.wet.gz", 820, 0, 0 },
        { "wet/quirks-1.warc.wet.gz", 70, 0, 1 },
        { "wet/tfds_cc_0.warc.wet.gz", 7, 0, 7 },
        { "wet/tfds_cc_1.warc.wet.gz", 4, 0, 4 },
        { "wet/whirlwind.warc.wet.gz", 2, 0, 0 },
        { "broken/all-gzip-header-fields.wet.gz", 9, 0, 0 },
        { "broken/bad-crc-member5.wet.gz", 8, 1, 0 },
        { "broken/bad-isize-member5.wet.gz", 8, 1, 0 },
        { "broken/bit-flip-member5.wet.gz", 8, 1, 0 },
        { "broken/bom-and-nul.wet.gz", 4, 0, 1 },
        { "broken/empty-members.wet.gz", 9, 0, 0 },
        { "broken/empty.wet.gz", 0, 0, 0 },
        { "broken/no-content-length.wet.gz", 9, 0, 9 },
        { "broken/non-utf8-record4.wet.gz", 9, 0, 0 },
        { "broken/not-gzip.wet.gz", 2, 1, 0 },    // ends in a header
        { "broken/record-across-members.wet.gz", 9, 0, 0 },
        { "broken/single-member.wet.gz", 9, 0, 0 },
        { "broken/surrogate-overlong.wet.gz", 3, 0, 1 },
        { "broken/trailing-garbage.wet.gz", 9, 0, 0 },
        { "broken/trailing-zeros.wet.gz", 9, 0, 0 },
        { "broken/truncated-in-header.wet.gz", 9, 1, 0 },
        { "broken/truncated-last-member.wet.gz", 8, 1, 0 },
        { "broken/wrong-content-length.wet.gz", 9, 0, 9 },
        { "warc/cc-2014-eugeneware.warc.gz", 13, 0, 0 },
        { "warc/dolma-sample-0000.warc.gz", 48, 0, 0 },
        { "warc/dolma-sample-0001.warc.gz", 34, 0, 0 },
        { "warc/jwarc-cc.warc.gz", 1, 0, 0 },
        { "warc/jwarc-gzip_extra_sl.warc.gz", 1, 0, 0 },
        { "warc/resiliparse-block-sized-records.warc", 3, 0, 0 },
        { "warc/resiliparse-block-sized-records.warc.gz", 3, 0, 0 },
        { "warc/resiliparse-block-sized-records.warc.lz4", 0, 1, 0 },
        { "warc/resiliparse-clipped.warc.gz", 0, 1, 0 },
        { "warc/resiliparse-clueweb-quirk.warc.gz", 30, 0, 0 },
        { "warc/resiliparse-warcfile.warc.gz", 50, 0, 0 },
        { "warc/ukwa-IAH-blackbook-truncated.warc.gz", 23, 0, 0 },
        { "warc/ukwa-IAH-urls-wget.warc.gz", 36, 0, 0 },
        { "warc/ukwa-sopa-wikipedia-homepage.warc.gz", 164, 0, 0 },
        { "warc/wac-multiple-headers.warc", 1, 0, 0 },
        { "warc/warcio-example-bad-non-chunked.warc.gz", 6, 0, 0 },
        { "warc/warcio-example-bad.warc.gz.bad", 6, 0, 0 },
        { "warc/warcio-example-iana.org-chunked.warc", 3, 0, 0 },
        { "warc/warcio-example-resource.warc.gz", 3, 0, 0 },
        { "warc/warcio-example-space-in-target-uri.warc.gz", 2, 0, 0 },
        { "warc/warcio-example-trunc.warc", 4, 0, 1 },
        { "warc/warcio-example-wget-bad-target-uri.warc.gz", 6, 0, 0 },
        { "warc/warcio-example-wrong-chunks.warc.gz", 2, 0, 0 },
        { "warc/warcio-example.arc.gz", 0, 1, 0 },
        { "warc/warcio-example.warc", 6, 0, 0 },
        { "warc/warcio-example.warc.gz", 6, 0, 0 },
        { "warc/warcio-post-test.warc.gz", 6, 0, 0 },
        { "warc/whirlwind.warc.gz", 4, 0, 0 },
        { "warc/whirlwind.warc.wat.gz", 2, 0, 0 },
    };
    struct warc_record rec;
    char path[600];
    struct err err;
    size_t i, wrong = 0;

    (void)state;
    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        struct warc_reader *r;
        int n = 0, got;

        snprintf(path, sizeof(path), "%s/data/crawl/%s", test_shared, want[i].name);
        if (access(path, R_OK) != 0)
            skip();
        r = reader(path, 0);
        while ((got = warc_next(r, &rec, &err)) == 1)
            n++;
        if (got < 0 || n != want[i].n || (int)warc_damage(r)->records != want[i].lost ||
            (int)warc_damage(r)->mended != want[i].mended) {
            print_message("# %s: %d records, %s\n", want[i].name, n, warc_damage(r)->last);
            wrong++;
        }
        warc_close(r);
    }
    assert_int_equal(wrong, 0);
}

TESTS("crawl/warc", cmocka_unit_test(test_fields), cmocka_unit_test(test_sound),
      cmocka_unit_test(test_lengths), cmocka_unit_test(test_no_records),
      cmocka_unit_test(test_header_too_long), cmocka_unit_test(test_large_blocks),
      cmocka_unit_test(test_strict), cmocka_unit_test(test_gzip_damage),
      cmocka_unit_test(test_crawls))
