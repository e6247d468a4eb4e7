/* vocab.h - a SentencePiece model file: its pieces, its specs. Any model type.
 *
 * The file is held in memory as it is and pieces are views into it. A file that loads is sound:
 * no piece is empty, holds a NUL or stands twice, there is one unknown, scores are finite.
 */
#ifndef SPM_VOCAB_H
#define SPM_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "text/normal.h"

struct err;

enum { VOCAB_UNIGRAM = 1, VOCAB_BPE, VOCAB_WORD, VOCAB_CHAR };

enum {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN,
    PIECE_CONTROL,
    PIECE_USER_DEFINED,
    PIECE_UNUSED,
    PIECE_BYTE,
};

/* A size for mem_map() that leaves no part of a large block to small pages, which cost more. */
static inline size_t whole_pages(size_t size)
{
    const size_t huge = 2 << 20;

    return size < huge / 2 ? size : (size + huge - 1) / huge * huge;
}

enum { PIECE_MAX = 8000, VOCAB_MAX = 0xFFFFFE };    // a piece's bytes are fewer; pieces at most

struct piece {
    const unsigned char *p;
    float score;
    uint16_t n;
    unsigned char type;
};

struct vocab_sample {    // what the trainer wants to be encoded so: pieces with spaces between
    struct bytes input, expected;
};

struct vocab {
    struct piece *piece;    // by id
    int32_t n_piece;
    int32_t unk, bos, eos, pad;    // ids, -1 where there is none
    int32_t byte[256];             // ids of the BYTE pieces, -1 where there is none
    int32_t sentinel0;             // id of <extra_id_0>, -1 if the model has none
    int32_t n_sentinel;            // <extra_id_1> is the id below it, and so on: how many
    int model_type, byte_fallback;
    struct bytes unk_surface;
    struct normal_spec normal, denormal;
    int has_denormal;
    struct vocab_sample *sample;
    size_t n_sample;

    char *name;    // the file's base name without its suffix
    struct {
        unsigned char *p;    // what all views point into, of mem_map(); 8 bytes more can be read
        size_t n, cap;
    } file;
    uint32_t *slot;    // hash table: see vocab.c
    size_t n_slot;     // a power of 2
    size_t cap_piece;
};

/* NULL on failure: err says why, with the file and the byte or the piece. */
struct vocab *vocab_open(const char *path, struct err *err);

/* The same from memory; path is for messages and the name. */
struct vocab *vocab_parse(struct bytes file, const char *path, struct err *err);

int32_t vocab_find(const struct vocab *v, struct bytes piece);    // its id, -1 if none
struct bytes vocab_piece(const struct vocab *v, int32_t id);

/* Is this piece the name of a sentinel, "<extra_id_7>" with or without a U+2581 before it? Its
 * number, else -1. */
int32_t vocab_sentinel(struct bytes piece);

/* vocab.sha256 of shard headers, 64 hex digits: equal for equal pieces and normaliser. */
void vocab_sha256(const struct vocab *v, char hex[65]);

void vocab_free(struct vocab *v);    // v may be NULL

#endif
