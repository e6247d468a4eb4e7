/* answer.h - answers to questions as their benchmarks compare them. Text is valid UTF-8. */
#ifndef SCORE_ANSWER_H
#define SCORE_ANSWER_H

#include "base/mem.h"

enum answer_norm {
    ANSWER_SQUAD,     // lower case, no ASCII punctuation, no a, an, the; single spaces
    ANSWER_TRIVIA,    // TriviaQA: punctuation, and four more quotes, become spaces
    ANSWER_MLQA,      // no punctuation of Unicode; the articles of the language
    ANSWER_NONE,      // white space alone
};

/* Empties out, and puts the words of s there with single spaces between them. lang is for
 * MLQA: its base tag decides, languages it does not know have no articles. */
void answer_normal(enum answer_norm how, struct bytes lang, struct bytes s, struct buf *out);

#endif
