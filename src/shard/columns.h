/* columns.h - what is inside the blocks of token and example shards: a table of columns, then
 * the columns. For ids.c and example.c; the format is switchyard-shard(5).
 *
 * Functions that return a string return NULL, or what is wrong in a word.
 */
#ifndef SHARD_COLUMNS_H
#define SHARD_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct shard_header;

enum column_type {
    COLUMN_LENGTH = 1,    // ids of each record
    COLUMN_ID,
    COLUMN_DOC,
    COLUMN_LANG,
    COLUMN_SEGMENTS,         // segments of each row
    COLUMN_INPUT_LENGTH,     // of each segment
    COLUMN_TARGET_LENGTH,    // of each segment
    COLUMN_INPUT,
    COLUMN_TARGET,
    COLUMN_LOGIT,    // of logits: see logits.h
    COLUMN_REST,
};
enum { COLUMN_MAX = 16 };

struct column {
    int type, width;    // bytes of a value; 0: varint
    struct bytes data;
};

struct columns {
    struct column col[COLUMN_MAX];
    size_t n;
};

const char *columns_parse(struct columns *c, struct bytes payload);
const struct column *columns_find(const struct columns *c, int type);    // or NULL
void columns_format(struct buf *b, const struct columns *c);
void columns_add(struct columns *c, int type, int width, const struct buf *data);
size_t columns_size(size_t n, size_t bytes);    // at most, of n columns with bytes in all

/* Exactly n lengths and their sum. to has room for n. c may be NULL: a column is missing. */
const char *column_lengths(const struct column *c, uint32_t n, uint32_t *to, uint64_t *sum);
size_t varint_size(uint32_t x);
void varint_put(struct buf *b, uint32_t x);

int column_id_width(int64_t vocab);    // 2 or 3
void column_put_ids(struct buf *b, const int32_t *id, size_t n, int width);
const char *column_check_ids(const struct column *c, uint64_t n, int64_t vocab);
void column_ids(const struct column *c, size_t from, size_t n, int32_t *to);

/* The documents and languages of n records. Languages may be NULL where langs has one. */
struct langs;
const char *column_check_records(const struct columns *c, uint32_t n, const struct langs *l);
uint64_t column_doc(const struct columns *c, uint32_t i);
int column_lang(const struct columns *c, uint32_t i, const struct langs *l);

/* The languages of all segments so far, and those of the current segment among them. */
struct langs {
    char **name;
    int n, map[256], n_map;
    int has_column;    // the current segment's header has langs=
};

/* Documents and languages of a block's records, to be written. Begins as { 0 }. */
struct origins {
    struct buf doc, lang;
    uint32_t n;
    uint64_t last;      // document
    int is_unsorted;    // one was less than the one before it
};

void origins_add(struct origins *o, uint64_t doc, int lang);
/* Their columns to c, that of languages where l has one; the flags for shard_write(). */
int origins_columns(const struct origins *o, struct columns *c, const struct langs *l);
void origins_reset(struct origins *o);    // none, as for the next block
void origins_release(struct origins *o);

int langs_join(struct langs *l, const struct shard_header *h, struct err *err);
const char *langs_name(const struct langs *l, int lang);
void langs_release(struct langs *l);

/* vocab.size of a header, in [1, 2^24]; -1 and err without one. */
int64_t header_vocab(const struct shard_header *h, struct err *err);

#endif
