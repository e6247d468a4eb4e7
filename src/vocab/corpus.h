/* corpus.h - text to words and how often they come, in bounded memory: what trainers work on.
 *
 * A word is a stretch of normalised text within which a piece may lie: it ends before a space
 * (U+2581) and where the rules of pieces forbid to go on. So no piece is lost when text is cut
 * into words, and equal words need to be looked at once.
 */
#ifndef VOCAB_CORPUS_H
#define VOCAB_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "vocab/rule.h"

struct err;
struct corpus;

enum { CORPUS_ONE = 1 << 10, WORD_CHARS_MAX = 256 };    // a word that comes once counts so much

struct corpus_plan {
    struct piece_rule rule;
    double coverage;    // of characters; those that are not covered part words
    double alpha;       // languages count as n ^ alpha of their n characters; 1: as they are
    size_t mem;         // bytes for words
    const char *tmpdir;
};

struct corpus *corpus_new(const struct corpus_plan *plan);

/* Count the words of a normalised text of a language (0, 1, ...). 0, or -1: a full disk. */
int corpus_add(struct corpus *c, struct bytes text, int lang, struct err *err);

struct word {
    const unsigned char *p;
    uint32_t n;        // bytes
    uint64_t count;    // in CORPUS_ONE-ths
};

struct letter {
    uint32_t c;
    uint64_t count;    // in CORPUS_ONE-ths
};

/* All is counted: find the alphabet, and the words in it. 0 or -1. */
int corpus_end(struct corpus *c, struct err *err);

const struct word *corpus_words(const struct corpus *c, size_t *n);    // in order of their bytes
const struct letter *corpus_letters(const struct corpus *c, size_t *n);    // covered, most first
double corpus_covered(const struct corpus *c);      // share of the characters
uint64_t corpus_chars(const struct corpus *c);      // counted, without weights
uint64_t corpus_rare(const struct corpus *c);       // words let go, the rarest, to stay within mem
uint64_t corpus_spilled(const struct corpus *c);    // bytes written to temporary files
void corpus_free(struct corpus *c);

#endif
