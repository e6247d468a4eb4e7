/* warc_head.h - the fields of a record's header. */
#ifndef CRAWL_WARC_HEAD_H
#define CRAWL_WARC_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "crawl/warc.h"

enum { WARC_BLOCK_MAX = 32 << 20 };    // bytes of a block

/* The n bytes of a header at p, its first line and its empty one among them: fields as views, the
 * rest of *rec 0. Folded lines are unfolded where they stand. */
void warc_head_read(unsigned char *p, size_t n, struct warc_record *rec);

/* The number that a Content-Length says: SIZE_MAX when it is none; over WARC_BLOCK_MAX it need not
 * be exact. */
size_t warc_head_length(struct bytes field);

#endif
