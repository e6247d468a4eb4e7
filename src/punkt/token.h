/* token.h - words as Punkt sees them: what a text is cut into, and what kind each is. */
#ifndef PUNKT_TOKEN_H
#define PUNKT_TOKEN_H

#include "base/mem.h"

enum {                       // a byte that begins a character
    PUNKT_SPACE = 1,         // ASCII white space
    PUNKT_MAYBE = 2,         // perhaps white space: ask punkt_space()
    PUNKT_MARK = 4,          // . ? !
    PUNKT_CLOSER = 8,        // " ' ) ] }: may be moved to the sentence before
    PUNKT_ENDS_WORD = 16,    // ) " ; } ] * : @ ' ( { [ ? !
    PUNKT_NO_START = 32,     // no word begins with it
    PUNKT_LOOK = 64,         // a word may end before it
};

extern const unsigned char punkt_class[256];

/* The length of the white space character (Unicode's) that p begins with; 0 when none. */
size_t punkt_space(const unsigned char *p, const unsigned char *end);

struct punkt_token {
    struct bytes s;            // as in the text
    struct bytes type;         // in lower case, numbers alike; once punkt_token_type() was asked
    unsigned char new_line;    // the first of its line
    unsigned char new_part;    // after an empty line
    unsigned char dot;         // ends in a full stop
    unsigned char ellipsis;    // two full stops or more
    unsigned char initial;     // one letter and a full stop
    unsigned char number;
    unsigned char upper, lower;    // its first letter
    unsigned char abbrev, ends;    // judged: an abbreviation, the end of a sentence
};

/* Take the next token off *rest: 1, or 0 at the end. Sets s, new_line (as far as rest shows: the
 * caller knows whether the first token begins a line), new_part and dot, and zeroes the others. */
int punkt_token_next(struct bytes *rest, struct punkt_token *t);

/* Fill in what else is known of t->s. Its type is kept in room. */
void punkt_token_type(struct punkt_token *t, struct buf *room);

int punkt_is_mark(unsigned char c);      // . ? !
int punkt_is_letters(struct bytes s);    // nothing else, digits of no decimal kind aside
int punkt_has_letter(struct bytes s);

/* Its type without a last full stop. */
struct bytes punkt_token_bare(const struct punkt_token *t);

/* Its type, without a last full stop that ends a sentence. */
struct bytes punkt_token_said(const struct punkt_token *t);

#endif
