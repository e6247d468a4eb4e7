/* stash.h - blocks of bytes between the passes of a tool: a nameless temporary file, written once,
 * read as often as one likes.
 *
 * A block has a head, stored as it is, and a body, stored by zstd: a pass that needs no bodies
 * inflates none. What they hold is the tool's affair.
 */
#ifndef SPILL_STASH_H
#define SPILL_STASH_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct stash;

struct stash_block {
    struct buf head, body;    // to be filled; or as read
    struct buf packed;        // the body as stored
    void *pack;               // zstd's
};

void stash_block_release(struct stash_block *b);    // { 0 } is empty and valid

/* In dir (NULL: $TMPDIR, else /tmp). NULL on failure: err says why. */
struct stash *stash_open(const char *dir, struct err *err);

/* Compress a filled block's body. Any number of threads, a block each. 0 or -1. */
int stash_pack(struct stash_block *b, struct err *err);

/* Append a packed block: 0, or -1 (a full disk). */
int stash_put(struct stash *s, const struct stash_block *b, struct err *err);

/* Read from the first block on; bodies too when with_body is set. */
void stash_rewind(struct stash *s, int with_body);

/* The next block into b: 1, 0 at the end, -1 on a failed read. */
int stash_next(struct stash *s, struct stash_block *b, struct err *err);

uint64_t stash_stored(const struct stash *s);    // bytes in the file
void stash_close(struct stash *s);               // s may be NULL

#endif
