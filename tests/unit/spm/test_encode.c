/* test_encode.c - ids, pieces and offsets against those of SentencePiece, in both arithmetics. */
#include "golden.h"
#include "model.h"
#include "spm/encode.h"

static const struct {
    const char *model, *sets[3];
} goldens[] = {
    { "t5_32100", { "lines", "long", "nasty" } },
    { "mt5_trim30k", { "lines", "long", "nasty" } },
    { "multi_250k", { "lines", "long", "nasty" } },
    { "albert_30k", { "lines", "nasty" } },
    { "xlnet_32k", { "lines600", "nasty" } },
    { "opus_en_32k", { "lines600", "nasty" } },
    { "ja_nodummy_52k", { "lines600", "nasty" } },
    { "ja_8k", { "lines600", "nasty" } },
    { "en_nfkc_1k", { "lines600", "nasty" } },
    { "marian_enru_1k", { "lines600", "nasty" } },
    { "en_bytefallback_2k", { "lines600", "nasty" } },
    { "seqio_tiny_26", { "lines600", "nasty" } },
    { "en_bpe_1k", { "lines600", "nasty" } },
    { "ja_bpe_byte_2k", { "lines600", "nasty" } },
    { "llama2_bpe32k", { "lines", "nasty" } },
    { "mistral3_bpe32k", { "lines600", "nasty" } },
    { "en_char_79", { "lines600", "nasty" } },
};

enum { N_GOLDEN = sizeof(goldens) / sizeof(goldens[0]) };
enum { IDS, PIECES, OFFSETS };

static void format(struct buf *b, const struct encoding *e, const struct vocab *v, int what)
{
    static struct buf piece;
    size_t i;

    buf_reset(b);
    for (i = 0; i < e->n; i++) {
        uint32_t from = i ? e->end[i - 1] : 0;

        if (i)
            buf_add_byte(b, what == PIECES ? '\t' : ' ');
        buf_reset(&piece);
        if (what == PIECES) {
            encoding_piece(e, v, i, &piece);
            golden_escape(b, piece.p, piece.n);
            continue;
        }
        buf_printf(b, "%d", e->id[i]);
        if (what == OFFSETS)
            buf_printf(b, ":%zu:%zu", e->map.at[from], e->map.at[e->end[i]]);
    }
}

static struct encoder *encoder_of(const struct vocab *v, int old, int plain)
{
    struct encode_option o = { .old = old, .plain = plain };
    struct err err;
    struct encoder *e = encoder_new(v, &o, &err);

    if (!e)
        fail_msg("%s", err.msg);
    return e;
}

/* Where old arithmetic differs is in a file of its own: line number, ids. */
static void overlay(struct bytes *old, size_t line, struct bytes *want)
{
    struct bytes left = *old, row;

    if (golden_line(&left, &row) && (size_t)strtoul((const char *)row.p, NULL, 10) == line) {
        const unsigned char *tab = memchr(row.p, '\t', row.n);

        *want = (struct bytes){ tab + 1, row.n - (size_t)(tab + 1 - row.p) };
        *old = left;
    }
}

static void compare_lane(const struct vocab *v, const char *model, const char *set, int what,
                         int old, int plain)
{
    static const char *const kinds[] = { "ids/%s.%s.ids", "pieces/%s.%s.tsv", "offsets/%s.%s.tsv" };
    struct buf want = { 0 }, got = { 0 }, other = { 0 };
    struct encoder *e = encoder_of(v, old, plain);
    struct encoding enc = { .want_map = what == OFFSETS };
    struct golden_set in;
    struct bytes left, line = { 0 }, text, exceptions;
    char name[128], path[160];
    struct err err;
    size_t n = 0;

    snprintf(name, sizeof(name), "old/%s.%s.tsv", model, set);
    snprintf(path, sizeof(path), "golden-spm/%s", name);
    if (old)
        golden_read(path, &other);
    exceptions = buf_bytes(&other);
    snprintf(name, sizeof(name), kinds[what], model, set);
    snprintf(path, sizeof(path), "golden-spm/%s", name);
    if (!golden_read(path, &want) || !golden_open(&in, set))
        fail_msg("no %s", path);
    left = buf_bytes(&want);
    for (; golden_next(&in, &text); n++) {
        if (!golden_line(&left, &line))
            fail_msg("%s: line %zu: none", path, n + 1);
        overlay(&exceptions, n + 1, &line);
        if (encoder_run(e, &enc, text, &err))
            fail_msg("%s", err.msg);
        format(&got, &enc, v, what);
        if (!golden_equal(buf_bytes(&got), line))
            fail_msg("%s%s%s: line %zu differs: got %.*s", path, old ? " (old)" : "",
                     plain ? " (plain)" : "", n + 1, (int)(got.n > 300 ? 300 : got.n), got.p);
    }
    assert_true(n > 100 || !strcmp(set, "long"));
    assert_int_equal(left.n, 0);
    assert_int_equal(exceptions.n, 0);
    encoder_free(e);
    encoding_release(&enc);
    buf_release(&want);
    buf_release(&got);
    buf_release(&other);
    buf_release(&in.all);
}

/* The plain lane, and those that are faster. */
static void compare(const struct vocab *v, const char *model, const char *set, int what, int old)
{
    compare_lane(v, model, set, what, old, 0);
    if (v->n_piece < 200000)    // which take a while
        compare_lane(v, model, set, what, old, 1);
}

static void check_all(int old)
{
    size_t i, j;

    for (i = 0; i < N_GOLDEN; i++) {
        struct vocab *v = golden_vocab(goldens[i].model);

        if (!v)
            skip();
        for (j = 0; j < 3 && goldens[i].sets[j]; j++)
            if (!old || strcmp(goldens[i].sets[j], "long"))
                compare(v, goldens[i].model, goldens[i].sets[j], IDS, old);
        vocab_free(v);
    }
}

static void ids_are_those_of_sentencepiece(void **state)
{
    (void)state;
    check_all(0);
}

static void ids_are_those_of_old_versions(void **state)
{
    (void)state;
    check_all(1);
}

static void pieces_and_offsets_too(void **state)
{
    static const char *const models[] = { "t5_32100", "mt5_trim30k", "en_bytefallback_2k",
                                          "llama2_bpe32k" };
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        struct vocab *v = golden_vocab(models[i]);

        if (!v)
            skip();
        compare(v, models[i], "lines600", PIECES, 0);
        compare(v, models[i], "nasty", PIECES, 0);
        compare(v, models[i], "nasty", OFFSETS, 0);
        if (i == 0)
            compare(v, models[i], "lines600", OFFSETS, 0);
        vocab_free(v);
    }
}

static void expect(const struct buf *model, struct encode_option o, const char *text,
                   const char *want)
{
    struct vocab *v = parse(model);
    struct encoding enc = { 0 };
    struct buf got = { 0 };
    struct err err;
    struct encoder *e = encoder_new(v, &o, &err);

    if (!e ||
        encoder_run(e, &enc, (struct bytes){ (const unsigned char *)text, strlen(text) }, &err))
        fail_msg("%s", err.msg);
    format(&got, &enc, v, IDS);
    buf_add_byte(&got, 0);
    assert_string_equal((char *)got.p, want);
    buf_release(&got);
    encoding_release(&enc);
    encoder_free(e);
    vocab_free(v);
}

static void small_models(void **state)
{
    static const struct encode_option new = { 0 }, old = { .old = 1 };
    struct buf b = { 0 };

    (void)state;
    put_small(&b);
    expect(&b, new, "", "");
    expect(&b, new, "  ", "");
    expect(&b, new, "ab ba", "3 6 3 5 4");    // -4 for ab beats -6
    expect(&b, new, "axyb", "3 4 2 5");       // a run of unknowns is one
    expect(&b, new, "x</s>", "3 2");          // control pieces are not matched
    expect(&b, new, "a\xE6\x97\xA5z", "3 4 2");
    put_piece(&b, "ba", -6, PIECE_NORMAL);    // as good as b, a: the earlier start stays
    expect(&b, new, "ba", "3 7");
    expect(&b, old, "ba", "3 7");
    put_piece(&b, "b\xE2\x96\x81", 0, PIECE_UNUSED);
    expect(&b, new, "b b", "3 5 3 5");
    put_piece(&b, "a(b", -90, PIECE_USER_DEFINED);    // its score is not looked at
    expect(&b, new, "ba(b", "3 5 9");
    expect(&b, old, "ba(b", "3 5 9");
    put_byte_pieces(&b);
    expect(&b, new, "a\xC3\xA9", "3 4 205 179");    // C3 A9
    buf_release(&b);
}

static void sentinels_may_be_text(void **state)
{
    static const struct encode_option match = { 0 }, plain = { .plain_sentinels = 1 };
    struct buf b = { 0 };

    (void)state;
    put_small(&b);
    put_piece(&b, "<extra_id_0>", 0, PIECE_USER_DEFINED);
    put_piece(&b, "(a)", 0, PIECE_USER_DEFINED);
    expect(&b, match, "a<extra_id_0>(a)", "3 4 7 8");
    expect(&b, plain, "a<extra_id_0>(a)", "3 4 2 4 2 8");
    buf_release(&b);
    put_small(&b);
    put_piece(&b, "\xE2\x96\x81<extra_id_0>", -1, PIECE_NORMAL);    // as in mT5
    expect(&b, match, "a <extra_id_0>", "3 4 7");
    expect(&b, plain, "a <extra_id_0>", "3 4 3 2 4 2");
    buf_release(&b);
}

static void sentinels_in_text_are_counted(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {
        { "", 0 },
        { "<extra_id_7>", 1 },
        { "a <extra_id_0><extra_id_12>b", 2 },
        { "<extra_id_>", 0 },
        { "<extra_id_1", 0 },
        { "<extra_id_1 >", 0 },
        { "<<extra_id_1>", 1 },
        { "<extra_id_<extra_id_3>", 1 },
    };
    struct encode_option o = { .plain_sentinels = 1 };
    struct encoding enc = { 0 };
    struct buf b = { 0 };
    struct encoder *e;
    struct vocab *v;
    struct err err;
    size_t i;

    (void)state;
    put_small(&b);
    v = parse(&b);
    e = encoder_new(v, &o, &err);
    assert_non_null(e);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes t = { (const unsigned char *)rows[i].text, strlen(rows[i].text) };

        assert_int_equal(encoder_run(e, &enc, t, &err), 0);
        assert_int_equal(enc.n_sentinel, rows[i].n);
    }
    encoding_release(&enc);
    encoder_free(e);
    vocab_free(v);
    buf_release(&b);
}

static void put_sample(struct buf *b, const char *input, const char *expected)
{
    struct buf m = { 0 }, s = { 0 };

    put_bytes(&s, 1, input, strlen(input));
    put_bytes(&s, 2, expected, strlen(expected));
    put_message(&m, 1, &s);
    put_message(b, 4, &m);
}

static void refuse(const struct buf *model, const char *why)
{
    struct vocab *v = parse(model);
    struct encode_option o = { 0 };
    struct err err;

    assert_null(encoder_new(v, &o, &err));
    assert_non_null(strstr(err.msg, why));
    vocab_free(v);
}

static void the_models_own_samples(void **state)
{
    static const struct encode_option o = { 0 };
    struct buf b = { 0 };

    (void)state;
    put_small(&b);
    put_sample(&b, "ab", "\xE2\x96\x81 ab");
    put_piece(&b, "ba", -6, PIECE_NORMAL);
    put_sample(&b, "ba", "\xE2\x96\x81 b a");    // other pieces, the same score
    expect(&b, o, "a", "3 4");
    put_sample(&b, "ab", "\xE2\x96\x81 a b");
    refuse(&b, "sample 3");
    buf_release(&b);
}

static void put_type(struct buf *b, int type)
{
    struct buf m = { 0 };

    put_number(&m, 3, (uint64_t)type);
    put_message(b, 2, &m);
}

/* Merges go by score, then from the left; a frozen piece takes no part; an unused one falls apart
 * into what was last offered for it. */
static void small_bpe_models(void **state)
{
    static const struct encode_option o = { 0 };
    struct buf b = { 0 };

    (void)state;
    put_small(&b);    // 0 pad, 1 eos, 2 unk, 3 space, 4 a, 5 b, 6 ab (-4)
    put_type(&b, VOCAB_BPE);
    expect(&b, o, "", "");
    expect(&b, o, "aba", "3 6 4");
    put_piece(&b, "ba", -4, PIECE_NORMAL);    // 7
    expect(&b, o, "aba", "3 6 4");
    expect(&b, o, "baba", "3 7 7");
    put_piece(&b, "aa", -1, PIECE_NORMAL);    // 8
    expect(&b, o, "baab", "3 5 8 5");
    expect(&b, o, "xaxy", "3 2 4 2");
    put_piece(&b, "aab", -1, PIECE_UNUSED);    // 9: offered as aa b
    expect(&b, o, "aab", "3 8 5");
    put_piece(&b, "b(a", -9, PIECE_USER_DEFINED);    // 10
    expect(&b, o, "ab(ab", "3 4 10 5");
    expect(&b, o, "a<unk></s>", "3 4 2");
    put_byte_pieces(&b);
    expect(&b, o, "a\xC3\xA9", "3 4 206 180");
    buf_release(&b);
}

static void small_char_and_word_models(void **state)
{
    static const struct encode_option o = { 0 };
    struct buf b = { 0 };

    (void)state;
    put_small(&b);
    put_type(&b, VOCAB_CHAR);
    put_piece(&b, "x<a", 0, PIECE_USER_DEFINED);    // 7
    expect(&b, o, "abx<ab zz", "3 4 5 7 5 3 2");
    buf_release(&b);
    put_small(&b);
    put_type(&b, VOCAB_WORD);
    put_piece(&b,
              "\xE2\x96\x81"
              "ab",
              0, PIECE_NORMAL);    // 7
    put_piece(&b,
              "\xE2\x96\x81"
              "</s>",
              0, PIECE_CONTROL);
    expect(&b, o, "", "");
    expect(&b, o, "ab b a  ab", "7 2 7");
    expect(&b, o, "</s>", "2");    // a control piece is nothing that text becomes
    buf_release(&b);
}

static void chance_needs_a_model_for_it(void **state)
{
    static const struct {
        int type, n_best;
        const char *why;
    } rows[] = { { VOCAB_BPE, 2, "BPE" }, { VOCAB_CHAR, 0, "char" }, { VOCAB_WORD, 0, "word" } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct encode_option o = { .draw = 1, .n_best = rows[i].n_best };
        struct buf b = { 0 };
        struct vocab *v;
        struct err err;

        put_small(&b);
        put_type(&b, rows[i].type);
        v = parse(&b);
        assert_null(encoder_new(v, &o, &err));
        assert_non_null(strstr(err.msg, rows[i].why));
        vocab_free(v);
        buf_release(&b);
    }
}

static void other_models_and_damage(void **state)
{
    struct buf b = { 0 }, m = { 0 };

    (void)state;
    put_small(&b);
    put_bytes(&m, 2, "abcd", 4);
    put_message(&b, 3, &m);
    refuse(&b, "table");
    buf_release(&b);
}

/* Scores at the ends of float, pieces that end within characters: some ids, and no harm. */
static void hostile_scores_do_no_harm(void **state)
{
    static const float score[] = { 3e38f, -3e38f, -1e5f, 1e5f, 0, -1e-40f };
    struct encoding enc = { 0 };
    struct buf b = { 0 }, text = { 0 };
    struct err err;
    size_t i, old;

    (void)state;
    put_piece(&b, "<unk>", 0, PIECE_UNKNOWN);
    for (i = 0; i < 60; i++) {
        char piece[4] = { (char)('a' + i % 3), (char)('a' + i / 3 % 4), (char)('a' + i / 12), 0 };

        put_piece(&b, piece, score[i % 6], i % 7 ? PIECE_NORMAL : PIECE_USER_DEFINED);
        buf_add_str(&text, piece + i % 3);
    }
    put_piece(&b, "\xE6\x97", 3e38f, PIECE_NORMAL);
    put_piece(&b, "\xA5", 3e38f, PIECE_NORMAL);
    buf_add_str(&text, "\xE6\x97\xA5"
                       "aab\xE6\x97\xA5");
    for (old = 0; old < 2; old++) {
        struct vocab *v = parse(&b);
        struct encoder *e = encoder_of(v, (int)old, 0);

        for (i = 0; i < 200; i++)
            assert_int_equal(encoder_run(e, &enc, (struct bytes){ text.p, i % (text.n + 1) }, &err),
                             0);
        assert_int_equal(enc.end[enc.n - 1], enc.text.n);
        encoder_free(e);
        vocab_free(v);
    }
    encoding_release(&enc);
    buf_release(&b);
    buf_release(&text);
}

TESTS("spm/encode", cmocka_unit_test(ids_are_those_of_sentencepiece),
      cmocka_unit_test(ids_are_those_of_old_versions), cmocka_unit_test(pieces_and_offsets_too),
      cmocka_unit_test(small_models), cmocka_unit_test(sentinels_may_be_text),
      cmocka_unit_test(sentinels_in_text_are_counted), cmocka_unit_test(the_models_own_samples),
      cmocka_unit_test(small_bpe_models), cmocka_unit_test(small_char_and_word_models),
      cmocka_unit_test(chance_needs_a_model_for_it), cmocka_unit_test(other_models_and_damage),
      cmocka_unit_test(hostile_scores_do_no_harm))
