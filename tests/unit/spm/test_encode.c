/* test_encode.c - ids, pieces and offsets against those of SentencePiece, in both arithmetics. */
#include "golden.h"
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

static struct encoder *encoder_of(const struct vocab *v, int old)
{
    struct encode_option o = { .old = old };
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

static void compare(const struct vocab *v, const char *model, const char *set, int what, int old)
{
    static const char *const kinds[] = { "ids/%s.%s.ids", "pieces/%s.%s.tsv", "offsets/%s.%s.tsv" };
    struct buf want = { 0 }, got = { 0 }, other = { 0 };
    struct encoder *e = encoder_of(v, old);
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
            fail_msg("%s%s: line %zu differs: got %.*s", path, old ? " (old)" : "", n + 1,
                     (int)(got.n > 300 ? 300 : got.n), got.p);
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
    static const char *const models[] = { "t5_32100", "mt5_trim30k", "en_bytefallback_2k" };
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
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

TESTS("spm/encode", cmocka_unit_test(ids_are_those_of_sentencepiece),
      cmocka_unit_test(ids_are_those_of_old_versions), cmocka_unit_test(pieces_and_offsets_too))
