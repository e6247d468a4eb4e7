/* batch.h - the rows of a step, as the net sees them: ids, segments and a tag a row. This is
 * the only header of the text wing that the net wing reads. */
#ifndef SEQ_BATCH_H
#define SEQ_BATCH_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct example_row;

struct batch {
    int n_row, n_input, n_target;         // B, S, T
    int32_t *input, *input_segment;       // [B, S]; segment 0 is padding, then 1, 2, ...
    int32_t *target;                      // [B, T]; 0 carries no loss
    int32_t *decoder, *target_segment;    // [B, T]; target shifted right in each segment, 0 first
    int *tag;            // [B] what the caller gave: the net hands it back with losses
    uint64_t *number;    // [B] the row's place in the order of all rows: keys randomness
};

void batch_init(struct batch *b, int n_row, int n_input, int n_target);
void batch_clear(struct batch *b);    // all padding
/* Put row into place i. -1 when it does not fit. */
int batch_set(struct batch *b, int i, const struct example_row *row, int tag, uint64_t number,
              struct err *err);
uint64_t batch_targets(const struct batch *b);    // how many targets carry loss
void batch_release(struct batch *b);

/* Where rows come from: a mixture plan, or one example shard file (all its rows, one tag a
 * language). Row number n is the same on every rank, run and resume. */
struct mix;

struct mix *mix_open(const char *path, struct err *err);    // a plan (TSV) or an example shard

struct mix_part {               // of a mixture of tasks: a shard, of any languages
    const char *name, *path;    // its rows' tag is the name; no name twice
    double weight;              // how often it comes, in proportion; 0: by its rows
};

/* An endless mixture of n shards: those without a weight in proportion to min(rows, cap) ^ alpha,
 * cap 0 being none; each shard's rows once an epoch, in an order drawn anew. */
struct mix *mix_open_parts(const struct mix_part *part, int n, double alpha, uint64_t cap,
                           uint64_t seed, struct err *err);
int mix_n_tag(const struct mix *m);
const char *mix_tag_name(const struct mix *m, int tag);    // the language tag
int mix_inputs(const struct mix *m);    // S and T that the shards were packed for
int mix_targets(const struct mix *m);
int64_t mix_vocab(const struct mix *m);    // vocab.size
const char *mix_vocab_sha256(const struct mix *m);
const char *mix_fingerprint(const struct mix *m);    // hex: changes with plan and shards
uint64_t mix_rows(const struct mix *m);    // of one pass over a single shard; 0 for an endless plan
/* Fill place i of b with row number n (modulo nothing: a plan has no last row). */
int mix_fill(struct mix *m, uint64_t n, struct batch *b, int i, struct err *err);
void mix_close(struct mix *m);

#endif
