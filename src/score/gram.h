/* gram.h - n-grams of words or characters, counted. */
#ifndef SCORE_GRAM_H
#define SCORE_GRAM_H

#include <stddef.h>
#include <stdint.h>

#define GRAM_MAX 6    // the longest n-gram

struct gram {
    uint32_t id[GRAM_MAX];    // those past the order are 0
    uint32_t count;
};

struct grams {    // sorted by id, each once; { 0 } is empty
    struct gram *gram;
    size_t n, cap;
};

/* Empties g and counts the n-grams of that order in id[n]. */
void grams_count(struct grams *g, const uint32_t *id, size_t n, size_t order);
size_t grams_total(const struct grams *g);                            // with multiplicity
size_t grams_common(const struct grams *a, const struct grams *b);    // the sum of the minima
/* a becomes the maxima of both. */
void grams_max(struct grams *a, const struct grams *b);
void grams_release(struct grams *g);

#endif
