/* rules.h - the normaliser's table, and what is found out about it before any text comes.
 *
 * Most text needs no look at the table: which ASCII pairs and which other characters no rule begins
 * with is found out once, from the table itself.
 */
#ifndef TEXT_RULES_H
#define TEXT_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "text/normal.h"
#include "text/trie.h"
#include "text/utf8.h"

enum { RULES_BMP = 0x10000 };

/* What a character is to the rules: none begins with it; none does but longer ones; else. */
enum { UNTOUCHED, GOES_ON, TOUCHED };

struct normal {
    struct normal_spec spec;    // without its charsmap
    uint32_t *unit;             // Darts double array
    size_t n_unit;
    unsigned char *text;    // what rules put out: NUL-terminated strings
    size_t n_text;
    int sound;
    struct trie whole;
    unsigned char whole_first[256];    // bytes that a string of whole begins with
    unsigned char plain[256];          // ASCII that stays, whatever ASCII follows
    unsigned char pair[128][32];       // bits: ASCII and a byte that some rule begins with
    int all_plain;                     // all but spaces are
    unsigned char touch[RULES_BMP];    // by character above ASCII: UNTOUCHED ...
    unsigned char follows[256];        // bytes that come next in a rule after one that GOES_ON
    const unsigned char *space;        // what a space is written as: 4 bytes, n_space of them
    size_t n_space;
};

/* The length of the character at p, 0 if it is none: overlong, a surrogate, cut, too high. */
static inline size_t utf8_at(const unsigned char *p, size_t n, uint32_t *c)
{
    int len;

    *c = utf8_get(p, n, &len);
    return *c == UTF8_BAD ? 0 : (size_t)len;
}

/* The longest rule that p begins with: its length, 0 if none; *value is its text's place. */
size_t rule_find(const struct normal *n, const unsigned char *p, size_t len, uint32_t *value);

#endif
