/* lost.h - the lines that pages lost, as one stream in the order of places. */
#ifndef CLAIMS_LOST_H
#define CLAIMS_LOST_H

#include <stdint.h>

#include "base/mem.h"
#include "claims/parts.h"

struct err;
struct sorter;

struct lost {                        // { 0 } is none
    struct sorter *sorter[PARTS];    // of places, big-endian; owned
    uint64_t next[PARTS];            // of each, UINT64_MAX at its end
};

/* Begin to read what all sorters hold. 0 or -1. */
int lost_start(struct lost *l, struct err *err);

/* Append the places of pages below page to b, as uint64_t. 0 or -1. */
int lost_take(struct lost *l, uint64_t page, struct buf *b, struct err *err);

void lost_release(struct lost *l);

#endif
