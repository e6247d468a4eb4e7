/* chunk.h - a gzip file in the pieces in which Python's gzip module hands it out.
 *
 * Where a file is damaged, how much of the text before the damage is still seen depends on these
 * pieces; for agreement with a reader that was written in Python, and for nothing else.
 */
#ifndef CRAWL_CHUNK_H
#define CRAWL_CHUNK_H

#include "base/mem.h"

struct chunks;
struct err;

/* A name that ends in .gz is gzip, whatever the file holds; others by their first bytes, and what
 * is no gzip is read as it is. "-": standard input. NULL on failure. */
struct chunks *chunks_open(const char *path, struct err *err);

/* The next piece, at most 8 KiB and of one member: 1, 0 at the end, -1 on damage. */
int chunks_next(struct chunks *c, struct bytes *piece, struct err *err);

unsigned long long chunks_stored(const struct chunks *c);    // bytes read of the file
const char *chunks_path(const struct chunks *c);
void chunks_close(struct chunks *c);    // c may be NULL

#endif
