/* shard.h - the container of token and example shards: segments of checked, compressed
 * blocks, forward-only in a pipe, seekable as a file. The format is switchyard-shard(5).
 *
 * This level knows blocks and their checksums, not what is in them: ids.h and example.h do.
 */
#ifndef SHARD_SHARD_H
#define SHARD_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;

enum { SHARD_PAYLOAD_MAX = 16 << 20, SHARD_BLOCK = 1 << 20 };
enum { SHARD_HEADER_MAX = 1 << 20 };    // bytes of all lines
enum shard_codec { SHARD_NONE, SHARD_ZSTD, SHARD_DEFLATE };
enum { SHARD_SORTED = 1 };    // flag of a block: its records are in the order of the input

struct shard_header;    // key=value lines, in order; unknown keys are kept

struct shard_header *shard_header_new(const char *kind);    // with kind= and version=1
struct shard_header *shard_header_copy(const struct shard_header *h);
void shard_header_set(struct shard_header *h, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));                                            // replaces
void shard_header_unset(struct shard_header *h, const char *key);                     // all of it
void shard_header_add(struct shard_header *h, const char *key, const char *value);    // repeats
const char *shard_header_get(const struct shard_header *h, const char *key);          // or NULL
int64_t shard_header_int(const struct shard_header *h, const char *key, int64_t otherwise);
size_t shard_header_n(const struct shard_header *h);
void shard_header_at(const struct shard_header *h, size_t i, const char **key, const char **value);
/* tool=, options= and seed= of this run; a tool= that was there becomes a parent= line, as
 * by shard_header_parent(h, h) before. */
void shard_header_stamp(struct shard_header *h, const char *options, uint64_t seed);
void shard_header_sign(struct shard_header *h, const char *options, uint64_t seed);    // no parent
/* h gets from's parents, if it is another's, and one more: from's tool, options, seed and the
 * SHA-256 of its lines. */
void shard_header_parent(struct shard_header *h, const struct shard_header *from);
/* May segments with these headers follow one another? 0, or -1 and the key that differs. */
int shard_header_joins(const struct shard_header *a, const struct shard_header *b, struct err *err);
void shard_header_free(struct shard_header *h);

struct shard_block {
    struct bytes payload;    // plain; valid until the next call
    struct bytes packed;     // as stored
    uint32_t n_record;
    uint64_t first_record;    // number within the segment
    uint64_t segment;         // number of the segment, from 0
    uint64_t file_offset;     // of the frame
    uint32_t crc;             // as in the frame
    int codec, flags;
};

struct shard_segment {
    uint64_t number, offset;    // from 0; bytes from the start of the file
    uint64_t blocks, records, tokens, bytes;
    unsigned char fingerprint[32];    // known once the segment has ended
};

/* Reading forward, from a file or a pipe. Segments that follow one another must agree in
 * kind and vocab.sha256 (else an error). NULL on failure: err says why. */
struct shard_reader;

struct shard_reader *shard_open(const char *path, struct err *err);

/* The header of the segment that the last block came from (the first, before any). */
const struct shard_header *shard_reader_header(const struct shard_reader *r);

/* The next data block: 1; 0 at the end of the last segment, its counts checked; -1 on
 * damage: file, byte offset and trouble in err. */
int shard_next(struct shard_reader *r, struct shard_block *b, struct err *err);

/* The same step by step, for those who care for segments: tokens are known for the segment
 * that has ended. SHARD_END once, at the end of the last segment. */
enum { SHARD_END, SHARD_DATA, SHARD_BEGUN, SHARD_ENDED };
int shard_step(struct shard_reader *r, struct shard_block *b, struct err *err);
const struct shard_segment *shard_reader_segment(const struct shard_reader *r);

/* The last block held n tokens. Once all blocks of a segment were so counted, its index and
 * end are checked against the sum. */
void shard_count(struct shard_reader *r, uint64_t n);

/* After damage, found here or in the last payload: on to the next frame that checks and can
 * be used, *skipped grows by the bytes passed over. 1, 0 at the end, -1 when reading fails.
 * What a segment lost is not held against its counts. */
int shard_resync(struct shard_reader *r, uint64_t *skipped, struct err *err);

/* Fill err for damage that the caller found in the last block's payload; returns -1. */
int shard_damage(const struct shard_reader *r, struct err *err, const char *trouble);

const char *shard_reader_path(const struct shard_reader *r);
uint64_t shard_reader_offset(const struct shard_reader *r);    // in the file or pipe
void shard_close(struct shard_reader *r);                      // r may be NULL

/* Any block of a file, by index; several segments and several threads' calls do not mix. */
struct shard_file;

struct shard_file *shard_file_open(const char *path, struct err *err);    // uses or makes the index
const struct shard_header *shard_file_header(const struct shard_file *f);    // of the first segment
const struct shard_header *shard_file_segment_header(const struct shard_file *f, uint64_t segment);
const char *shard_file_path(const struct shard_file *f);
uint64_t shard_file_records(const struct shard_file *f);
uint64_t shard_file_tokens(const struct shard_file *f);
uint64_t shard_file_blocks(const struct shard_file *f);
uint64_t shard_file_segments(const struct shard_file *f);
void shard_file_segment(const struct shard_file *f, uint64_t i, struct shard_segment *s);
/* Which block holds record n of the whole file; *first is that block's first record. */
uint64_t shard_file_find(const struct shard_file *f, uint64_t n, uint64_t *first);
int shard_file_block(struct shard_file *f, uint64_t i, struct shard_block *b, struct err *err);
void shard_file_close(struct shard_file *f);

/* Writing: to path, whole or not at all ("-": standard output, refused if a terminal). */
struct shard_writer;

struct shard_writer *shard_create(const char *path, const struct shard_header *h, struct err *err);
/* A block of n_record > 0 records; at most SHARD_PAYLOAD_MAX bytes. */
int shard_write(struct shard_writer *w, struct bytes payload, int flags, uint32_t n_record,
                uint64_t n_token, struct err *err);
/* A block that was read, without packing it again. */
int shard_write_packed(struct shard_writer *w, const struct shard_block *b, uint64_t n_token,
                       struct err *err);
int shard_begin(struct shard_writer *w, const struct shard_header *h,
                struct err *err);                             // another
int shard_finish(struct shard_writer *w, struct err *err);    // index, end, rename; frees w
void shard_abandon(struct shard_writer *w);                   // w may be NULL
/* The one or the other, as the last block was written (bad is 0) or not: 0, or -1 with err. */
int shard_end(struct shard_writer *w, int bad, struct err *err);

#endif
