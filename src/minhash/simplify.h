/* simplify.h - text as near-duplicates are looked for: datatrove's simplify_text() and words.
 *
 * Lower case; each number (digits of any script, perhaps a mark and more digits) becomes 0; if
 * wanted, English weekdays and months become WEEKDAY and MONTH; punctuation becomes a space;
 * canonical decomposition, and marks without width (category Mn) go. Words are what white space
 * parts; one with letters of a script that puts no space between words (Han, Kana, Thai, Lao,
 * Khmer, Burmese, ...) is parted further where ICU's dictionaries do.
 *
 * A byte that begins no character counts as U+FFFD.
 */
#ifndef MINHASH_SIMPLIFY_H
#define MINHASH_SIMPLIFY_H

#include <stddef.h>

#include "base/mem.h"

struct simplify;    // room for one text: a thread has its own

struct simple {
    struct bytes text;      // the words, a space between each two
    const size_t *start;    // [n + 1] where words begin; start[n] is text.n + 1
    size_t n;               // words
};

/* dates: weekdays and months, too. Never NULL: dies where ICU has no data. */
struct simplify *simplify_new(int dates);
void simplify_free(struct simplify *s);    // s may be NULL

/* What is in to is valid until the next call on s. */
void simplify_run(struct simplify *s, struct bytes text, struct simple *to);
void simplify_run_plain(struct simplify *s, struct bytes text, struct simple *to);    // definition

/* Words from to from + n - 1, n > 0, as they stand in the text: a shingle. */
struct bytes simple_shingle(const struct simple *s, size_t from, size_t n);

#endif
