/* pack.h - examples into rows of fixed lengths, greedily: one row is open; an example that
 * does not fit in both its input and its target closes it. An example becomes a segment. */
#ifndef SEQ_PACK_H
#define SEQ_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "shard/example.h"

struct pack {
    size_t inputs, targets;    // the lengths of a row
    struct example_row row;    // the open row, its pointers into:
    int32_t *input, *target;
    uint32_t *segment_input, *segment_target;
    size_t n_room;    // segments that they have room for
    int mark;         // the caller's; 0 in an empty row
};

void pack_init(struct pack *p, size_t inputs, size_t targets);

/* How many of n ids count: at most so many, without zeros at the end. */
size_t pack_length(const int32_t *id, size_t n, size_t most);

/* Put an example into the open row: 1; 0 when it does not fit (row is to be written, and
 * reset). Zeros at an end are padding, not counted; what is longer than a row is cut to it.
 * doc: of its first token. An example of nothing is taken and leaves no trace. */
int pack_add(struct pack *p, const int32_t *input, size_t n_input, const int32_t *target,
             size_t n_target, uint64_t doc);

void pack_reset(struct pack *p);    // an empty row
void pack_release(struct pack *p);

#endif
