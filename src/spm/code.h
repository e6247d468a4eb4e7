/* code.h - characters as small numbers, those that most pieces hold the smallest.
 *
 * A trie of pieces written so has a third of the nodes and the steps of one over UTF-8 where
 * characters have three bytes.
 */
#ifndef SPM_CODE_H
#define SPM_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct vocab;

struct codes {
    uint16_t *of;    // by code point: 0 if no piece holds it
};

/* Codes for the used pieces (by id), all valid UTF-8. 0, or -1 if they have too many characters. */
int codes_init(struct codes *c, const struct vocab *v, const unsigned char *used);
void codes_release(struct codes *c);

/* Valid text as codes, n at most. Returns how many. */
uint32_t codes_write(const struct codes *c, const unsigned char *text, uint32_t n, uint16_t *to);

#endif
