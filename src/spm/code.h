/* code.h - characters as few bytes: those that most pieces hold, and ASCII, as one, others as two.
 *
 * A trie of pieces written so has half the nodes and half the steps of one over UTF-8. No code
 * begins another one, so pieces and text match in codes where they do in characters.
 */
#ifndef SPM_CODE_H
#define SPM_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct vocab;

struct codes {
    uint16_t *of;    // by code point: 0 if no piece holds it; else the byte, or the first x 256 +
                     // the second
    unsigned n_single;    // bytes from n_single + 1 on begin codes of two bytes; 0 is a character
                          // of no piece
};

/* Codes for the used pieces (by id), all valid UTF-8. 0, or -1 if they have too many characters. */
int codes_init(struct codes *c, const struct vocab *v, const unsigned char *used);
void codes_release(struct codes *c);

/* Valid text as codes, n at most. Returns how many. */
uint32_t codes_write(const struct codes *c, const unsigned char *text, uint32_t n,
                     unsigned char *to);

/* The first code of valid text. */
unsigned char codes_first(const struct codes *c, const unsigned char *text);

static inline uint32_t code_length(const struct codes *c, unsigned char first)
{
    return 1 + (first > c->n_single);
}

#endif
