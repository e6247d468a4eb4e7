/* foreign.h - shards to other programs' files and back: Megatron's .bin and .idx, llm.c's .bin,
 * TFRecord of tf.Example (T5's cached tasks).
 */
#ifndef RESHARD_FOREIGN_H
#define RESHARD_FOREIGN_H

#include <stdint.h>

struct err;

struct import_plan {
    int64_t vocab;              // ids are below it
    const char *lang;           // of all records
    int64_t inputs, targets;    // lengths of rows of examples; 0: token shards
    int64_t eos;                // id that ends a document where there are no other borders
};

/* The records of token shards (files) as PREFIX.bin and PREFIX.idx: a sequence a document, 2 bytes
 * an id below 65,500 pieces, as Megatron chooses, else 4. Each is read twice. 0 or -1. */
int export_megatron(char *const *path, const char *prefix, struct err *err);
/* PREFIX.bin and PREFIX.idx as a token shard: a record a document (all its sequences). */
int import_megatron(const char *prefix, const char *to, const struct import_plan *plan,
                    struct err *err);

/* Ids one after the other, each document with eos after it: 2 bytes (magic 20240520) where the
 * vocabulary has 65,536 at most, else 4 (magic 20240801). At most 2^31 - 1 ids. */
int export_llmc(char *const *path, const char *to, struct err *err);
int import_llmc(const char *from, const char *to, const struct import_plan *plan, struct err *err);

/* An Example for each document ("targets") or segment of a row ("inputs", "targets"). */
int export_tfrecord(char *const *path, const char *to, struct err *err);
/* A record or row for each Example. */
int import_tfrecord(const char *from, const char *to, const struct import_plan *plan,
                    struct err *err);

#endif
