/* finish.h - what a batch of pages becomes: documents, rejects and counts, made by any thread and
 * put where they belong by one. */
#ifndef CLEAN_FINISH_H
#define CLEAN_FINISH_H

#include "clean/judge.h"

struct err;
struct finished;
struct sink;

struct finished *finished_new(const struct clean_plan *plan);

/* Take a page through the rest of its steps, by j. */
void finished_add(struct finished *f, struct judge *j, const struct spool_page *s,
                  const struct fate *fate);

/* Write documents to `to` and rejects to the plan's, count in the plan's ledger and in t, and empty
 * f. 0 or -1. */
int finished_put(struct finished *f, struct sink *to, struct tally *t, struct err *err);

void finished_free(struct finished *f);    // f may be NULL

#endif
