/* runs.h - counted words in sorted runs of one nameless file, merged while they are read. */
#ifndef VOCAB_RUNS_H
#define VOCAB_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct runs;

struct runs *runs_new(const char *dir);    // NULL: $TMPDIR, else /tmp
void runs_begin(struct runs *r);           // another run: in order of text, then lang
int runs_put(struct runs *r, struct bytes text, uint32_t lang, uint64_t count, struct err *err);
/* All is put; mem bytes are for reading, 4 KiB a run at least. 0 or -1. */
int runs_end(struct runs *r, size_t mem, struct err *err);

struct runs_entry {
    struct bytes text;    // valid until the next call
    uint32_t lang;
    uint64_t count;    // equal words of several runs come one after the other
};

int runs_next(struct runs *r, struct runs_entry *e, struct err *err);    // 1, 0 at the end, -1
uint64_t runs_spilled(const struct runs *r);
void runs_free(struct runs *r);

#endif
