/* trace.h - from a record of a shard back to the documents that it was made of. */
#ifndef RESHARD_TRACE_H
#define RESHARD_TRACE_H

#include <stdint.h>

#include "io/grid.h"

struct err;

extern const char trace_title[];

/* A row for each document that may be in record n of a shard: from the one that it begins in to the
 * one that the next record of its language begins in. docs, ending with NULL, are the files that
 * were encoded, in that order; NULL itself: numbers alone. Above them, as comments, the tools that
 * made the shard. 0 or -1. */
int trace_record(struct grid *t, const char *shard, uint64_t n, char *const *docs, struct err *err);

#endif
