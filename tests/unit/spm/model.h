/* model.h - small model files made in the test, byte by byte. */
#ifndef MODEL_H
#define MODEL_H

#include <stdio.h>

#include "../test.h"
#include "base/err.h"
#include "base/mem.h"
#include "spm/vocab.h"

static inline void put_varint(struct buf *b, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        buf_add_byte(b, (unsigned char)(x | 0x80));
    buf_add_byte(b, (unsigned char)x);
}

static inline void put_number(struct buf *b, unsigned field, uint64_t x)
{
    put_varint(b, field << 3);
    put_varint(b, x);
}

static inline void put_bytes(struct buf *b, unsigned field, const void *p, size_t n)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, n);
    buf_add(b, p, n);
}

static inline void put_message(struct buf *b, unsigned field, struct buf *message)
{
    put_bytes(b, field, message->p, message->n);
    buf_release(message);
}

static inline void put_piece_n(struct buf *b, const char *text, size_t n, float score, int type)
{
    struct buf m = { 0 };

    put_bytes(&m, 1, text, n);
    put_varint(&m, 2 << 3 | 5);
    buf_add(&m, &score, 4);
    put_number(&m, 3, (uint64_t)type);
    put_message(b, 1, &m);
}

static inline void put_piece(struct buf *b, const char *text, float score, int type)
{
    put_piece_n(b, text, strlen(text), score, type);
}

/* <pad> </s> <unk>, then the space, a, b, ab. */
static inline void put_small(struct buf *b)
{
    put_piece(b, "<pad>", 0, PIECE_CONTROL);
    put_piece(b, "</s>", 0, PIECE_CONTROL);
    put_piece(b, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(b, "\xE2\x96\x81", -2, PIECE_NORMAL);
    put_piece(b, "a", -3, PIECE_NORMAL);
    put_piece(b, "b", -3, PIECE_NORMAL);
    put_piece(b, "ab", -4, PIECE_NORMAL);
}

/* byte_fallback and its 256 pieces. */
static inline void put_byte_pieces(struct buf *b)
{
    struct buf m = { 0 };
    char name[8];
    int i;

    put_number(&m, 35, 1);
    put_message(b, 2, &m);
    for (i = 0; i < 256; i++) {
        snprintf(name, sizeof(name), "<0x%02X>", (unsigned)i & 0xFF);
        put_piece(b, name, 0, PIECE_BYTE);
    }
}

static inline struct vocab *parse(const struct buf *b)
{
    struct err err;
    struct vocab *v = vocab_parse(buf_bytes(b), "dir/small.model", &err);

    if (!v)
        fail_msg("%s", err.msg);
    return v;
}

#endif
