/* spool.h - pages between the passes: a nameless temporary file of blocks, written once, read once.
 *
 * A page has a head of fixed size and a body of texts. Packing a block and unpacking it is work any
 * thread may do for a block of its own; the file is one thread's at a time.
 */
#ifndef CLEAN_SPOOL_H
#define CLEAN_SPOOL_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct spool;

enum spool_string {
    SPOOL_TEXT,    // as cleaned
    SPOOL_RAW,     // as read
    SPOOL_URL,
    SPOOL_DATE,
    SPOOL_EXTRA,     // members of a document that are passed through
    SPOOL_COUNTS,    // a struct line_counts, or nothing
    SPOOL_NOTES,     // rows for --explain
    SPOOL_STRINGS,
};

struct spool_head {
    unsigned char url_key[16];    // of the normal form
    uint64_t bytes;               // of the page as read
    uint64_t len[SPOOL_STRINGS];
    int32_t fault;    // enum page_fault
    int32_t rule;     // the row that dropped the page, -1 when none
    int32_t lang;     // what the page says: a row of langs, or -1
};

struct spool_page {    // views into the block
    struct spool_head head;
    struct bytes s[SPOOL_STRINGS];    // len of the head says their lengths when writing, too
};

struct spool_block {    // { 0 } is empty
    uint64_t n_page;
    struct buf heads, body, packed;
    uint64_t body_size;    // of a packed body
    size_t head_at, body_at;
};

void spool_block_add(struct spool_block *b, struct spool_page *p);    // fills head.len from s
void spool_block_pack(struct spool_block *b);
int spool_block_unpack(struct spool_block *b, struct err *err);       // 0, or -1: damaged
int spool_block_next(struct spool_block *b, struct spool_page *p);    // 1, 0 at the end
void spool_block_reset(struct spool_block *b);    // keeps memory, unless it is a lot
void spool_block_release(struct spool_block *b);

/* In dir (NULL: $TMPDIR, else /tmp). NULL on failure: err says why. */
struct spool *spool_open(const char *dir, struct err *err);

int spool_put(struct spool *s, const struct spool_block *b, struct err *err);    // packed. 0 or -1
void spool_rewind(struct spool *s);
int spool_get(struct spool *s, struct spool_block *b,
              struct err *err);    // packed. 1, 0 at the end, -1

uint64_t spool_stored(const struct spool *s);    // bytes in the file
void spool_close(struct spool *s);               // s may be NULL

#endif
