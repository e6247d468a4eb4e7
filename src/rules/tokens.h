/* tokens.h - the words and marks of a text, as rules on words count them.
 *
 * A word is letters, marks and digits, with . - / ' between two of them and , : between two digits.
 * English endings ('s, n't) are words of their own. Letters of scripts without spaces (Han, Kana,
 * Thai, Lao, Khmer, Myanmar) are parted by ICU's dictionaries. Any other character, or a run of the
 * same one, is a token too. So NLTK's word_tokenize(), which datatrove asks, has it for English,
 * but for full stops of abbreviations (one token there) and quotes beyond ASCII.
 */
#ifndef RULES_TOKENS_H
#define RULES_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct breaks;

struct tokens {         // { 0 } is empty
    uint64_t *hash;     // [n] of the bytes
    uint32_t *chars;    // [n] code points
    size_t n, cap;
    size_t n_word;        // of n: not punctuation and symbols alone
    size_t word_chars;    // of them, in all
    size_t n_letter;      // of n: has a letter
    unsigned stops;       // a bit for each of the be to of and that have with
    struct breaks *breaks;
};

/* Fill t with the tokens of valid text. */
void tokens_split(struct tokens *t, struct bytes text);
void tokens_release(struct tokens *t);

#endif
