/* words.h - where a sentence ends. */
#ifndef CLEAN_WORDS_H
#define CLEAN_WORDS_H

#include <stddef.h>

#include "base/mem.h"

struct sentences;

/* By ICU's sentence breaks for a language ("en"; "" is Unicode's own rules). Never NULL: dies
 * where ICU has no data. */
struct sentences *sentences_new(const char *lang);

/* How many sentences valid text has; counts no further than enough. A sentence ends at one of
 * C4's marks (. ? !) where ICU breaks, and at the end of the text: not at a line end, nor at
 * other scripts' marks. Any text that is not all white space has one at least. */
size_t sentences_count(struct sentences *s, struct bytes text, size_t enough);

void sentences_free(struct sentences *s);    // s may be NULL

#endif
