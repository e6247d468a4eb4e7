/* train.h - learn from plain text what Punkt has to know of a language, by the statistics of Kiss
 * and Strunk, Unsupervised multilingual sentence boundary detection (2006). Section numbers are
 * that paper's. */
#ifndef PUNKT_TRAIN_H
#define PUNKT_TRAIN_H

#include <stdint.h>

#include "base/mem.h"

struct punkt_params;
struct punkt_trainer;

struct punkt_bars {        // what a candidate has to reach
    double abbrev;         // an abbreviation's score
    int64_t rare;          // a word seen less often may be one by what follows it
    double collocation;    // log likelihood ratios
    double starter;
    int64_t context;    // a word seen less often has no context kept
    int64_t votes;      // parts of the text that have to find an abbreviation; 0: all text at once
};

#define PUNKT_BARS ((struct punkt_bars){ 0.3, 5, 7.88, 30, 1, 0 })    // the paper's

struct punkt_trainer *punkt_trainer_new(void);
void punkt_trainer_free(struct punkt_trainer *t);    // t may be NULL

/* Text comes line by line, in order. An empty line parts paragraphs. */
void punkt_trainer_line(struct punkt_trainer *t, struct bytes line);

/* A part of the text ends: it votes for its abbreviations. */
void punkt_trainer_vote(struct punkt_trainer *t, const struct punkt_bars *bars);

uint64_t punkt_trainer_tokens(const struct punkt_trainer *t);

/* What the text so far says. Contexts that change no decision are left out. */
struct punkt_params *punkt_trainer_learn(const struct punkt_trainer *t,
                                         const struct punkt_bars *bars);

#endif
