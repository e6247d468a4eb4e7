/* model.h - a SentencePiece model file, as any program that reads them loads it. */
#ifndef VOCAB_MODEL_H
#define VOCAB_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "vocab/pieces.h"
#include "vocab/rule.h"

struct err;

enum { MODEL_UNIGRAM = 1, MODEL_BPE = 2 };

struct model_plan {
    int type;
    int64_t size;                  // pieces in all
    int64_t pad, eos, unk, bos;    // ids, -1: none (unk has one)
    int byte_fallback;             // 256 pieces more, for bytes of characters that are unknown
    const char *const *user;       // user-defined pieces, NULL ends them
    int64_t extra_ids;             // <extra_id_N> as the last ids, <extra_id_0> the very last
    double coverage;
    struct piece_rule rule;
    const char *normalizer;    // its name
    struct bytes charsmap;
    const char *const *input;    // file names, for the record; NULL ends them
};

/* Pieces that the model has besides candidates. */
int64_t model_meta(const struct model_plan *plan);

/* Write it: meta pieces at their ids, the others in their order from the lowest free id on. 0 or
 * -1 (two pieces at one id, an id past the end, a full disk). */
int model_write(const char *path, const struct model_plan *plan, const struct candidates *c,
                struct err *err);

#endif
