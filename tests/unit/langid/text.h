/* text.h - texts that try a scanner: letters of many scripts, in runs and one by one, what is no
 * letter, what is no character, and repetitions. */
#ifndef TEST_LANGID_TEXT_H
#define TEST_LANGID_TEXT_H

#include "base/mem.h"
#include "base/rng.h"

static inline struct bytes text_piece(struct rng *r)
{
    static const char *const piece[] = {
        "the quick brown fox ",
        "THE QUICK BROWN FOX",
        "a",
        "Z",
        "word",    // Latin
        "\xC3\x84ra",
        "\xC4\xB0",
        "\xE1\xBA\x9E",
        "\xC8\xBA",    // case grows, shrinks
        "\xD0\x96\xD0\xB8\xD0\xB2",
        "\xD0\x96",
        "\xCE\xB1\xCE\x92",
        "\xCE\xB1",    // Cyrillic, Greek
        "e\xCC\x81",
        "\xCC\x81",
        "\xD9\x8B",
        "\xE2\x83\x90",    // inherited marks
        "\xE6\x97\xA5\xE6\x9C\xAC",
        "\xE3\x81\xAE",
        "\xED\x95\x9C\xEA\xB5\xAD",    // Han, kana, Hangul
        "\xE3\x84\x85",
        "\xE0\xA4\xB9\xE0\xA4\xBF",
        "\xE0\xB9\x84\xE0\xB8\x97",
        "\xF0\x90\x90\x80\xF0\x90\x90\xA8",
        "\xF0\xA0\x80\x80",
        "\xF0\x9F\x98\x80",
        " ",
        "  ",
        "\n",
        ", ",
        "123",
        "-",
        "\t",
        "\r\n",
        "\f",
        "$^",
        "\xC2\xA0",
        "\xE2\x80\xA6",
        "\xC2\xAA",
        "\xCA\xB9",
        "\xE3\x83\xBC",
        "\xD9\x80",
        "\xCD\xB4",
        "la la la la la la la la la la ",
        "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "x y z x y z x y z x y z x y z x y z x y z x y z x y z x y z x y z ",
    };
    const char *s = piece[rng_below(r, sizeof(piece) / sizeof(*piece))];
    struct bytes b = { (const unsigned char *)s, 0 };

    while (s[b.n])
        b.n++;
    return b;
}

/* A text of up to 400 pieces; one in four ends early, at bytes that are not fit. */
static inline void text_make(struct buf *b, uint64_t seed)
{
    static const char *const bad[] = {
        "\x80",         "\xC3",         "\xE6\x97",         "\xED\xA0\x80",
        "\xEF\xBF\xBE", "\x01",         "\xC2\x85",         "\xF5\x80\x80\x80",
        "\xC0\x80",     "\xEF\xB7\x90", "\xF0\x9F\xBF\xBF", "\x7F"
    };
    struct rng r = rng_at(rng_key(1, "text"), seed);
    uint64_t n = rng_below(&r, 400), i;

    buf_reset(b);
    for (i = 0; i < n; i++) {
        struct bytes s = text_piece(&r);

        buf_add(b, s.p, s.n);
        if (rng_below(&r, 1600) == 0)
            buf_add_str(b, bad[rng_below(&r, sizeof(bad) / sizeof(*bad))]);
    }
}

#endif
