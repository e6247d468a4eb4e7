/* encoder.h - what the parts of the encoder share: encode.c sets it up and puts out what
 * unigram.c, bpe.c and parts.c find.
 */
#ifndef SPM_ENCODER_H
#define SPM_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "spm/code.h"
#include "spm/encode.h"
#include "spm/segment.h"
#include "spm/vocab.h"
#include "spm/walk.h"
#include "text/trie.h"

enum { UNKNOWN1 = VOCAB_MAX + 1 };    // a way's piece: UNKNOWN1 + n - 1 is an unknown of n bytes
enum { NOT_SET = 0x7FFFFFFF };

#define RESET_AT 1e5f

struct encoder {
    const struct vocab *vocab;
    struct normal *normal;
    struct trie trie;    // unigram: the pieces that text is cut into; else user-defined ones
    void *table;         // of mem_map(): used, score and n_byte are in it
    size_t table_size;
    unsigned char *used;    // by id: text may become this piece
    float *score;           // by id, of a unigram model; before the first one is -INFINITY
    int old;                // the older arithmetic
    double *score_old;      // by id, in it, if any is no float; else NULL
    uint16_t *n_byte;       // by id: of text that becomes this piece
    float unknown_score, score_most;    // score_most: the greatest, sign apart
    int in_parts;                       // parts.c's lanes: a unigram model's trie is over codes
    struct cuts cuts;
    struct codes codes;
    struct walk walk;
    int any_unused;    // a piece that is only a step to others (BPE)
    struct encode_option option;
};

struct way {    // the best way to one position
    float score;
    int32_t piece;    // that ends here
};

struct bpe;    // what bpe.c needs for a text

struct lattice;

struct encode_work {
    struct way *way;    // one more than bytes of the text
    int32_t *back;      // pieces from the last to the first
    size_t cap;         // of both
    uint16_t *code;     // room for the text in codes
    struct walk_ways ways;
    size_t cap_code;
    uint32_t at;    // bytes of the text that are put
    struct memo *memo;
    struct bpe *bpe;
    struct lattice *lattice;
    struct rng draw;     // at this text
    int last_unknown;    // the piece put last is the unknown
    int by_rank;         // encoder_best() found ways, not just one
};

static inline double draw_uniform(struct rng *r)    // in [0, 1)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* The character's length by its first byte, as SentencePiece counts (80..BF is 1), n at most. */
static inline uint32_t char_length(unsigned char c, size_t n)
{
    static const unsigned char length[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4 };
    uint32_t len = length[c >> 4];

    return len > n ? (uint32_t)n : len;
}

/* The next bytes of the text are this piece: n of them, if it is the unknown (piece -1). */
void encoding_put(const struct encoder *e, struct encoding *to, int32_t piece, uint32_t n);

/* Each puts the whole of to->text. */
void parts_run(const struct encoder *e, struct encoding *to);
void unigram_run(const struct encoder *e, struct encoding *to);
void bpe_run(const struct encoder *e, struct encoding *to);
void char_run(const struct encoder *e, struct encoding *to);
void word_run(const struct encoder *e, struct encoding *to);

/* Puts n bytes at a place of the text that may be cut out, the next to be put. */
void bpe_part(const struct encoder *e, struct encoding *to, uint32_t at, uint32_t n);

/* The id that the bytes are, -1 if they are none that text may become. */
int32_t encoder_find(const struct encoder *e, struct bytes piece);

/* Room for ways over n bytes. */
void work_need(struct encode_work *w, size_t n);

void bpe_free(struct bpe *b);    // b may be NULL
void lattice_free(struct lattice *l);

/* Puts a way through the lattice drawn in proportion to exp(alpha x score). */
void lattice_draw(const struct encoder *e, struct encoding *to);

/* Finds the n best ways, the best first; returns how many there are. 0: the text is too long. */
size_t lattice_best(const struct encoder *e, struct encoding *to, size_t n);
float lattice_score(const struct lattice *l, size_t i);
void lattice_put(const struct encoder *e, struct encoding *to, size_t i);
size_t lattice_draw_best(const struct encoder *e, struct encoding *to, size_t n);    // one of n

#endif
