/* test_decode.c - text of ids against SentencePiece's, for every model type. */
#include "golden.h"
#include "model.h"
#include "spm/decode.h"
#include "spm/encode.h"

static size_t parse_ids(struct bytes line, int32_t *id, size_t max)
{
    const unsigned char *p = line.p, *end = line.p + line.n;
    size_t n = 0;

    while (p < end && n < max) {
        char *stop;

        id[n++] = (int32_t)strtol((const char *)p, &stop, 10);
        p = (const unsigned char *)stop + 1;
    }
    return n;
}

/* Lists of ids in one file, their texts in another. */
static void compare(const char *model, const char *ids_path, const char *text_path)
{
    enum { MAX = 1 << 16 };
    static int32_t id[MAX];
    struct vocab *v = golden_vocab(model);
    struct buf ids = { 0 }, texts = { 0 }, out = { 0 }, got = { 0 };
    struct bytes in, want, line, text;
    struct decoder *d;
    struct err err;
    size_t n = 0;

    if (!v)
        skip();
    assert_true(golden_read(ids_path, &ids) && golden_read(text_path, &texts));
    d = decoder_new(v, 0, &err);
    assert_non_null(d);
    in = buf_bytes(&ids);
    want = buf_bytes(&texts);
    for (; golden_line(&in, &line) && golden_line(&want, &text); n++) {
        if (decoder_run(d, id, parse_ids(line, id, MAX), &out, NULL, &err))
            fail_msg("%s", err.msg);
        buf_reset(&got);
        golden_escape(&got, out.p, out.n);
        if (!golden_equal(buf_bytes(&got), text))
            fail_msg("%s: line %zu differs: %.*s", text_path, n + 1, (int)got.n, got.p);
    }
    assert_true(n >= 100);
    assert_int_equal(want.n, 0);
    decoder_free(d);
    vocab_free(v);
    buf_release(&ids);
    buf_release(&texts);
    buf_release(&out);
    buf_release(&got);
}

static void text_is_that_of_sentencepiece(void **state)
{
    static const struct {
        const char *model, *lines;
    } rows[] = {
        { "t5_32100", NULL },
        { "mt5_trim30k", NULL },
        { "llama2_bpe32k", NULL },
        { "en_bytefallback_2k", "lines600" },
    };
    char ids[128], text[128];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *m = rows[i].model;

        snprintf(ids, sizeof(ids), "golden-spm/decode/%s.random.ids", m);
        snprintf(text, sizeof(text), "golden-spm/decode/%s.random.txt", m);
        compare(m, ids, text);
        snprintf(ids, sizeof(ids), "golden-spm/ids/%s.nasty.ids", m);
        snprintf(text, sizeof(text), "golden-spm/decode/%s.nasty.txt", m);
        compare(m, ids, text);
        snprintf(ids, sizeof(ids), "golden-spm/ids/%s.%s.ids", m,
                 rows[i].lines ? rows[i].lines : "lines");
        snprintf(text, sizeof(text), "golden-spm/decode/%s.lines600.txt", m);
        compare(m, ids, text);
    }
}

static void expect(struct decoder *d, const int32_t *id, size_t n, const char *want, size_t foreign)
{
    struct buf out = { 0 };
    struct err err;
    size_t got;

    assert_int_equal(decoder_run(d, id, n, &out, &got, &err), 0);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.p, want);
    assert_int_equal(got, foreign);
    buf_release(&out);
}

static void small_models(void **state)
{
    struct buf b = { 0 }, m = { 0 };
    struct vocab *v;
    struct decoder *d;
    struct err err;

    (void)state;
    put_small(&b);
    put_piece(&b, "<q>", 0, PIECE_USER_DEFINED);
    put_byte_pieces(&b);
    put_number(&m, 4, 0);
    put_message(&b, 3, &m);    // only the first space goes
    v = parse(&b);
    d = decoder_new(v, 3, &err);
    assert_non_null(d);
    expect(d, NULL, 0, "", 0);
    expect(d, (int32_t[]){ 0, 1, 3, 6, 3, 4, 7 }, 7, "ab a<q>", 0);
    expect(d, (int32_t[]){ 3, 3, 4 }, 3, " a", 0);
    expect(d, (int32_t[]){ 3, 8 + 0xC3, 8 + 0xA9, 2 }, 4, "\xC3\xA9 \xE2\x81\x87 ", 0);
    expect(d, (int32_t[]){ 8 + 0xC3, 4, 8 + 0xA9 }, 3,
           "\xEF\xBF\xBD"
           "a\xEF\xBF\xBD",
           0);
    expect(d, (int32_t[]){ 266, 264 }, 2, "<extra_id_0><extra_id_2>", 0);
    expect(d, (int32_t[]){ 267, -1, INT32_MAX }, 3, " \xE2\x81\x87  \xE2\x81\x87  \xE2\x81\x87 ",
           3);
    decoder_free(d);
    vocab_free(v);
    put_bytes(&m, 2, "abcd", 4);
    put_message(&b, 5, &m);
    v = parse(&b);
    assert_null(decoder_new(v, 0, &err));
    assert_non_null(strstr(err.msg, "table"));
    vocab_free(v);
    buf_release(&b);
}

TESTS("spm/decode", cmocka_unit_test(text_is_that_of_sentencepiece), cmocka_unit_test(small_models))
