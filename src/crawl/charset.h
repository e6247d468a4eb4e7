/* charset.h - what bytes of the web mean, as browsers take them, and those bytes as UTF-8. */
#ifndef CRAWL_CHARSET_H
#define CRAWL_CHARSET_H

#include <stdint.h>

#include "base/mem.h"

/* The encoding that a label means, by the WHATWG's table, as ICU calls it; NULL when it means
 * none: "gb2312" is gb18030, "latin1" is windows-1252. */
const char *charset_find(struct bytes label);

/* The encoding of a body by the first of: its byte order mark, "charset=" in the header
 * content_type, a meta element within its first kilobyte, validity as UTF-8, what it looks like. */
const char *charset_of(struct bytes body, struct bytes content_type);

/* Append body as UTF-8, without its byte order mark and without NULs. Returns how many U+FFFD
 * stand for what could not be read. */
uint64_t charset_decode(const char *encoding, struct bytes body, struct buf *out);

#endif
