/* unicode.h - what Python's str calls white space, a line, a digit, lower case: the
 * cleaning rules are defined by it. Text is valid UTF-8 unless said otherwise. */
#ifndef TEXT_UNICODE_H
#define TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

int unicode_is_space(uint32_t c);       // str.isspace: 29 code points; not U+200B, not U+FEFF
int unicode_is_line_end(uint32_t c);    // str.splitlines: 10 code points (CR LF is one end)
int unicode_is_digit(uint32_t c);       // str.isdecimal: category Nd

/* s without white space at both ends. Bytes that are no code point stay. */
struct bytes unicode_strip(struct bytes s);

/* Take the first line off *rest into *line, as str.splitlines does: 1, or 0 when rest is
 * empty. A line end at the very end of the text does not make another line. */
int unicode_line(struct bytes *rest, struct bytes *line);

/* The first word of *rest (words are parted by white space) into *word: 1, or 0 at the end. */
int unicode_word(struct bytes *rest, struct bytes *word);

/* Append s in lower case, equal to str.lower: full mapping, a final sigma where one is due. */
void unicode_lower(struct buf *b, struct bytes s);
void unicode_lower_icu(struct buf *b, struct bytes s);    // by ICU alone, for tests

#endif
