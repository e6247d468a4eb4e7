/* utf8.h - code points as bytes. Valid is what Unicode says and Python's strict decoder
 * takes: no surrogates, nothing overlong, nothing past U+10FFFF. */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define UTF8_BAD 0xFFFFFFFFu    // no code point

/* The code point at p, of n > 0 bytes; *len is its length. Where none begins: UTF8_BAD, and
 * *len is 1. */
uint32_t utf8_get(const unsigned char *p, size_t n, int *len);

/* The code point that ends just before p + n, n > 0, in the same way. */
uint32_t utf8_get_last(const unsigned char *p, size_t n, int *len);

/* c (a code point, not a surrogate) as 1 to 4 bytes at p; returns how many. */
int utf8_put(unsigned char *p, uint32_t c);

int utf8_valid(struct bytes s);
int utf8_valid_plain(struct bytes s);    // the definition, for tests

/* Code points of valid text: bytes that do not continue one. */
size_t utf8_count(struct bytes s);
size_t utf8_count_plain(struct bytes s);    // the definition, for tests

#endif
