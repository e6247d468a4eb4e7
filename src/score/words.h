/* words.h - cutting text into words as BLEU, chrF and ROUGE do. Text is valid UTF-8. */
#ifndef SCORE_WORDS_H
#define SCORE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct lexicon;

enum words_cut {
    WORDS_13A,        // sacreBLEU's default, of mteval-v13a: ASCII punctuation apart
    WORDS_INTL,       // sacreBLEU's "intl", of mteval-v14: all punctuation and symbols apart
    WORDS_CHAR,       // each character but white space
    WORDS_SPACE,      // at white space alone
    WORDS_ROUGE,      // rouge-score: lower case, runs of a-z and 0-9; all else is lost
    WORDS_UNICODE,    // lower case, runs of letters, marks and numbers; where a script has no
                      // spaces (Han, kana, Thai, ...) each character is a word
    WORDS_CHRF,       // chrF++: at white space, one ASCII punctuation apart at an end
};

struct words {    // a text as numbers, of a lexicon or code points; { 0 } is empty
    uint32_t *id;
    size_t n, cap;
};

/* Empties w and puts the words of s there. */
void words_cut(struct words *w, enum words_cut how, struct bytes s, struct lexicon *l);

/* The code points of s but white space. */
void words_chars(struct words *w, struct bytes s);
void words_add(struct words *w, uint32_t id);    // at its end
/* Whether most letters of s are lost to WORDS_ROUGE. */
int words_rouge_is_blind(struct bytes s);
void words_release(struct words *w);

#endif
