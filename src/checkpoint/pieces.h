/* pieces.h - tensors of which many ranks have pieces, written to one file. */
#ifndef CHECKPOINT_PIECES_H
#define CHECKPOINT_PIECES_H

#include <stddef.h>

#include "shape/params.h"

struct comm;
struct err;

struct piece {
    struct param v;    // of the file: name, shape, slice; its numbers w, where this rank has them
    int owner;         // the rank of holders that has them
};

/* Every rank of holders and slices calls it with the same n pieces, which it orders by name. The
 * first rank of both writes the file: 0 or -1 there, 0 elsewhere, where what it needs is given
 * whether or not it can write. */
int pieces_write(struct piece *p, size_t n, struct comm *holders, struct comm *slices,
                 const char *path, struct err *err);

#endif
