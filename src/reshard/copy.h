/* copy.h - blocks of shards to another shard as they are, checked to the last record. */
#ifndef RESHARD_COPY_H
#define RESHARD_COPY_H

#include <stdint.h>

#include "base/progress.h"
#include "reshard/lenient.h"

struct err;
struct shard_writer;

struct copy {
    const char *to;    // NULL: nowhere
    struct shard_writer *w;
    struct progress *progress;
    struct lenient in;    // the shard last copied
    uint64_t segments, blocks, records, tokens;
    int failed;    // writing did: err says why
};

/* All blocks of a shard to c->to. 0; -1 when the shard is damaged, which was told of, or when
 * writing failed. c->in is left open. */
int copy_shard(struct copy *c, const char *path, int skip, void (*tell)(const char *, ...),
               struct err *err);

#endif
