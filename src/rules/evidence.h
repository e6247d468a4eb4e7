/* evidence.h - what decided, in a few words, for --explain. why may be NULL: then nobody asks. */
#ifndef RULES_EVIDENCE_H
#define RULES_EVIDENCE_H

#include <stddef.h>

#include "base/mem.h"

/* "47 < 50 words"; sense is how what is stands to the limit. The two never look the same. */
void evidence_number(struct buf *why, double is, const char *sense, double limit, const char *unit);

/* "0.34 > 0.3: 17 of 50 lines" */
void evidence_share(struct buf *why, size_t part, size_t of, const char *sense, double limit,
                    const char *unit);

void evidence_text(struct buf *why, struct bytes s);
void evidence_word(struct buf *why, const char *s);

/* A share of nothing is 0 if it is none of it, else it is past every limit. */
double evidence_ratio(size_t part, size_t of);

#endif
