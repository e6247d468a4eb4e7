/* import.h - for importers: a token shard, or rows of one example, from ids that come in. */
#ifndef RESHARD_IMPORT_H
#define RESHARD_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "reshard/foreign.h"
#include "reshard/rewrite.h"

struct import {
    struct record_writer *w;
    const struct import_plan *plan;
    int32_t *id;    // of the record to be put: inputs, then targets
    size_t cap;
    uint64_t n;    // records put
};

int import_open(struct import *im, const char *to, const struct import_plan *plan, struct err *err);
void import_room(struct import *im, size_t n);                   // for n ids in all
int import_put(struct import *im, size_t n, struct err *err);    // a document
int import_put_row(struct import *im, size_t n_input, size_t n_target, struct err *err);
int import_close(struct import *im, int bad, struct err *err);    // gives up when bad: -1

/* Add a record to a record_sum, for rewrite_each(). */
int import_count(void *sum, const struct record *rec, struct err *err);

#endif
