/* Token shards: what is written is read, whatever the vocabulary; hostile columns are not. */
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "shard/columns.h"
#include "shard/ids.h"
#include "shard/shard.h"

static struct shard_header *header(int64_t vocab, const char *langs)
{
    struct shard_header *h = shard_header_new("ids");

    shard_header_set(h, "vocab.size", "%lld", (long long)vocab);
    shard_header_set(h, "vocab.sha256", "%064d", 7);
    if (langs)
        shard_header_set(h, "langs", "%s", langs);
    return h;
}

/* Record i of a test shard: lengths from 0 to 799, any id. */
static size_t record(uint64_t i, int64_t vocab, int32_t *id)
{
    uint64_t key = rng_key(1, "test ids");
    size_t n = i % 7 == 0 ? 0 : (size_t)(rng_u64(key, i, 0) % 800), k;

    for (k = 0; k < n; k++)
        id[k] = (int32_t)(rng_u64(key, i, k + 1) % (uint64_t)vocab);
    return n;
}

static void write_records(const char *path, int64_t vocab, const char *langs, uint64_t n)
{
    struct shard_header *h = header(vocab, langs);
    struct err err;
    struct ids_writer *w = ids_create(path, h, &err);
    int32_t id[800];
    uint64_t i;

    assert_non_null(w);
    for (i = 0; i < n; i++) {
        struct ids_record rec = { id, record(i, vocab, id), i * 3, langs ? (int)(i % 3) : 0 };

        assert_int_equal(ids_write(w, &rec, &err), 0);
    }
    assert_int_equal(ids_finish(w, &err), 0);
    shard_header_free(h);
}

static void check_records(const char *path, int64_t vocab, const char *langs, uint64_t n)
{
    static const char *const name[] = { "fi", "zh-Hant", "sw" };
    struct err err;
    struct ids_reader *r = ids_open(path, &err);
    struct ids_record rec;
    int32_t id[800];
    uint64_t i;

    assert_non_null(r);
    for (i = 0; i < n; i++) {
        assert_int_equal(ids_next(r, &rec, &err), 1);
        assert_int_equal(rec.n, record(i, vocab, id));
        assert_memory_equal(rec.id, id, rec.n * sizeof(*id));
        assert_int_equal(rec.doc, i * 3);
        assert_string_equal(ids_lang(r, rec.lang), langs ? name[i % 3] : "und");
    }
    assert_int_equal(ids_next(r, &rec, &err), 0);
    assert_int_equal(ids_next(r, &rec, &err), 0);
    ids_close(r);
}

static void test_round_trip(void **state)
{
    static const int64_t vocab[] = { 1, 32100, 65536, 65537, 250112, IDS_VOCAB_MAX };
    size_t v;

    (void)state;
    for (v = 0; v < sizeof(vocab) / sizeof(vocab[0]); v++) {
        const char *langs = v % 2 ? "fi,zh-Hant,sw" : NULL;

        write_records("a", vocab[v], langs, 1500);
        check_records("a", vocab[v], langs, 1500);
    }
    write_records("a", 9, NULL, 0);
    check_records("a", 9, NULL, 0);
}

static void test_same_bytes(void **state)
{
    char a[4096], b[4096];
    size_t n, m;
    FILE *f;

    (void)state;
    write_records("a", 300, NULL, 9);
    write_records("b", 300, NULL, 9);
    assert_non_null(f = fopen("a", "rb"));
    n = fread(a, 1, sizeof(a), f);
    fclose(f);
    assert_non_null(f = fopen("b", "rb"));
    m = fread(b, 1, sizeof(b), f);
    fclose(f);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
}

static void test_refused(void **state)
{
    struct shard_header *h = header(100, "fi,sw");
    int32_t id[] = { 5, 100 }, low[] = { -1 };
    struct err err;
    struct ids_writer *w = ids_create("a", h, &err);

    (void)state;
    assert_non_null(w);
    assert_int_equal(ids_write(w, &(struct ids_record){ id, 2, 0, 0 }, &err), -1);
    assert_int_equal(ids_write(w, &(struct ids_record){ low, 1, 0, 0 }, &err), -1);
    assert_int_equal(ids_write(w, &(struct ids_record){ id, 1, 0, 2 }, &err), -1);
    assert_int_equal(ids_write(w, &(struct ids_record){ id, IDS_RECORD_MAX + 1, 0, 0 }, &err), -1);
    assert_int_equal(ids_write(w, &(struct ids_record){ id, 1, 0, 1 }, &err), 0);
    assert_int_equal(ids_finish(w, &err), 0);
    shard_header_set(h, "vocab.size", "0");
    assert_null(ids_create("none", h, &err));
    shard_header_set(h, "vocab.size", "16777217");
    assert_null(ids_create("none", h, &err));
    shard_header_set(h, "vocab.size", "5");
    shard_header_set(h, "langs", "fi,,sw");
    assert_null(ids_create("none", h, &err));
    assert_null(ids_open("none", &err));    // and nothing is left behind
    shard_header_free(h);
}

/* Languages of a second segment are added behind those of the first. */
static void test_segments(void **state)
{
    static const char *const langs[] = { "fi,sw", "sw,et" };
    struct shard_header *h;
    struct ids_reader *r;
    struct ids_record rec;
    int32_t id = 3;
    struct err err;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct ids_writer *w;

        h = header(10, langs[i]);
        w = ids_create(i ? "b" : "a", h, &err);
        assert_int_equal(ids_write(w, &(struct ids_record){ &id, 1, 0, 0 }, &err), 0);
        assert_int_equal(ids_write(w, &(struct ids_record){ &id, 1, 0, 1 }, &err), 0);
        assert_int_equal(ids_finish(w, &err), 0);
        shard_header_free(h);
    }
    assert_int_equal(system("cat a b >c"), 0);
    r = ids_open("c", &err);
    assert_non_null(r);
    for (i = 0; i < 4; i++) {
        static const int number[] = { 0, 1, 1, 2 };

        assert_int_equal(ids_next(r, &rec, &err), 1);
        assert_int_equal(rec.lang, number[i]);
    }
    assert_string_equal(ids_lang(r, 2), "et");
    assert_int_equal(ids_next(r, &rec, &err), 0);
    ids_close(r);
}

/* Read a shard whose one block has this payload and says it has so many records and tokens. */
static int read_payload(struct bytes payload, uint32_t n_record, uint64_t n_token, struct err *err)
{
    struct shard_header *h = header(10, "fi,sw");
    struct shard_writer *w;
    struct ids_reader *r;
    struct ids_record rec;
    int got = 1;

    shard_header_set(h, "bits", "16");
    w = shard_create("p", h, err);
    assert_non_null(w);
    assert_int_equal(shard_write(w, payload, 0, n_record, n_token, err), 0);
    assert_int_equal(shard_finish(w, err), 0);
    shard_header_free(h);
    r = ids_open("p", err);
    assert_non_null(r);
    while (got == 1)
        got = ids_next(r, &rec, err);
    ids_close(r);
    return got;
}

/* Two records, of 1 and 2 ids, in four columns; the test spoils one at a time. */
struct payload {
    unsigned char length[8], id[8], doc[24], lang[4];
    size_t n_length, n_id, n_doc, n_lang;
    int width_length, width_id, width_doc, width_lang, type_lang;
};

static const struct payload good = {
    .length = { 1, 2 },
    .id = { 3, 0, 4, 0, 9, 0 },
    .lang = { 0, 1 },
    .n_length = 2,
    .n_id = 6,
    .n_doc = 16,
    .n_lang = 2,
    .width_id = 2,
    .width_doc = 8,
    .width_lang = 1,
    .type_lang = COLUMN_LANG,
};

static void build(const struct payload *p, struct buf *b)
{
    struct columns c = { .n = 4 };

    c.col[0] = (struct column){ COLUMN_LENGTH, p->width_length, { p->length, p->n_length } };
    c.col[1] = (struct column){ COLUMN_ID, p->width_id, { p->id, p->n_id } };
    c.col[2] = (struct column){ COLUMN_DOC, p->width_doc, { p->doc, p->n_doc } };
    c.col[3] = (struct column){ p->type_lang, p->width_lang, { p->lang, p->n_lang } };
    b->n = 0;
    columns_format(b, &c);
}

static void expect(const struct payload *p, uint32_t n_record, uint64_t n_token, const char *says)
{
    struct buf b = { 0 };
    struct err err = { "" };
    int got;

    build(p, &b);
    got = read_payload(buf_bytes(&b), n_record, n_token, &err);
    if (got != (says ? -1 : 0) || (says && !strstr(err.msg, says)))
        fail_msg("%d: %s (wanted: %s)", got, err.msg, says ? says : "none");
    buf_release(&b);
}

static void test_hostile_columns(void **state)
{
    struct payload p;

    (void)state;
    expect(&good, 2, 3, NULL);
    expect(&good, 2, 4, "tokens are not as many");
    expect(&good, 3, 3, "cut short or too large");
    expect(&good, 1, 3, "lengths has a wrong size");
    expect(&good, UINT32_MAX, 3, "more records than bytes");
    p = good;
    p.length[1] = 1;
    expect(&p, 2, 3, "not as many as the lengths");
    p = good;
    memset(p.length, 0xff, 8);
    p.n_length = 8;
    expect(&p, 2, 3, "cut short or too large");
    p = good;
    memcpy(p.length, "\xff\xff\xff\xff\x1f\x01", 6);
    p.n_length = 6;    // 2^33 - 1
    expect(&p, 2, 3, "too large");
    memcpy(p.length, "\xff\xff\xff\xff\x0f\xff\xff\xff", 8);    // 2^32 - 1, then cut short
    p.n_length = 8;
    expect(&p, 2, 3, "cut short or too large");
    p = good;
    p.width_length = 1;
    expect(&p, 2, 3, "lengths has a wrong size");
    p = good;
    p.id[4] = 10;
    expect(&p, 2, 3, "not below vocab.size");
    p = good;
    p.width_id = 3;
    expect(&p, 2, 3, "not as many as the lengths");
    p = good;
    p.width_id = 5;
    expect(&p, 2, 3, "unknown width");
    p = good;
    p.width_id = 0;
    expect(&p, 2, 3, "unknown width");
    p = good;
    p.n_doc = 24;
    expect(&p, 2, 3, "not one for each record");
    p = good;
    p.lang[1] = 2;
    expect(&p, 2, 3, "does not name");
    p = good;
    p.n_lang = 1;
    expect(&p, 2, 3, "not one for each record");
    p = good;
    p.type_lang = COLUMN_DOC;
    expect(&p, 2, 3, "two columns of one type");
    p = good;
    p.type_lang = 200;
    expect(&p, 2, 3, "languages are missing");
}

/* The table itself: every byte of it set to hostile values is refused or means the same. */
static void test_hostile_table(void **state)
{
    static const unsigned char values[] = { 0, 1, 2, 7, 8, 16, 17, 127, 128, 254, 255 };
    struct buf b = { 0 };
    struct err err;
    size_t i, v;
    int bad = 0;

    (void)state;
    build(&good, &b);
    for (i = 0; i < 40; i++)
        for (v = 0; v < sizeof(values); v++) {
            unsigned char old = b.p[i];

            if (values[v] == old)
                continue;
            b.p[i] = values[v];
            bad += read_payload(buf_bytes(&b), 2, 3, &err) != -1;
            b.p[i] = old;
        }
    for (i = 0; i < b.n; i++)    // and no shorter payload will do
        bad += read_payload((struct bytes){ b.p, i }, 2, 3, &err) != -1;
    assert_int_equal(bad, 0);
    buf_release(&b);
}

TESTS("shard/ids", cmocka_unit_test(test_round_trip), cmocka_unit_test(test_same_bytes),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_segments),
      cmocka_unit_test(test_hostile_columns), cmocka_unit_test(test_hostile_table))
