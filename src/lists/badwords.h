/* badwords.h - pages that hold a word of a list, as C4 and mC4 dropped them.
 *
 * Lists are a folder of files named by language, a word a line (LDNOOBW's form). A suffix of a
 * name is cut off: fr-CA-u-sd-caqc adds to fr; that of a label too: zh-Latn has the list of zh.
 * A year makes another edition, which is passed over: en-2020.
 */
#ifndef LISTS_BADWORDS_H
#define LISTS_BADWORDS_H

#include <stdint.h>

#include "base/mem.h"

struct badwords;    // read only: threads share it
struct err;

/* compat301: as TFDS 3.0.1, whose lists are patterns in which a dot is any character, else as
 * 3.1.0, which lets some entries go. NULL: a list cannot be read, has an empty line, or (3.0.1) is
 * a pattern that is more than that; err says which file and line. */
struct badwords *badwords_load(const char *dir, int compat301, struct err *err);
void badwords_free(struct badwords *b);    // b may be NULL

int badwords_lists(const struct badwords *b);                     // how many languages have one
int badwords_has(const struct badwords *b, const char *label);    // has this one?

/* Does text, valid UTF-8, hold a word of label's list? low is room for it in lower case. Where a
 * language parts words, one must stand alone; th, zh (and ja in 3.1.0) do not. *found: in low. */
int badwords_find(const struct badwords *b, const char *label, struct bytes text, struct buf *low,
                  struct bytes *found);

/* 3.1.0 keeps one in a thousand of mC4's pages with such a word, by the MD5 of their URL. */
int badwords_spares(const unsigned char url_key[16]);

#endif
