/* measure.h - what the rules on a page ask of it: its lines, its words, how often they come again.
 * Each is counted when it is first asked for, once for all rules. */
#ifndef RULES_MEASURE_H
#define RULES_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "rules/tokens.h"

struct measure;

struct measure *measure_new(void);
void measure_free(struct measure *m);    // m may be NULL

/* Give back what a giant text took; it is to be set anew. */
void measure_trim(struct measure *m);

/* Look at another text: valid UTF-8, lines parted by LF, which must live on. */
void measure_set(struct measure *m, struct bytes text);

enum { SHORT_LINE = 30 };    // characters

struct measure_lines {
    size_t n;              // lines that are not empty
    size_t chars;          // code points of the text, line ends among them
    size_t line_ends;      // LF
    size_t n_again;        // lines that were there before
    size_t again_chars;    // in them
    size_t n_short;        // lines of at most SHORT_LINE
    size_t n_terminal;     // lines that end with marks_terminal()
    size_t n_bullet;       // lines that begin with a bullet or -
    size_t n_ellipsis;     // lines that end with ... or its character
    size_t hashes;         // # in the text
    size_t ellipses;       // ... and its character in the text
};

const struct measure_lines *measure_lines(struct measure *m);
const struct tokens *measure_tokens(struct measure *m);

enum { GRAM_MIN = 2, GRAM_AGAIN = 5, GRAM_MAX = 10 };

struct measure_gram {
    size_t top_chars;    // of the most frequent n tokens in a row, spaces between: times how often
    size_t
        again_chars;    // in runs of n >= GRAM_AGAIN tokens that were there before, read greedily
};

const struct measure_gram *measure_gram(struct measure *m, int n);    // GRAM_MIN to GRAM_MAX

#endif
