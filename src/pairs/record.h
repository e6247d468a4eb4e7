/* record.h - records of a file, whatever its format, as JSON objects: for pairs.c. */
#ifndef PAIRS_RECORD_H
#define PAIRS_RECORD_H

#include <jansson.h>
#include <stdint.h>

#include "base/mem.h"

struct err;
struct stream;
struct task;

struct records {
    const struct task *task;
    struct stream *in;
    uint64_t line;
    struct buf header;       // TSV: the names of columns, tab-separated
    struct bytes *column;    // [n_column] of it
    size_t n_column;
    int begun;
};

enum { RECORD_BAD = 2 };    // *dropped says in a word, err where and why; the next may be sound

/* The next one, the caller's to release: 1, RECORD_BAD, 0 at the end, -1. */
int records_next(struct records *r, json_t **to, const char **dropped, struct err *err);
void records_release(struct records *r);

#endif
