/* test_parts.c - the lanes that are faster than the plain one, against it: made-up models and
 * texts in which rounding decides. */
#include "base/rng.h"
#include "golden.h"
#include "model.h"
#include "spm/encode.h"

static struct encoder *encoder_of(const struct vocab *v, int old, int plain)
{
    struct encode_option o = { .old = old, .plain = plain };
    struct err err;
    struct encoder *e = encoder_new(v, &o, &err);

    if (!e)
        fail_msg("%s", err.msg);
    return e;
}

/* Pieces of a few letters of all lengths in UTF-8, and words of them. */
static void random_text(struct rng *r, struct buf *b, size_t n_char, int spaces)
{
    static const char *const letters[] = { "a",
                                           "b",
                                           "~",
                                           "\xC3\xA9",
                                           "\xD0\xB6",
                                           "\xE0\xB8\x81",
                                           "\xE0\xB8\x82",
                                           "\xE6\x97\xA5",
                                           "\xE6\x9C\xAC",
                                           "\xF0\x9F\x99\x82" };

    for (; n_char; n_char--)
        if (spaces && rng_below(r, 6) == 0)
            buf_add_byte(b, ' ');
        else
            buf_add_str(b, letters[rng_below(r, sizeof(letters) / sizeof(letters[0]))]);
}

/* Scores that are often equal, nearly equal, or large, so that rounding decides. */
static float random_score(struct rng *r, uint64_t kind)
{
    static const float some[] = { -1, -2, -2.0000002f, -3, -0.1f, -5.5f };

    if (kind == 0)
        return some[rng_below(r, 6)];
    if (kind == 1)
        return -1.0f - (float)rng_below(r, 1000) / 100.0f;
    return -1e3f * (float)(1 + rng_below(r, 50)) - (float)rng_below(r, 3);
}

static struct vocab *random_model(struct rng *r, int bpe)
{
    struct buf b = { 0 }, piece = { 0 }, m = { 0 };
    uint64_t kind = rng_below(r, 3), n = 5 + rng_below(r, 60), bytes = rng_below(r, 2), spaces;
    struct vocab *v = NULL;
    struct err err;

    put_piece(&b, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&b, "\xE2\x96\x81", -2, PIECE_NORMAL);
    put_number(&m, 3, bpe ? VOCAB_BPE : VOCAB_UNIGRAM);
    put_message(&b, 2, &m);
    if (bytes)
        put_byte_pieces(&b);
    for (; n; n--) {
        size_t before = b.n;

        buf_reset(&piece);
        spaces = rng_below(r, 3) ? 0 : bpe && kind ? 1 + rng_below(r, 3) : 1;
        while (spaces--)
            buf_add_str(&piece, "\xE2\x96\x81");
        random_text(r, &piece,
                    1 + rng_below(r, rng_below(r, 4)   ? 3
                                     : rng_below(r, 4) ? 8
                                                       : 40),
                    0);    // walks of 4, of 8, of more
        if (rng_below(r, 40) == 0)
            buf_add_str(&piece, "\xE2\x96\x81");    // then there are fewer places to cut
        put_piece_n(&b, (char *)piece.p, piece.n, random_score(r, kind),
                    !bpe && rng_below(r, 12) == 0 ? PIECE_USER_DEFINED : PIECE_NORMAL);
        vocab_free(v);
        v = vocab_parse(buf_bytes(&b), "random", &err);
        if (!v)
            b.n = before;    // it is there already
    }
    vocab_free(v);
    v = parse(&b);
    buf_release(&b);
    buf_release(&piece);
    return v;
}

/* Pieces of the model one after the other, and now and then something else. */
static void text_of_pieces(struct rng *r, const struct vocab *v, struct buf *b, size_t n)
{
    for (; n; n--) {
        int32_t id = (int32_t)rng_below(r, (uint64_t)v->n_piece);

        if (rng_below(r, 8) == 0)
            random_text(r, b, 1 + rng_below(r, 4), 1);
        else if (v->piece[id].type == PIECE_NORMAL || v->piece[id].type == PIECE_USER_DEFINED)
            buf_add(b, v->piece[id].p, v->piece[id].n);
    }
}

static void equal_lanes(struct encoder *e[2], struct encoding enc[2], struct bytes text)
{
    struct err err;
    int i;

    for (i = 0; i < 2; i++)
        assert_int_equal(encoder_run(e[i], &enc[i], text, &err), 0);
    assert_int_equal(enc[0].n, enc[1].n);
    assert_memory_equal(enc[0].id, enc[1].id, enc[0].n * sizeof(*enc[0].id));
    assert_memory_equal(enc[0].end, enc[1].end, enc[0].n * sizeof(*enc[0].end));
}

/* Short texts, then one whose score goes past what is brought back to 0, then again: what is
 * remembered must hold wherever it is met. */
static void fast_lanes_are_the_plain_one(void **state)
{
    struct rng r = rng_at(rng_key(3, "lanes"), 0);
    size_t round, i;

    (void)state;
    for (round = 0; round < 75; round++) {
        int kind = (int)(round % 3), old = kind == 1;    // new, old, BPE
        struct vocab *v = random_model(&r, kind == 2);
        struct encoder *e[2] = { encoder_of(v, old, 0), encoder_of(v, old, 1) };
        struct encoding enc[2] = { { 0 }, { 0 } };
        struct buf text = { 0 };

        for (i = 0; i < 40; i++) {
            buf_reset(&text);
            if (i % 2)
                text_of_pieces(&r, v, &text, rng_below(&r, 60));
            else
                random_text(&r, &text, i == 20 ? 30000 : rng_below(&r, 60), 1);
            equal_lanes(e, enc, buf_bytes(&text));
            equal_lanes(e, enc, buf_bytes(&text));    // what is kept
        }
        for (i = 0; i < 2; i++) {
            encoding_release(&enc[i]);
            encoder_free(e[i]);
        }
        buf_release(&text);
        vocab_free(v);
    }
}

/* More of parts without a space than is kept of them. */
static void what_was_written_over(void **state)
{
    enum { N = 5000, LONG = 300, AGAIN = 20 };
    struct rng r = rng_at(rng_key(4, "lanes"), 0);
    struct vocab *v = random_model(&r, 0);
    struct encoder *e[2] = { encoder_of(v, 0, 0), encoder_of(v, 0, 1) };
    struct encoding enc[2] = { { 0 }, { 0 } };
    struct buf text = { 0 }, some = { 0 };
    size_t end[AGAIN], i, n, from;

    (void)state;
    for (i = 0; i < N; i++) {
        buf_reset(&text);
        for (n = 0; n < 3; n++) {
            random_text(&r, &text, rng_below(&r, LONG), 0);
            buf_add_byte(&text, ' ');
        }
        if (i < AGAIN) {
            buf_add(&some, text.p, text.n);
            end[i] = some.n;
        }
        equal_lanes(e, enc, buf_bytes(&text));
        from = i % AGAIN ? end[i % AGAIN - 1] : 0;
        if (i % 7 == 0 && i >= AGAIN)
            equal_lanes(e, enc, (struct bytes){ some.p + from, end[i % AGAIN] - from });
    }
    for (i = 0; i < 2; i++) {
        encoding_release(&enc[i]);
        encoder_free(e[i]);
    }
    buf_release(&text);
    buf_release(&some);
    vocab_free(v);
}

/* Runs of characters that no piece holds, short and longer than a step of a way; where the space is
 * no piece either, they go on from one part to the next. */
static void unknowns_are_those_of_the_plain_lane(void **state)
{
    static const char *const words[] = {
        "a", "ab", " ", " ", "\xD0\xB6", "\xE6\x97\xA5", "\xF0\x9F\x99\x82", "~"
    };
    struct rng r = rng_at(rng_key(6, "lanes"), 0);
    size_t round, i, n;

    (void)state;
    for (round = 0; round < 8; round++) {
        struct buf b = { 0 }, text = { 0 };
        struct encoding enc[2] = { { 0 }, { 0 } };
        struct encoder *e[2];
        struct vocab *v;

        put_piece(&b, "<unk>", 0, PIECE_UNKNOWN);
        put_piece(&b, round & 1 ? "\xE2\x96\x81" : "b", -2.5f, PIECE_NORMAL);
        put_piece(&b, "ab", -3, PIECE_NORMAL);
        put_piece(&b, "a", round & 2 ? -2.25f : -1e4f, PIECE_NORMAL);
        v = parse(&b);
        for (i = 0; i < 2; i++)
            e[i] = encoder_of(v, round & 4 ? 1 : 0, i == 1);
        for (i = 0; i < 200; i++) {
            const char *word = words[rng_below(&r, 8)];

            if (rng_below(&r, 8) == 0)
                buf_reset(&text);
            for (n = rng_below(&r, 8) ? 1 + rng_below(&r, 4) : rng_below(&r, 700); n; n--)
                buf_add_str(&text, word);
            equal_lanes(e, enc, buf_bytes(&text));
            equal_lanes(e, enc, buf_bytes(&text));
        }
        for (i = 0; i < 2; i++) {
            encoding_release(&enc[i]);
            encoder_free(e[i]);
        }
        buf_release(&text);
        buf_release(&b);
        vocab_free(v);
    }
}

/* Models of others, and texts of their pieces, short and long. */
static void lanes_of_models(const char *name, int old)
{
    struct rng r = rng_at(rng_key(5, name), 0);
    struct vocab *v = golden_vocab(name);
    struct encoder *e[2];
    struct encoding enc[2] = { { 0 }, { 0 } };
    struct buf text = { 0 };
    size_t i;

    if (!v)
        skip();
    for (i = 0; i < 2; i++)
        e[i] = encoder_of(v, old, i == 1);
    for (i = 0; i < 24; i++) {
        buf_reset(&text);
        text_of_pieces(&r, v, &text, i == 12 ? 20000 : 1 + rng_below(&r, 200));
        equal_lanes(e, enc, buf_bytes(&text));
        equal_lanes(e, enc, buf_bytes(&text));
    }
    for (i = 0; i < 2; i++) {
        encoding_release(&enc[i]);
        encoder_free(e[i]);
    }
    buf_release(&text);
    vocab_free(v);
}

static void fast_lanes_of_models(void **state)
{
    static const char *const names[] = {
        "albert_30k",    "en_bpe_1k",      "en_bytefallback_2k", "en_char_79",
        "en_nfkc_1k",    "ja_8k",          "ja_bpe_byte_2k",     "ja_nodummy_52k",
        "llama2_bpe32k", "marian_enru_1k", "mistral3_bpe32k",    "mt5_trim30k",
        "multi_250k",    "opus_en_32k",    "seqio_tiny_26",      "t5_32100",
        "xlnet_32k",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        lanes_of_models(names[i], 0);
        lanes_of_models(names[i], 1);
    }
}

TESTS("spm/parts", cmocka_unit_test(fast_lanes_are_the_plain_one),
      cmocka_unit_test(what_was_written_over),
      cmocka_unit_test(unknowns_are_those_of_the_plain_lane),
      cmocka_unit_test(fast_lanes_of_models))
