/* split.h - text into sentences, as NLTK's Punkt does (Kiss and Strunk 2006). */
#ifndef PUNKT_SPLIT_H
#define PUNKT_SPLIT_H

#include <stddef.h>

#include "base/mem.h"

struct punkt_params;
struct punkt;

/* A splitter: one for each thread. The parameters are shared and must live on. */
struct punkt *punkt_new(const struct punkt_params *params);
void punkt_free(struct punkt *p);    // p may be NULL

void punkt_start(struct punkt *p, struct bytes text);    // a view: it must live on

/* The next sentence: 1, or 0 at the end. White space between sentences is in none of them; that
 * before the first is. Text that is all white space has none. */
int punkt_next(struct punkt *p, struct bytes *sentence);

/* How many sentences text has; reads no further than it takes to find enough. */
size_t punkt_count(struct punkt *p, struct bytes text, size_t enough);

#endif
