/* lexicon.h - strings as numbers: words, labels, languages, each once, from 0 on. */
#ifndef SCORE_LEXICON_H
#define SCORE_LEXICON_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct lexicon;

struct lexicon *lexicon_new(void);
uint32_t lexicon_add(struct lexicon *l, struct bytes s);          // its number, new or old
int64_t lexicon_find(const struct lexicon *l, struct bytes s);    // -1: not there
size_t lexicon_size(const struct lexicon *l);
struct bytes lexicon_text(const struct lexicon *l, size_t i);    // valid until the next add
void lexicon_reset(struct lexicon *l);                           // empties, keeps its memory
void lexicon_free(struct lexicon *l);                            // l may be NULL

#endif
