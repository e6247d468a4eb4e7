/* rule.h - which strings may be pieces: SentencePiece's rules, that a trainer is told. */
#ifndef VOCAB_RULE_H
#define VOCAB_RULE_H

#include <stdint.h>

#include "base/mem.h"

struct piece_rule {
    int max_chars;        // of a piece (16)
    int split_scripts;    // pieces are of one script; kana and Han are one
    int split_numbers;    // digits are no letters of the script beside them
    int split_digits;     // each digit is a piece of its own
    int split_spaces;     // U+2581 stands at a piece's beginning only
};

/* May y follow x within a piece? script is that of what went before; it becomes y's. Both are
 * characters of normalised text; U+2581 stands for a space. */
int piece_joins(const struct piece_rule *r, uint32_t x, uint32_t y, int *script);

/* The script that a piece beginning with c has, for piece_joins(). */
int piece_script(const struct piece_rule *r, uint32_t c);

#endif
