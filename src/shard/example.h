/* example.h - example shards: one record a row, that is one or several examples (segments)
 * packed into the lengths of inputs= and targets= in the header, all of one language.
 *
 * Header keys, besides those of ids.h: inputs, targets, density, span, sentinel0, objective.
 */
#ifndef SHARD_EXAMPLE_H
#define SHARD_EXAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct shard_block;
struct shard_header;
struct shard_reader;

struct example_row {                  // views, valid until the next call
    const int32_t *input, *target;    // all segments' ids one after another, no padding
    size_t n_input, n_target;
    const uint32_t *segment_input;    // how many of the inputs each segment has
    const uint32_t *segment_target;
    size_t n_segment;
    uint64_t doc;    // document of the first token of the first segment
    int lang;        // as in ids.h
};

struct example_writer;

/* h must have vocab.size, inputs and targets: no row may be longer. */
struct example_writer *example_create(const char *path, const struct shard_header *h,
                                      struct err *err);
/* Rows written from now on go to another segment with this header, and to its languages. Its
 * vocab.size, inputs and targets must be those of the first. */
int example_begin(struct example_writer *w, const struct shard_header *h, struct err *err);
int example_write(struct example_writer *w, const struct example_row *row, struct err *err);
int example_finish(struct example_writer *w, struct err *err);    // frees w
void example_abandon(struct example_writer *w);

struct example_reader;    // forward

struct example_reader *example_open(const char *path, struct err *err);
const struct shard_header *example_header(const struct example_reader *r);
const char *example_lang(const struct example_reader *r, int lang);
struct example_reader *example_adopt(struct shard_reader *in, struct err *err);    // as in ids.h
const struct shard_reader *example_shard(const struct example_reader *r);
int example_step(struct example_reader *r, struct shard_block *b, uint64_t *n_token,
                 struct err *err);
/* 1, 0 at the end, -1 on damage. */
int example_next(struct example_reader *r, struct example_row *row, struct err *err);
/* After damage, on to the next whole block: as shard_resync(). */
int example_resync(struct example_reader *r, uint64_t *skipped, struct err *err);
void example_close(struct example_reader *r);

struct example_file;    // any row by its number, with a cache of decoded blocks

struct example_file *example_file_open(const char *path, struct err *err);
const struct shard_header *example_file_header(const struct example_file *f);
uint64_t example_file_rows(const struct example_file *f);
uint64_t example_file_tokens(const struct example_file *f);    // inputs and targets
/* How many bytes of decoded blocks to keep (64 MiB unless told; one block always). */
void example_file_keep(struct example_file *f, size_t bytes);
/* 0, or -1: damage, or there is no row n. */
int example_file_at(struct example_file *f, uint64_t n, struct example_row *row, struct err *err);
int example_file_n_lang(const struct example_file *f);    // of all segments
const char *example_file_lang(const struct example_file *f, int lang);
void example_file_close(struct example_file *f);

#endif
