/* Example shards: rows forward and by number, over segments, with few blocks in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "base/rng.h"
#include "shard/columns.h"
#include "shard/example.h"
#include "shard/shard.h"

enum { INPUTS = 64, TARGETS = 24, SEGMENTS_MAX = 5 };

static struct shard_header *header(int64_t vocab, const char *langs)
{
    struct shard_header *h = shard_header_new("examples");

    shard_header_set(h, "vocab.size", "%lld", (long long)vocab);
    shard_header_set(h, "inputs", "%d", INPUTS);
    shard_header_set(h, "targets", "%d", TARGETS);
    if (langs)
        shard_header_set(h, "langs", "%s", langs);
    return h;
}

struct made {
    struct example_row row;
    int32_t id[INPUTS + TARGETS];
    uint32_t segment_input[SEGMENTS_MAX], segment_target[SEGMENTS_MAX];
};

static void make(struct made *m, uint64_t i, int64_t vocab, int n_lang)
{
    uint64_t key = rng_key(2, "test example");
    size_t s, k;

    *m = (struct made){ .row = { .doc = 5 * i, .lang = (int)(i % (uint64_t)n_lang) } };
    m->row.n_segment = i % SEGMENTS_MAX;
    for (s = 0; s < m->row.n_segment; s++) {
        m->segment_input[s] = (uint32_t)(rng_u64(key, i, s) % (INPUTS / SEGMENTS_MAX));
        m->segment_target[s] = (uint32_t)(rng_u64(key, i, 90 + s) % (TARGETS / SEGMENTS_MAX));
        m->row.n_input += m->segment_input[s];
        m->row.n_target += m->segment_target[s];
    }
    for (k = 0; k < m->row.n_input + m->row.n_target; k++)
        m->id[k] = (int32_t)(rng_u64(key, i, 1000 + k) % (uint64_t)vocab);
    m->row.input = m->id;
    m->row.target = m->id + m->row.n_input;
    m->row.segment_input = m->segment_input;
    m->row.segment_target = m->segment_target;
}

static void write_rows(const char *path, int64_t vocab, const char *langs, int n_lang,
                       uint64_t from, uint64_t n)
{
    struct shard_header *h = header(vocab, langs);
    struct err err;
    struct example_writer *w = example_create(path, h, &err);
    struct made m;
    uint64_t i;

    assert_non_null(w);
    for (i = from; i < from + n; i++) {
        make(&m, i, vocab, n_lang);
        assert_int_equal(example_write(w, &m.row, &err), 0);
    }
    assert_int_equal(example_finish(w, &err), 0);
    shard_header_free(h);
}

static void check_row(const struct example_row *row, uint64_t i, int64_t vocab, int n_lang)
{
    struct made m;

    make(&m, i, vocab, n_lang);
    assert_int_equal(row->n_input, m.row.n_input);
    assert_int_equal(row->n_target, m.row.n_target);
    assert_int_equal(row->n_segment, m.row.n_segment);
    assert_memory_equal(row->input, m.row.input, 4 * row->n_input);
    assert_memory_equal(row->target, m.row.target, 4 * row->n_target);
    assert_memory_equal(row->segment_input, m.segment_input, 4 * row->n_segment);
    assert_memory_equal(row->segment_target, m.segment_target, 4 * row->n_segment);
    assert_int_equal(row->doc, m.row.doc);
    assert_int_equal(row->lang, m.row.lang);
}

static void test_forward(void **state)
{
    static const int64_t vocab[] = { 32128, 250112 };
    struct example_reader *r;
    struct example_row row;
    struct err err;
    uint64_t i;
    int v;

    (void)state;
    for (v = 0; v < 2; v++) {
        write_rows("a", vocab[v], "fi,sw", 2, 0, 3000);
        r = example_open("a", &err);
        assert_non_null(r);
        for (i = 0; i < 3000; i++) {
            assert_int_equal(example_next(r, &row, &err), 1);
            check_row(&row, i, vocab[v], 2);
            assert_string_equal(example_lang(r, row.lang), i % 2 ? "sw" : "fi");
        }
        assert_int_equal(example_next(r, &row, &err), 0);
        example_close(r);
    }
}

/* Three segments, the middle one empty; rows in any order, first with one block in memory. */
static void test_by_number(void **state)
{
    uint64_t n = 6000, i, key = rng_key(3, "order");
    struct example_file *f;
    struct example_row row;
    struct err err;

    (void)state;
    write_rows("a", 32128, "fi,sw", 2, 0, 4000);
    write_rows("none", 32128, "fi,sw", 2, 0, 0);
    write_rows("b", 32128, "fi,sw", 2, 4000, 2000);
    assert_int_equal(system("cat a none b >c"), 0);
    f = example_file_open("c", &err);
    assert_non_null(f);
    assert_int_equal(example_file_rows(f), n);
    assert_int_equal(example_file_n_lang(f), 2);
    example_file_keep(f, 0);
    for (i = 0; i < 2 * n; i++) {
        uint64_t at = rng_permute(key, n, i % n);

        if (i == 200)
            example_file_keep(f, 1 << 20);    // some of the blocks
        if (i == n)
            example_file_keep(f, 1 << 30);    // all
        if (i < 500 || i >= n) {
            assert_int_equal(example_file_at(f, at, &row, &err), 0);
            check_row(&row, at, 32128, 2);
        }
    }
    assert_int_equal(example_file_at(f, n, &row, &err), -1);
    example_file_close(f);
}

static void test_file_langs(void **state)
{
    struct example_file *f;
    struct example_row row;
    struct err err;

    (void)state;
    write_rows("a", 100, "fi,sw", 2, 0, 4);
    write_rows("b", 100, "et,fi", 2, 0, 4);
    assert_int_equal(system("cat a b >c"), 0);
    f = example_file_open("c", &err);
    assert_non_null(f);
    assert_int_equal(example_file_n_lang(f), 3);
    assert_int_equal(example_file_at(f, 4, &row, &err), 0);
    assert_string_equal(example_file_lang(f, row.lang), "et");
    assert_int_equal(example_file_at(f, 5, &row, &err), 0);
    assert_string_equal(example_file_lang(f, row.lang), "fi");
    assert_int_equal(example_file_at(f, 1, &row, &err), 0);
    assert_string_equal(example_file_lang(f, row.lang), "sw");
    example_file_close(f);
}

static void test_refused(void **state)
{
    struct shard_header *h = header(100, NULL);
    struct err err;
    struct example_writer *w = example_create("a", h, &err);
    struct made m;
    int32_t id[INPUTS + 1] = { 0 };

    (void)state;
    assert_non_null(w);
    make(&m, 4, 100, 1);
    m.segment_input[0]++;
    assert_int_equal(example_write(w, &m.row, &err), -1);
    m.segment_input[0] = INPUTS + 1;
    m.row.n_segment = 1;
    m.row.n_input = INPUTS + 1;
    m.row.input = id;
    m.row.n_target = m.segment_target[0];
    assert_int_equal(example_write(w, &m.row, &err), -1);
    assert_non_null(strstr(err.msg, "longer than inputs="));
    m.segment_input[0] = 1;
    m.row.n_input = 1;
    id[0] = 100;
    assert_int_equal(example_write(w, &m.row, &err), -1);
    id[0] = 99;
    assert_int_equal(example_write(w, &m.row, &err), 0);
    assert_int_equal(example_finish(w, &err), 0);
    shard_header_set(h, "inputs", "0");
    assert_null(example_create("none-made", h, &err));
    shard_header_free(h);
    assert_null(example_open("none-made", &err));
    h = shard_header_new("ids");
    shard_header_set(h, "vocab.size", "9");
    shard_finish(shard_create("b", h, &err), &err);
    assert_null(example_open("b", &err));
    assert_non_null(strstr(err.msg, "a shard of ids"));
    assert_null(example_file_open("b", &err));
    shard_header_free(h);
}

/* The language of rows changes its meaning with the header of the segment they are in. */
static void test_begin(void **state)
{
    struct shard_header *h = header(1000, "fi");
    struct example_writer *w;
    struct example_reader *r;
    struct example_row row;
    struct made m;
    struct err err;
    int i;

    (void)state;
    w = example_create("seg", h, &err);
    assert_non_null(w);
    make(&m, 2, 1000, 1);
    assert_int_equal(example_write(w, &m.row, &err), 0);
    m.row.lang = 1;
    assert_int_equal(example_write(w, &m.row, &err), -1);
    assert_non_null(strstr(err.msg, "language is not in the header"));
    shard_header_set(h, "langs", "et,sw");
    assert_int_equal(example_begin(w, h, &err), 0);
    assert_int_equal(example_write(w, &m.row, &err), 0);
    assert_int_equal(example_finish(w, &err), 0);
    w = example_create("other", h, &err);
    assert_non_null(w);
    shard_header_set(h, "inputs", "7");
    assert_int_equal(example_begin(w, h, &err), -1);
    assert_non_null(strstr(err.msg, "inputs differs"));
    example_abandon(w);
    shard_header_free(h);
    r = example_open("seg", &err);
    assert_non_null(r);
    for (i = 0; i < 2; i++) {
        assert_int_equal(example_next(r, &row, &err), 1);
        assert_string_equal(example_lang(r, row.lang), i ? "sw" : "fi");
    }
    assert_int_equal(example_next(r, &row, &err), 0);
    example_close(r);
}

/* One block of two rows with 1 + 2 segments, spoilt in one place at a time. */
static int read_block(const unsigned char *segments, const unsigned char *lengths, size_t n_input,
                      struct err *err)
{
    static const unsigned char zero[256];
    struct columns c = { .n = 6 };
    struct shard_header *h = header(10, NULL);
    struct shard_writer *w;
    struct example_file *f;
    struct example_row row;
    struct buf b = { 0 };
    int got;

    c.col[0] = (struct column){ COLUMN_SEGMENTS, 0, { segments, 2 } };
    c.col[1] = (struct column){ COLUMN_INPUT_LENGTH, 0, { lengths, 3 } };
    c.col[2] = (struct column){ COLUMN_TARGET_LENGTH, 0, { zero, 3 } };
    c.col[3] = (struct column){ COLUMN_INPUT, 2, { zero, 2 * n_input } };
    c.col[4] = (struct column){ COLUMN_TARGET, 2, { zero, 0 } };
    c.col[5] = (struct column){ COLUMN_DOC, 8, { zero, 16 } };
    columns_format(&b, &c);
    w = shard_create("p", h, err);
    assert_int_equal(shard_write(w, buf_bytes(&b), 0, 2, n_input, err), 0);
    assert_int_equal(shard_finish(w, err), 0);
    f = example_file_open("p", err);
    assert_non_null(f);
    got = example_file_at(f, 1, &row, err);
    example_file_close(f);
    shard_header_free(h);
    buf_release(&b);
    return got;
}

static void test_hostile_blocks(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(read_block((unsigned char[]){ 1, 2 }, (unsigned char[]){ 9, 8, 7 }, 24, &err),
                     0);
    assert_int_equal(read_block((unsigned char[]){ 1, 2 }, (unsigned char[]){ 9, 8, 7 }, 25, &err),
                     -1);
    assert_non_null(strstr(err.msg, "not as many as the lengths"));
    assert_int_equal(read_block((unsigned char[]){ 1, 3 }, (unsigned char[]){ 9, 8, 7 }, 24, &err),
                     -1);
    assert_int_equal(read_block((unsigned char[]){ 1, 1 }, (unsigned char[]){ 9, 8, 7 }, 24, &err),
                     -1);
    assert_int_equal(read_block((unsigned char[]){ 1, 2 }, (unsigned char[]){ 9, 60, 7 }, 76, &err),
                     -1);
    assert_non_null(strstr(err.msg, "a row is longer"));
}

TESTS("shard/example", cmocka_unit_test(test_forward), cmocka_unit_test(test_by_number),
      cmocka_unit_test(test_file_langs), cmocka_unit_test(test_begin),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_hostile_blocks))
