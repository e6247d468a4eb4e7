/* run.h - near-duplicates out of a stream of documents: signatures, links, clusters, survivors.
 *
 * 1. Every line is parsed, simplified and signed, by several threads; lines go to a stash, and of
 *    each bucket of a signature its 128-bit hash with the document's number to a sorter.
 * 2. What comes out of the sorter side by side is the same: these documents are joined.
 * 3. The members of each cluster are sorted by who is to be kept; the first one is.
 * 4. The lines come out of the stash again, and all but the removed are written as they were.
 */
#ifndef MINHASH_RUN_H
#define MINHASH_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "minhash/sign.h"

struct dedup;
struct err;
struct ledger;
struct out;
struct progress;

enum dedup_keep {    // of a cluster
    DEDUP_HASH,      // the least hash of (url, text), so that the order of documents says nothing
    DEDUP_FIRST,
    DEDUP_LONGEST,    // text in bytes; then as DEDUP_HASH
};

struct dedup_plan {
    int n_bucket, n_hash, n_gram;
    uint32_t seed;
    enum sign_hash hash;
    enum dedup_keep keep;
    int dates;      // weekdays and months are all one
    int by_lang;    // documents of different "lang" are never alike
    int strict;     // stop at a line that is no document, and at damage
    int n_thread;
    size_t mem;                              // bytes to sort in
    const char *tmpdir;                      // or NULL
    struct out *out, *rejects, *clusters;    // the last two may be NULL
    struct ledger *ledger;
    struct progress *progress;
};

/* plan and what it points to must live as long as the run. NULL on failure: err says why. */
struct dedup *dedup_open(const struct dedup_plan *plan, struct err *err);

int dedup_read(struct dedup *d, char **file, struct err *err);    // step 1, of all files. 0 or -1
int dedup_write(struct dedup *d, struct err *err);                // the rest. 0 or -1
void dedup_close(struct dedup *d);                                // d may be NULL

#endif
