/* normal.h - SentencePiece's normaliser: a table of rules made by others, and four switches.
 *
 * The table ("precompiled_charsmap") maps short byte strings to others: NFKC with exceptions.
 * Invalid UTF-8 is defined: each byte that begins no whole character becomes U+FFFD.
 */
#ifndef TEXT_NORMAL_H
#define TEXT_NORMAL_H

#include <stddef.h>

#include "base/mem.h"

struct err;
struct normal;

struct normal_spec {
    struct bytes charsmap;    // empty: every character stays as it is
    int add_dummy_prefix;     // a space in front
    int remove_extra;         // runs of spaces become one; none at either end
    int escape;               // spaces become U+2581
    int suffix;               // the space of add_dummy_prefix goes to the end
};

/* whole: n strings that are taken as they are wherever they stand in the input (the longest
 * first), none empty, none twice. Nothing of spec or whole is kept. NULL: a damaged table. */
struct normal *normal_new(const struct normal_spec *spec, const struct bytes *whole, size_t n,
                          struct err *err);
void normal_free(struct normal *n);    // n may be NULL

struct normal_map {    // for each byte of the output, where in the input it came from
    size_t *at;        // one more than bytes: at[n] is where the last of them ends
    size_t cap;
};

/* Is what it puts out valid UTF-8, whatever goes in? Only a table made with ill will says no, and
 * whole strings that are not. */
int normal_is_sound(const struct normal *n);

/* Normalise in into out, which is emptied first; map may be NULL. 0, or -1 when the output
 * would grow past NORMAL_MAX bytes. */
#define NORMAL_MAX 0x7FFFFFFFu
int normal_run(const struct normal *n, struct bytes in, struct buf *out, struct normal_map *map,
               struct err *err);

/* The same; *n_invalid says how many bytes began no character. */
int normal_run_count(const struct normal *n, struct bytes in, struct buf *out,
                     struct normal_map *map, size_t *n_invalid, struct err *err);
void normal_map_release(struct normal_map *map);

#endif
