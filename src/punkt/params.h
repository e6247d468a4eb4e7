/* params.h - what Punkt has learnt of a language. Read only once it is loaded: threads share it.
 * The form of the file is switchyard-punkt(5). */
#ifndef PUNKT_PARAMS_H
#define PUNKT_PARAMS_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct out;
struct punkt_params;

enum {    // what is known of a type
    PUNKT_ABBREV = 1,
    PUNKT_UPPER_FIRST = 2,    // seen so: a capital at the start of a sentence,
    PUNKT_UPPER_MID = 4,      // within one,
    PUNKT_UPPER_UNSURE = 8,
    PUNKT_LOWER_FIRST = 16,
    PUNKT_LOWER_MID = 32,
    PUNKT_LOWER_UNSURE = 64,
    PUNKT_STARTER = 128,    // often begins a sentence
    PUNKT_UPPER = PUNKT_UPPER_FIRST | PUNKT_UPPER_MID | PUNKT_UPPER_UNSURE,
    PUNKT_LOWER = PUNKT_LOWER_FIRST | PUNKT_LOWER_MID | PUNKT_LOWER_UNSURE,
};

/* From a file of ours, or a folder with NLTK's English parameters as text: english.abbrev.txt,
 * english.collocations.tsv, english.sent_starters.txt, english.ortho_context.tsv. Path NULL is
 * share/punkt/en.punkt. NULL on failure: err says why. */
struct punkt_params *punkt_load(const char *path, struct err *err);

struct punkt_params *punkt_params_new(void);       // nothing known
void punkt_params_free(struct punkt_params *p);    // p may be NULL

void punkt_learn(struct punkt_params *p, struct bytes type, unsigned bits);
void punkt_learn_pair(struct punkt_params *p, struct bytes type, struct bytes next);

unsigned punkt_known(const struct punkt_params *p, struct bytes type);    // 0 when never seen
int punkt_known_pair(const struct punkt_params *p, struct bytes type, struct bytes next,
                     struct buf *room);

size_t punkt_types_with(const struct punkt_params *p, unsigned bits);    // one of these, at least
size_t punkt_pairs(const struct punkt_params *p);

/* Equal for what knows the same. */
uint64_t punkt_fingerprint(const struct punkt_params *p);

/* Write all of it, in order of bytes, with a comment (lines, each with its LF) above. */
int punkt_save(const struct punkt_params *p, const char *comment, struct out *out, struct err *err);

#endif
