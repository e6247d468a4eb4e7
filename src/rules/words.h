/* words.h - where a sentence ends. */
#ifndef RULES_WORDS_H
#define RULES_WORDS_H

#include <stddef.h>

#include "base/mem.h"

struct punkt_params;
struct sentences;

/* A counter, one for each thread. English ("en") by Punkt when english (see punkt/params.h; it
 * must live on) is not NULL; other languages ("" is Unicode's own rules) by ICU's sentence
 * breaks. Never NULL: dies where ICU has no data. */
struct sentences *sentences_new(const char *lang, const struct punkt_params *english);

/* How many sentences valid text has; counts no further than enough. Any text that is not all
 * white space has one at least. ICU's end at one of C4's marks (. ? !) where ICU breaks, and at
 * the end of the text: not at a line end, nor at other scripts' marks. */
size_t sentences_count(struct sentences *s, struct bytes text, size_t enough);

void sentences_free(struct sentences *s);    // s may be NULL

#endif
