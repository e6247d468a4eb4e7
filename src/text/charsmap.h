/* charsmap.h - make the table of a normaliser: NFKC as SentencePiece writes it into its models.
 *
 * Rules map a string of one to three characters to its normal form; longest match wins, so that a
 * base with its marks is composed. The bytes are those of "precompiled_charsmap", see normal.h.
 */
#ifndef TEXT_CHARSMAP_H
#define TEXT_CHARSMAP_H

#include "base/mem.h"

/* name: "nmt_nfkc" (NFKC; controls deleted, white space of all kinds to a space), "nfkc", either
 * with "_cf" (case folded), or "identity" (no table). Appends to out; -1 for another name. */
int charsmap_make(const char *name, struct buf *out);

#endif
