/* ids.h - token shards: one record a document, its ids, where it came from, its language.
 *
 * Header keys: vocab.size, vocab.sha256, vocab.name, eos, bits, lang (when all are one) or
 * langs (a comma-separated table that the language column points into).
 */
#ifndef SHARD_IDS_H
#define SHARD_IDS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct shard_block;
struct shard_header;
struct shard_reader;

struct ids_record {
    const int32_t *id;    // view, valid until the next call
    size_t n;
    uint64_t doc;    // number of the document in the stream that was encoded
    int lang;        // writing: index into langs of the header, 0 when lang= names the one;
                     // reading: for ids_lang(); the same index where there is one segment
};

enum { IDS_RECORD_MAX = 1 << 22, IDS_VOCAB_MAX = 1 << 24, IDS_LANG_MAX = 256 };
enum { IDS_LANGS_MAX = 4096 };    // of all segments

struct ids_writer;

/* h must have vocab.size; bits= is set from it. The writer cuts blocks at about 1 MiB, small ones
 * first. */
struct ids_writer *ids_create(const char *path, const struct shard_header *h, struct err *err);
/* -1 also for an id not below vocab.size and for more than IDS_RECORD_MAX ids. */
int ids_write(struct ids_writer *w, const struct ids_record *rec, struct err *err);
int ids_finish(struct ids_writer *w, struct err *err);    // frees w
void ids_abandon(struct ids_writer *w);

struct ids_reader;

struct ids_reader *ids_open(const char *path, struct err *err);
const struct shard_header *ids_header(const struct ids_reader *r);
/* The language tag; "und" when unknown. Segments may bring languages of their own: those of
 * the first keep their numbers, others are added behind. */
const char *ids_lang(const struct ids_reader *r, int lang);
/* Read from in, wherever it stands before its first block; r owns it, on failure it is closed. */
struct ids_reader *ids_adopt(struct shard_reader *in, struct err *err);
const struct shard_reader *ids_shard(const struct ids_reader *r);    // what r reads from

/* As shard_step(), with the payload of a block checked and its ids counted. Its records are
 * ids_next()'s next ones. */
int ids_step(struct ids_reader *r, struct shard_block *b, uint64_t *n_token, struct err *err);

/* 1, 0 at the end, -1 on damage (an id that is not below vocab.size is damage). */
int ids_next(struct ids_reader *r, struct ids_record *rec, struct err *err);
/* After damage, on to the next whole block: as shard_resync(). */
int ids_resync(struct ids_reader *r, uint64_t *skipped, struct err *err);
void ids_close(struct ids_reader *r);

#endif
