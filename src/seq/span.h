/* span.h - T5 span corruption: which ids of a piece become noise, and the input and the
 * target that come of it.
 *
 * A piece of n ids has exactly N = round(density * n) noise ids in S = round(N / mean) spans.
 * It begins kept and ends in noise: kept, noise, kept, noise, ... Every way to write N as a
 * sum of S lengths, and n - N likewise, is equally likely. The arithmetic is that of the
 * original: float32 and halves to even for the mask, double for the length of a piece.
 */
#ifndef SEQ_SPAN_H
#define SEQ_SPAN_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct rng;

enum { SPAN_MAX = 1000, SPAN_PIECE_MAX = 65536 };    // spans of a piece, ids of a piece

struct span_rule {
    double density, mean;    // share of noise; mean length of a span
    int32_t sentinel0;       // the first span's id; the i-th has sentinel0 - i
    int n_sentinel;
    int32_t eos;    // ends input and target
};

struct span_size {
    uint32_t n_noise, n_span;
    uint32_t n_input, n_target;    // with eos
};

/* What a piece of n > 0 ids gives. Spans never outnumber the kept ids. */
struct span_size span_size(const struct span_rule *rule, uint32_t n);

/* T5's own helper: the largest n whose input fits into inputs, and the length of its target.
 * In double: where that rounds a half unlike float32, the target may be off by one. */
uint32_t span_helper(const struct span_rule *rule, uint32_t inputs, uint32_t *targets);

/* The length to cut pieces to, so that input and target fit whole: T5's helper, less the few
 * ids by which float32 may need more room. *targets, when 0, becomes the room a target needs;
 * else a piece fits into that too. 0 and err when there is none, or too few sentinels. */
uint32_t span_piece(const struct span_rule *rule, uint32_t inputs, uint32_t *targets,
                    struct err *err);

struct span_mask {    // runs: kept[0] ids, then noise[0] ids, then kept[1], ...
    uint32_t n_run;
    uint32_t kept[SPAN_MAX], noise[SPAN_MAX];    // 0 only by hand, and noise[0] for n = 1
};

/* Bit i of marks set: a new segment begins after item i. Fills length[], returns how many. */
uint32_t span_segments(const uint64_t *marks, uint32_t n_item, uint32_t *length);

/* Draw the mask of n ids, 0 < n <= SPAN_PIECE_MAX. */
void span_draw(const struct span_rule *rule, uint32_t n, struct rng *rng, struct span_mask *mask);

/* Cut ids by mask. Each run of noise is one sentinel of input, each kept run one of target;
 * both end with eos. Room: span_size(). Counts in *n_input and *n_target. */
void span_apply(const struct span_rule *rule, const int32_t *id, const struct span_mask *mask,
                int32_t *input, size_t *n_input, int32_t *target, size_t *n_target);

#endif
