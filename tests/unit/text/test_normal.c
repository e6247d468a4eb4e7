/* test_normal.c - normalised text against SentencePiece's, the switches, hostile tables. */
#include "../spm/golden.h"
#include "base/rng.h"
#include "text/charsmap.h"
#include "text/normal.h"

static void run(const struct normal *n, const char *in, size_t len, struct buf *out,
                struct normal_map *map)
{
    struct err err;

    if (normal_run(n, (struct bytes){ (const unsigned char *)in, len }, out, map, &err))
        fail_msg("%s", err.msg);
}

static void compare(const char *model, const char *set)
{
    struct vocab *v = golden_vocab(model);
    struct buf want = { 0 }, out = { 0 }, got = { 0 };
    struct golden_set in;
    struct bytes left, line = { 0 }, text, *whole;
    struct normal *n;
    char path[128];
    struct err err;
    size_t n_whole = 0, n_line = 0;
    int32_t id;

    if (!v)
        skip();
    whole = xreallocarray(NULL, (size_t)v->n_piece, sizeof(*whole));
    for (id = 0; id < v->n_piece; id++)
        if (v->piece[id].type == PIECE_USER_DEFINED)
            whole[n_whole++] = vocab_piece(v, id);
    n = normal_new(&v->normal, whole, n_whole, &err);
    assert_non_null(n);
    snprintf(path, sizeof(path), "golden-spm/norm/%s.%s.norm", model, set);
    assert_true(golden_read(path, &want) && golden_open(&in, set));
    left = buf_bytes(&want);
    for (; golden_next(&in, &text); n_line++) {
        assert_true(golden_line(&left, &line));
        run(n, (const char *)text.p, text.n, &out, NULL);
        buf_reset(&got);
        golden_escape(&got, out.p, out.n);
        if (!golden_equal(buf_bytes(&got), line))
            fail_msg("%s: line %zu differs: %.*s", path, n_line + 1,
                     (int)(got.n > 200 ? 200 : got.n), got.p);
    }
    assert_int_equal(left.n, 0);
    assert_true(n_line > 200);
    free(whole);
    normal_free(n);
    vocab_free(v);
    buf_release(&want);
    buf_release(&out);
    buf_release(&got);
    buf_release(&in.all);
}

static void text_is_that_of_sentencepiece(void **state)
{
    static const char *const models[] = {
        "albert_30k",    "en_bpe_1k",      "en_bytefallback_2k", "en_char_79",
        "en_nfkc_1k",    "ja_8k",          "ja_bpe_byte_2k",     "ja_nodummy_52k",
        "llama2_bpe32k", "marian_enru_1k", "mistral3_bpe32k",    "mt5_trim30k",
        "multi_250k",    "opus_en_32k",    "seqio_tiny_26",      "t5_32100",
        "xlnet_32k",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        compare(models[i], "nasty");
    compare("t5_32100", "lines");
}

static void expect(struct normal_spec spec, const char *in, const char *want)
{
    struct err err;
    struct normal *n = normal_new(&spec, NULL, 0, &err);
    struct buf out = { 0 };

    assert_non_null(n);
    run(n, in, strlen(in), &out, NULL);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.p, want);
    normal_free(n);
    buf_release(&out);
}

static void switches(void **state)
{
    (void)state;
    expect((struct normal_spec){ { 0 }, 1, 1, 1, 0 }, "  a  b ",
           "\xE2\x96\x81"
           "a\xE2\x96\x81"
           "b");
    expect((struct normal_spec){ { 0 }, 1, 1, 0, 0 }, "  a  b ", " a b");
    expect((struct normal_spec){ { 0 }, 1, 1, 0, 1 }, "  a  b ", "a b ");
    expect((struct normal_spec){ { 0 }, 0, 0, 0, 0 }, "  a  b ", "  a  b ");
    expect((struct normal_spec){ { 0 }, 1, 0, 0, 0 }, " a", "  a");
    expect((struct normal_spec){ { 0 }, 1, 1, 1, 0 }, "   ", "");
    expect((struct normal_spec){ { 0 }, 1, 1, 1, 0 }, "", "");
    expect((struct normal_spec){ { 0 }, 0, 0, 0, 0 }, "\xC0\x80\xED\xA0\x80z\xF4\x90\x80\x80",
           "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz"
           "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void the_map_leads_back(void **state)
{
    struct normal_spec spec = { { 0 }, 1, 1, 1, 0 };
    struct bytes whole = { (const unsigned char *)"<x y>", 5 };
    static const size_t want[] = { 2, 2, 2, 2, 3, 3, 3, 5, 5, 7, 7, 7, 7, 7, 7, 7, 12 };
    struct normal_map map = { 0 };
    struct buf out = { 0 };
    struct err err;
    struct normal *n = normal_new(&spec, &whole, 1, &err);
    size_t i;

    (void)state;
    assert_non_null(n);
    run(n, "  a  \xC3\xA9<x y>  ", 14, &out, &map);
    assert_int_equal(out.n, sizeof(want) / sizeof(want[0]) - 1);
    for (i = 0; i <= out.n; i++)
        assert_int_equal(map.at[i], want[i]);
    normal_free(n);
    normal_map_release(&map);
    buf_release(&out);
}

/* Tables of noise: refused or harmless. The sanitized run is the judge. */
static void damaged_tables_do_no_harm(void **state)
{
    struct rng r = rng_at(rng_key(1, "tables"), 0);
    unsigned char table[4 + 1024 + 16];
    struct normal_spec spec = { { table, sizeof(table) }, 1, 1, 1, 0 };
    struct buf out = { 0 };
    struct err err;
    size_t i, j, loaded = 0;
    char text[64];

    (void)state;
    for (i = 0; i < 40; i++) {
        struct normal *n;

        for (j = 0; j < sizeof(table); j++)
            table[j] = (unsigned char)rng_next(&r);
        memcpy(table, "\0\4\0\0", 4);
        for (j = 4; i % 2 && j < 1028; j += 4)    // labels that match, so that walks go far
            table[j] = (unsigned char)(j / 4), table[j + 1] |= 1, table[j + 3] &= 0x7F;
        table[sizeof(table) - 1] = i % 8 == 7;
        n = normal_new(&spec, NULL, 0, &err);
        if (!n)
            continue;
        loaded++;
        for (j = 0; j < sizeof(text); j++)
            text[j] = (char)rng_next(&r);
        run(n, text, sizeof(text), &out, NULL);
        normal_free(n);
    }
    assert_int_equal(loaded, 35);
    buf_release(&out);
}

static void cut_tables_are_refused(void **state)
{
    static const unsigned char table[2048] = { 0, 4 };    // 1024 bytes of units
    static const size_t bad[] = { 1, 3, 4, 5, 1027, 1028 }, good[] = { 1029, 2048 };
    struct normal_spec spec = { { table, 0 }, 1, 1, 1, 0 };
    struct err err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        spec.charsmap.n = bad[i];
        assert_null(normal_new(&spec, NULL, 0, &err));
        assert_non_null(strstr(err.msg, "table"));
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct normal *n;

        spec.charsmap.n = good[i];
        n = normal_new(&spec, NULL, 0, &err);
        assert_non_null(n);
        normal_free(n);
    }
}

/* Runs are copied without a map, characters with one: what comes out is the same. */
static void runs_are_as_characters(void **state)
{
    static const char *const some[] = { "a",
                                        "e",
                                        "Z",
                                        "~",
                                        " ",
                                        "  ",
                                        "word",
                                        "longerword",
                                        "\xCC\x81",
                                        "\xD0\xB8",
                                        "\xD0\xB6",
                                        "\xCC\x86",
                                        "\xD0\xBF\xD1\x80\xD0\xB8",
                                        "\xE0\xA4\x95",
                                        "\xE0\xA4\xBC",
                                        "\xE0\xB8\x81",
                                        "\xE0\xB8\xB3",
                                        "\xE4\xB8\xAD",
                                        "\xEF\xBC\xA1",
                                        "\xE3\x80\x80",
                                        "\xED\xA0\x80",
                                        "\xE0\x80\x80",
                                        "\xC0\x80",
                                        "\xC2",
                                        "\xE4\xB8",
                                        "\xFF",
                                        "\x80",
                                        "\xF0\x9F\x99\x82",
                                        "\xE2\x96\x81",
                                        "\t",
                                        "\x7F",
                                        "\x01",
                                        "\xEA\xB0\x80" };
    static const char *const names[] = { "nmt_nfkc", "nfkc_cf", "identity" };
    struct rng r = rng_at(rng_key(5, "runs"), 0);
    struct buf table = { 0 }, in = { 0 }, out[2] = { { 0 } };
    struct normal_map map = { 0 };
    size_t i, k;

    (void)state;
    for (i = 0; i < 6; i++) {
        struct normal_spec spec = { .add_dummy_prefix = i % 2, .remove_extra = i % 3 > 0 };
        struct normal *n;
        struct err err;

        spec.escape = i > 2;
        buf_reset(&table);
        assert_int_equal(charsmap_make(names[i / 2], &table), 0);
        spec.charsmap = buf_bytes(&table);
        n = normal_new(&spec, NULL, 0, &err);
        assert_non_null(n);
        for (k = 0; k < 2000; k++) {
            uint64_t n_part = rng_below(&r, 30);

            for (buf_reset(&in); n_part; n_part--)
                buf_add_str(&in, some[rng_below(&r, sizeof(some) / sizeof(some[0]))]);
            run(n, (char *)in.p, in.n, &out[0], NULL);
            run(n, (char *)in.p, in.n, &out[1], &map);
            assert_int_equal(out[0].n, out[1].n);
            if (out[0].n)
                assert_memory_equal(out[0].p, out[1].p, out[0].n);
        }
        normal_free(n);
    }
    buf_release(&table);
    buf_release(&in);
    buf_release(&out[0]);
    buf_release(&out[1]);
    normal_map_release(&map);
}

TESTS("text/normal", cmocka_unit_test(runs_are_as_characters),
      cmocka_unit_test(text_is_that_of_sentencepiece), cmocka_unit_test(switches),
      cmocka_unit_test(the_map_leads_back), cmocka_unit_test(damaged_tables_do_no_harm),
      cmocka_unit_test(cut_tables_are_refused))
