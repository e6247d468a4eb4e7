/* lists_read.h - the lines of a list's file. */
#ifndef LISTS_LISTS_READ_H
#define LISTS_LISTS_READ_H

#include "base/mem.h"

struct err;

enum { LISTS_LINE = 1 << 16 };    // bytes of the longest

/* each() sees the entries of path, in order; it may fail and say why: the file and line are added.
 * 0 or -1. */
int lists_read(const char *path, int (*each)(void *ctx, struct bytes line, struct err *why),
               void *ctx, struct err *err);

#endif
