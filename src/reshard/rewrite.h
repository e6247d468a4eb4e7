/* rewrite.h - records of shards into other shards, packed anew: joined, parted, shuffled. */
#ifndef RESHARD_REWRITE_H
#define RESHARD_REWRITE_H

#include <stddef.h>
#include <stdint.h>

#include "shard/record.h"

struct err;
struct shard_header;

/* A header for what is made of the records of shards, which are files: that of the first with the
 * languages of all and all of them as parents. path ends with NULL. *records: of all. NULL on
 * failure, also when the shards do not join. */
struct shard_header *rewrite_header(char *const *path, uint64_t seed, uint64_t *records,
                                    struct err *err);

struct record_writer;    // of either kind, one segment

struct record_writer *record_create(const char *path, const struct shard_header *h,
                                    struct err *err);
/* -1 also for a language that the header does not name. */
int record_write(struct record_writer *w, const struct record *rec, struct err *err);
int record_finish(struct record_writer *w, struct err *err);    // frees w
void record_abandon(struct record_writer *w);                   // w may be NULL

/* All records of all shards into one segment. */
int rewrite_merge(char *const *path, const char *to, struct err *err);

enum split_by { SPLIT_PARTS, SPLIT_RECORDS, SPLIT_LANG };

/* In order into several shards, named by pattern with its % replaced: by the number of the part, as
 * 00000-of-00004, or by the language. n: parts, of sizes that differ by one at most, or records a
 * part. On failure those that were made before stay. */
int rewrite_split(char *const *path, enum split_by by, uint64_t n, const char *pattern,
                  struct err *err);

/* All records in the order of a permutation that seed and their number decide. Memory is about
 * mem; what is over it goes to a nameless file in dir (NULL: $TMPDIR, else /tmp). */
int rewrite_shuffle(char *const *path, const char *to, uint64_t seed, size_t mem, const char *dir,
                    struct err *err);

/* Records, by ids, segments, document and language, that one shard has and the other has not, or
 * not as often, in any order: f is called for each, those of a (side 0) and b (side 1) mixed.
 * Returns 0 when there are none, 1 when there are, -1. Memory as above. */
struct rewrite_odd {
    int side;
    uint64_t record, doc;    // its number in its shard, from 0
};

int rewrite_diff(const char *a, const char *b, size_t mem, const char *dir,
                 int (*f)(void *ctx, const struct rewrite_odd *odd, struct err *err), void *ctx,
                 struct err *err);

/* Call f for every record of the shards until it returns other than 0; -1 on damage. */
int rewrite_each(char *const *path, int (*f)(void *ctx, const struct record *rec, struct err *err),
                 void *ctx, struct err *err);

#endif
