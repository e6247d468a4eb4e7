/* logits.h - shards of what a teacher says of targets: one record a row of examples, with for
 * each target that carries a loss the k likeliest words, their logits, and how much the others
 * have together. The format is switchyard-shard(5).
 */
#ifndef SHARD_LOGITS_H
#define SHARD_LOGITS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct shard_block;
struct shard_reader;

struct logits_facts {
    int64_t vocab, targets, k;    // k of vocab words; no row has more targets
    double tau;                   // the temperature: see rest
    int64_t group_rows;           // rows of a routing group of the teacher's
    int64_t first;                // the first record's row
    const char *teacher;          // fingerprints: of its weights,
    const char *mixture;          // of the rows' order
    const char *vocab_sha256;     // and of the vocabulary, may be ""
};

struct logits_row {
    uint32_t n;            // targets
    const int32_t *id;     // [n, k] rising
    const float *logit;    // [n, k]
    const float *rest;     // [n] log of the sum of exp(logit / tau) of all others, or -inf
};

/* The most k for rows of so many targets: a row fits into a block. */
int64_t logits_most(int64_t vocab, int64_t targets);

struct logits_writer;

struct logits_writer *logits_create(const char *path, const struct logits_facts *facts,
                                    const char *options, struct err *err);
int logits_write(struct logits_writer *w, const struct logits_row *row, struct err *err);
int logits_finish(struct logits_writer *w, struct err *err);    // frees w
void logits_abandon(struct logits_writer *w);                   // w may be NULL

struct logits_reader;    // forward: as in ids.h and example.h

struct logits_reader *logits_adopt(struct shard_reader *in, struct err *err);
const struct shard_reader *logits_shard(const struct logits_reader *r);
const struct logits_facts *logits_reader_facts(const struct logits_reader *r);    // of the segment
int logits_step(struct logits_reader *r, struct shard_block *b, uint64_t *n_token, struct err *err);
int logits_next(struct logits_reader *r, struct logits_row *row, struct err *err);
int logits_resync(struct logits_reader *r, uint64_t *skipped, struct err *err);
void logits_close(struct logits_reader *r);    // r may be NULL

/* Any row by its number; the last block is kept. Segments must tell of the same teacher and
 * mixture, and each begin with the row after the last of the one before. */
struct logits_file;

struct logits_file *logits_file_open(const char *path, struct err *err);
const struct logits_facts *logits_file_facts(const struct logits_file *f);
uint64_t logits_file_rows(const struct logits_file *f);
/* Views, valid until the next call. -1: damage, or there is no row n. */
int logits_file_at(struct logits_file *f, uint64_t n, struct logits_row *row, struct err *err);
void logits_file_close(struct logits_file *f);    // f may be NULL

#endif
