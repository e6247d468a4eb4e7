/* deflate.h - a gzip member made at once. By ISA-L where it was there at build time (several times
 * faster), else zlib: the bytes may differ, what they hold does not. */
#ifndef IO_DEFLATE_H
#define IO_DEFLATE_H

#include "base/mem.h"

/* Append text as a whole gzip member to b. */
void deflate_member(struct buf *b, struct bytes text);

#endif
