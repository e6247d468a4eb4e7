/* lenient.h - a shard read on past what is damaged in it, if so wished. */
#ifndef RESHARD_LENIENT_H
#define RESHARD_LENIENT_H

#include <stdint.h>

#include "shard/record.h"

struct lenient {
    struct record_reader *r;
    const struct shard_reader *shard;
    int skip;                              // go on behind damage
    void (*tell)(const char *fmt, ...);    // of each damage: warn()
    uint64_t n_damage, skipped;            // damage met, bytes passed over
};

/* 0, or -1: told of. */
int lenient_open(struct lenient *in, const char *path, int skip, void (*tell)(const char *, ...));

/* As record_step() and record_next(), past damage if so wished. -1 has been told of. */
int lenient_step(struct lenient *in, struct shard_block *b, uint64_t *n_token);
int lenient_next(struct lenient *in, struct record *rec);
void lenient_close(struct lenient *in);

#endif
