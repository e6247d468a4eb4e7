/* test_vocab.c - model files: what is read, what is refused, that damage does no harm. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/rng.h"
#include "golden.h"
#include "model.h"

static struct bytes bytes(const char *s)
{
    return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static void pieces_and_special_ids(void **state)
{
    struct buf b = { 0 }, m = { 0 };
    struct vocab *v;

    (void)state;
    put_small(&b);
    put_number(&m, 40, 7);    // ids in the spec: of no account
    put_bytes(&m, 44, "?", 1);
    put_message(&b, 2, &m);
    put_number(&m, 3, 0);
    put_message(&b, 3, &m);
    put_number(&m, 4, 0);    // the specs merge
    put_message(&b, 3, &m);
    put_piece(&b, "<extra_id_1>", 0, PIECE_USER_DEFINED);
    put_piece(&b, "<extra_id_0>", 0, PIECE_USER_DEFINED);
    v = parse(&b);
    assert_int_equal(v->n_piece, 9);
    assert_int_equal(v->pad, 0);
    assert_int_equal(v->eos, 1);
    assert_int_equal(v->unk, 2);
    assert_int_equal(v->bos, -1);
    assert_int_equal(v->sentinel0, 8);
    assert_int_equal(v->n_sentinel, 2);
    assert_int_equal(v->model_type, VOCAB_UNIGRAM);
    assert_string_equal(v->name, "small");
    assert_int_equal(vocab_find(v, bytes("ab")), 6);
    assert_int_equal(vocab_find(v, bytes("ba")), -1);
    assert_true(v->piece[6].score == -4);
    assert_true(golden_equal(v->unk_surface, bytes("?")));
    assert_int_equal(v->normal.add_dummy_prefix, 0);
    assert_int_equal(v->normal.remove_extra, 0);
    assert_int_equal(v->normal.escape, 1);
    vocab_free(v);
    buf_release(&b);
}

static void unknown_fields_are_skipped(void **state)
{
    static const unsigned char odd[] = {
        0x9B, 0x06, 0x08, 0x01, 0x13, 0x14, 0x9C, 0x06,    // groups
        0xA1, 0x06, 1,    2,    3,    4,    5,    6,    7, 8
    };
    struct buf b = { 0 };
    struct vocab *v;

    (void)state;
    buf_add(&b, odd, sizeof(odd));
    put_small(&b);
    put_number(&b, 1, 5);    // a known number, another wire type
    put_bytes(&b, 200, "xyz", 3);
    v = parse(&b);
    assert_int_equal(v->n_piece, 7);
    vocab_free(v);
    buf_release(&b);
}

/* The digest of shard headers, from its definition. */
static void the_fingerprint(void **state)
{
    static const unsigned char parts[] = "\5\0\0\0<unk>\0\0\0\0\2"
                                         "\1\0\0\0a\0\0\x40\xC0\1"
                                         "\1\1\1";
    struct buf b = { 0 }, m = { 0 };
    unsigned char digest[32];
    char want[65], got[65];
    struct vocab *v;

    (void)state;
    put_piece(&b, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&b, "a", -3, PIECE_NORMAL);
    hash_sha256(parts, sizeof(parts) - 1, digest);
    hash_hex(digest, 32, want);
    v = parse(&b);
    vocab_sha256(v, got);
    assert_string_equal(got, want);
    vocab_free(v);
    put_number(&m, 4, 8000);    // says nothing of behaviour
    put_message(&b, 2, &m);
    v = parse(&b);
    vocab_sha256(v, got);
    assert_string_equal(got, want);
    vocab_free(v);
    put_number(&m, 3, 0);
    put_message(&b, 3, &m);
    v = parse(&b);
    vocab_sha256(v, got);
    assert_string_not_equal(got, want);
    vocab_free(v);
    buf_release(&b);
}

static void refuse(struct buf *b, const char *why)
{
    struct err err = { { 0 } };
    struct vocab *v = vocab_parse(buf_bytes(b), "x.model", &err);

    if (v || !strstr(err.msg, why) || strncmp(err.msg, "x.model: ", 9))
        fail_msg("'%s' for '%s'", err.msg, why);
    buf_reset(b);
}

static void senseless_models_are_refused(void **state)
{
    static char longest[PIECE_MAX];
    struct buf b = { 0 }, m = { 0 };

    (void)state;
    refuse(&b, "no pieces");
    put_piece(&b, "a", 0, PIECE_NORMAL);
    refuse(&b, "no piece is the unknown");
    put_small(&b);
    put_piece(&b, "<unk2>", 0, PIECE_UNKNOWN);
    refuse(&b, "both the unknown");
    put_small(&b);
    put_piece(&b, "", 0, PIECE_NORMAL);
    refuse(&b, "empty");
    put_small(&b);
    put_piece_n(&b, "x\0y", 3, 0, PIECE_NORMAL);
    refuse(&b, "NUL");
    put_small(&b);
    put_piece_n(&b, memset(longest, 'x', PIECE_MAX), PIECE_MAX, 0, PIECE_NORMAL);
    refuse(&b, "long");
    put_small(&b);
    put_piece(&b, "ab", -1, PIECE_NORMAL);
    refuse(&b, "pieces 6 and 7 are the same");
    put_small(&b);
    put_piece(&b, "c", NAN, PIECE_NORMAL);
    refuse(&b, "score");
    put_small(&b);
    put_piece(&b, "c", INFINITY, PIECE_NORMAL);
    refuse(&b, "score");
    put_small(&b);
    put_piece(&b, "c", 0, 7);
    refuse(&b, "type");
    put_small(&b);
    put_piece(&b, "<0x00>", 0, PIECE_BYTE);
    refuse(&b, "no byte fallback");
    put_small(&b);
    put_number(&m, 35, 1);
    put_message(&b, 2, &m);
    refuse(&b, "no byte piece <0x00>");
    put_small(&b);
    put_byte_pieces(&b);
    put_piece(&b, "<0xg>", 0, PIECE_BYTE);
    refuse(&b, "names no byte");
    put_small(&b);
    put_number(&m, 3, 5);
    put_message(&b, 2, &m);
    refuse(&b, "model type");
    buf_release(&b);
}

static void hostile_fields_are_damage(void **state)
{
    static const struct {
        const char *p;
        size_t n;
    } rows[] = {
        { "\x0A", 1 },    // a length, then nothing
        { "\x0A\x05"
          "ab",
          4 },                                                     // longer than the file
        { "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11 },    // 2^64 - 1
        { "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 11 },    // never ends
        { "\x0F", 1 },                                             // wire type 7
        { "\x02\x00", 2 },                                         // field 0
        { "\x0B\x0B\x0B", 3 },                                     // groups without an end
        { "\x0C", 1 },                                             // an end without a group
        { "\x0D\x01\x02", 3 },                                     // half a float
    };
    struct buf b = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_small(&b);
        buf_add(&b, rows[i].p, rows[i].n);
        refuse(&b, "byte ");
    }
    buf_release(&b);
}

/* Every cut of a small model, noise, and each byte changed: an answer, and no harm done. */
static void damage_does_no_harm(void **state)
{
    struct rng r = rng_at(rng_key(1, "models"), 0);
    struct buf whole = { 0 }, b = { 0 };
    struct err err;
    size_t i, j, loaded = 0;

    (void)state;
    put_small(&whole);
    put_byte_pieces(&whole);
    for (i = 0; i < whole.n; i++) {
        struct vocab *v = vocab_parse((struct bytes){ whole.p, i }, "cut", &err);

        loaded += v != NULL;
        vocab_free(v);
        buf_reset(&b);
        buf_add(&b, whole.p, whole.n);
        b.p[i] ^= (unsigned char)(1 + rng_below(&r, 255));
        vocab_free(vocab_parse(buf_bytes(&b), "flipped", &err));
    }
    assert_int_equal(loaded, 5);    // after <unk> and each piece up to the trainer spec
    for (i = 0; i < 500; i++) {
        buf_reset(&b);
        for (j = rng_below(&r, 200); j; j--)
            buf_add_byte(&b, (unsigned char)rng_next(&r));
        vocab_free(vocab_parse(buf_bytes(&b), "noise", &err));
    }
    buf_release(&whole);
    buf_release(&b);
}

static void files(void **state)
{
    struct err err;
    FILE *f;

    (void)state;
    assert_null(vocab_open("none.model", &err));
    assert_non_null(strstr(err.msg, "none.model: "));
    f = fopen("empty.model", "w");
    fclose(f);
    assert_null(vocab_open("empty.model", &err));
    assert_non_null(strstr(err.msg, "empty.model: no pieces"));
    assert_null(vocab_open(".", &err));
}

static void sentinel_names(void **state)
{
    (void)state;
    assert_int_equal(vocab_sentinel(bytes("<extra_id_0>")), 0);
    assert_int_equal(vocab_sentinel(bytes("\xE2\x96\x81<extra_id_99>")), 99);
    assert_int_equal(vocab_sentinel(bytes("<extra_id_>")), -1);
    assert_int_equal(vocab_sentinel(bytes("<extra_id_1")), -1);
    assert_int_equal(vocab_sentinel(bytes("<extra_id_1x>")), -1);
    assert_int_equal(vocab_sentinel(bytes("<extra_id_99999999999999999999>")), -1);
    assert_int_equal(vocab_sentinel(bytes("a")), -1);
}

TESTS("spm/vocab", cmocka_unit_test(pieces_and_special_ids),
      cmocka_unit_test(unknown_fields_are_skipped), cmocka_unit_test(the_fingerprint),
      cmocka_unit_test(senseless_models_are_refused), cmocka_unit_test(hostile_fields_are_damage),
      cmocka_unit_test(damage_does_no_harm), cmocka_unit_test(files),
      cmocka_unit_test(sentinel_names))
