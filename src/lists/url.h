/* url.h - the normal form by which pages of one URL are told. */
#ifndef LISTS_URL_H
#define LISTS_URL_H

#include "base/mem.h"

/* Replace b by the normal form of url: every http:// and https:// with a www. after it goes, then
 * all from ?utm_, ?ref or ?feed to the end of the line, then trailing slashes. Nothing else. */
void url_normal(struct buf *b, struct bytes url);

/* MD5 of a normal form: what tells pages apart, and as a number the page's split. */
void url_key(struct bytes normal, unsigned char key[16]);

/* The key as a 128-bit number, modulo n > 0. */
unsigned url_modulo(const unsigned char key[16], unsigned n);

/* The key's place among n ranges of equal size, in the order of keys. */
unsigned url_range(const unsigned char key[16], unsigned n);

#endif
