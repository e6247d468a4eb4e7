/* record.h - records of a shard of any kind, for those who treat all alike. */
#ifndef SHARD_RECORD_H
#define SHARD_RECORD_H

#include <stdint.h>

#include "shard/example.h"

struct buf;
struct err;
struct shard_block;
struct shard_reader;

struct record {
    struct example_row row;    // of a token shard: one segment, no targets; of logits: a segment a
                               // target, its words as inputs
    uint64_t n_token;
    const char *lang;
    uint32_t n_id, n_none;    // row's segment table, for a token shard
    int has_target;
};

struct record_reader;

/* As in ids.h and example.h. */
struct record_reader *record_open(const char *path, struct err *err);
const struct shard_reader *record_shard(const struct record_reader *r);
int record_step(struct record_reader *r, struct shard_block *b, uint64_t *n_token, struct err *err);
int record_next(struct record_reader *r, struct record *rec, struct err *err);
int record_resync(struct record_reader *r, uint64_t *skipped, struct err *err);
void record_close(struct record_reader *r);    // r may be NULL

/* Append ids with spaces between, " | " between segments, a tab before targets; no LF. */
void record_format(const struct record *rec, struct buf *b);

/* Checksums that do not depend on how records are spread over shards: sums of a hash of each
 * record, modulo 2^64. Of ids alone; with document number and language; times the record's
 * place, from 1. record_sum_join() gives what the records of a, then b have. */
struct record_sum {
    uint64_t records, tokens, ids, docs, order;
};

uint64_t record_hash(const struct record *rec);    // of ids, segments, document and language
void record_sum_add(struct record_sum *s, const struct record *rec);
void record_sum_join(struct record_sum *a, const struct record_sum *b);

#endif
