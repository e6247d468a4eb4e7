/* code.h - characters as small numbers, in the order in which the pieces bring them.
 *
 * A trie of pieces written so has a third of the nodes and the steps of one over UTF-8 where
 * characters have three bytes.
 */
#ifndef SPM_CODE_H
#define SPM_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "text/trie.h"

struct vocab;

struct codes {
    uint16_t *of;    // by code point: 0 if no piece holds it
    uint32_t n;      // they are 1 .. n
};

enum { CODES_PIECE_MAX = 255 };    // codes of a piece

struct code_keys {    // the used pieces in codes, each with the number of its id and 1
    struct trie_keys keys;
    void *room;
    size_t size;
};

/* Numbers the characters of the used pieces (by id), and writes the pieces so. -1 if a piece is not
 * valid UTF-8, holds U+2581 but at its beginning, or is too long, or if there are too many
 * characters; then there is nothing to be released. */
int codes_init(struct codes *c, struct code_keys *k, const struct vocab *v,
               const unsigned char *used);
void codes_release(struct codes *c);
void code_keys_release(struct code_keys *k);

/* Valid text as codes, n at most. Returns how many. */
uint32_t codes_write(const struct codes *c, const unsigned char *text, uint32_t n, uint16_t *to);

#endif
