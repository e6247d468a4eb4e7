/* scan.h - from a page to the letters a language is judged by, as cld3 does it: its script
 * scanner, its "cheap squeeze" and its snippets. Each fast way has its plain twin, for tests. */
#ifndef LANGID_SCAN_H
#define LANGID_SCAN_H

#include <stddef.h>

#include "base/mem.h"

/* Append the letters and marks of text, of any bytes: runs of one script (a single letter of
 * another is let through), each between spaces, lower-cased; other characters are one space.
 * It ends at max bytes, and where text is no valid UTF-8, a control character (other than tab,
 * LF, FF and CR) or no character. */
void scan_clean(struct buf *out, struct bytes text, size_t max);
void scan_clean_plain(struct buf *out, struct bytes text, size_t max);

/* Leave out stretches of about 48 bytes that are mostly spaces or that repeat what came before
 * (a table of what followed three characters predicts them). In place; returns what is left.
 * p has SCAN_PAD zero bytes behind its n. */
enum { SCAN_PAD = 8 };
size_t scan_squeeze(unsigned char *p, size_t n);
size_t scan_squeeze_plain(unsigned char *p, size_t n);

/* Append text, or if it is longer than max five pieces of it, evenly spread, parted by spaces. */
void scan_snippets(struct buf *out, struct bytes text, size_t max);

/* Script of the first run of letters of text, which scan_clean() made; SCRIPT_HANGUL when it is
 * mostly Hangul, SCRIPT_COMMON when there is none. */
int scan_first_script(struct bytes text);

#endif
