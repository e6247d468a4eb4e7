/* encode.h - text to ids by a model of any type, the very ids that SentencePiece gives.
 *
 * A unigram model's ties and near-ties are decided by float32 rounding, which changed between
 * versions; both arithmetics are here. Drawn instead of best, ids are a function of seed and
 * text: neither place nor threads nor sharding matters.
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

enum { N_BEST_MAX = 512 };

struct encode_option {
    int old;                // as versions 0.1.97 to 0.2.1, not as 0.2.2
    int plain_sentinels;    // <extra_id_N> in the text is text
    int plain;              // no lane but the plain one, which defines the ids: for tests
    int many;               // encoder_best() will be called
    int draw;               // a way by chance: unigram and BPE models
    double alpha;    // unigram: probability ~ exp(alpha x score); BPE: share of merges passed over
    int n_best;      // draw among so many best ways; 0: among all (the only choice with BPE)
};

/* v must outlive the encoder, which does not change and may be shared by threads. NULL: a model
 * that cannot do what o wants, a damaged normaliser, or the model's own samples come out wrong. */
struct encoder *encoder_new(const struct vocab *v, const struct encode_option *o, struct err *err);
void encoder_free(struct encoder *e);    // e may be NULL

struct encoding {    // { 0 } is valid; used again and again, by one encoder, it keeps its memory
    const int32_t *id;      // n ids, valid until the next run
    const uint32_t *end;    // where in text each piece ends; the next begins there
    size_t n;
    size_t n_sentinel;    // names of sentinels that stood in the text, if plain_sentinels
    size_t n_invalid;     // bytes that began no character: U+FFFD in the text
    size_t n_cut;         // drawn: places that had to divide the text though pieces span them
    struct buf text;      // normalised
    int want_map;         // set by the caller: fill map, from places in text to the input
    uint64_t seed;        // set by the caller: of what is drawn
    struct normal_map map;
    struct encode_work *work;
    int32_t *id_store;
    uint32_t *end_store;
    size_t cap;
};

/* Encode one text. 0, or -1 if it is too long. */
int encoder_run(const struct encoder *e, struct encoding *to, struct bytes text, struct err *err);

/* If option.many: the n best ways (up to N_BEST_MAX) to encode a text with a unigram model:
 * *n_found of them, which encoding_best() brings into the encoding, 0 being the best one. Of a text
 * of more than LATTICE_MAX bytes there is just the best. */
enum { LATTICE_MAX = 1 << 16 };
int encoder_best(const struct encoder *e, struct encoding *to, struct bytes text, size_t n,
                 size_t *n_found, struct err *err);
float encoding_best(const struct encoder *e, struct encoding *to, size_t i);    // its score

void encoding_release(struct encoding *e);

/* Append piece i of e as SentencePiece prints it: for an unknown, the text itself. */
void encoding_piece(const struct encoding *e, const struct vocab *v, size_t i, struct buf *b);

#endif
