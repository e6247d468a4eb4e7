/* encode.h - text to ids by a unigram model, the very ids that SentencePiece gives.
 *
 * Ties and near-ties are decided by float32 rounding, which changed between versions; both
 * arithmetics are here.
 */
#ifndef SPM_ENCODE_H
#define SPM_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "text/normal.h"

struct encoder;
struct err;
struct vocab;

struct encode_option {
    int old;                // as versions 0.1.97 to 0.2.1, not as 0.2.2
    int plain_sentinels;    // <extra_id_N> in the text is text
};

/* v must outlive the encoder, which does not change and may be shared by threads. NULL: not a
 * unigram model, a damaged normaliser, or the model's own samples come out wrong. */
struct encoder *encoder_new(const struct vocab *v, const struct encode_option *o, struct err *err);
void encoder_free(struct encoder *e);    // e may be NULL

struct encoding {           // { 0 } is valid; used again and again, it keeps its memory
    const int32_t *id;      // n ids, valid until the next run
    const uint32_t *end;    // where in text each piece ends; the next begins there
    size_t n;
    size_t n_sentinel;    // names of sentinels that stood in the text, if plain_sentinels
    struct buf text;      // normalised
    int want_map;         // set by the caller: fill map, from places in text to the input
    struct normal_map map;
    struct encode_state *state;
    int32_t *id_store;
    uint32_t *end_store;
    size_t cap;
};

/* Encode one text. 0, or -1 if it is too long. */
int encoder_run(const struct encoder *e, struct encoding *to, struct bytes text, struct err *err);
void encoding_release(struct encoding *e);

/* Append piece i of e as SentencePiece prints it: for an unknown, the text itself. */
void encoding_piece(const struct encoding *e, const struct vocab *v, size_t i, struct buf *b);

#endif
