/* spool.h - pages between the passes: a nameless temporary file, written once, read twice.
 *
 * A page has a head of fixed size with the keys of its lines, and a body of texts; the two are
 * stored apart, so that a pass that needs no text inflates none.
 */
#ifndef CLEAN_SPOOL_H
#define CLEAN_SPOOL_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct spool;

enum spool_string {
    SPOOL_TEXT,    // as cleaned
    SPOOL_RAW,     // as read
    SPOOL_URL,
    SPOOL_DATE,
    SPOOL_EXTRA,     // members of a document that are passed through
    SPOOL_COUNTS,    // a struct line_counts, or nothing
    SPOOL_STRINGS,
};

struct spool_head {
    unsigned char url_key[16];    // of the normal form
    uint64_t owner;               // line_owner()
    uint64_t bytes;               // of the page as read
    uint64_t len[SPOOL_STRINGS];
    int32_t rule;      // the row that dropped the page, -1 when none
    int32_t lang;      // a row of langs, or -1
    uint32_t n_key;    // keys of lines, 16 bytes each
};

struct spool_page {    // views; valid until the next call on the spool
    struct spool_head head;
    const unsigned char *keys;
    struct bytes s[SPOOL_STRINGS];    // len of the head says their lengths when writing, too
};

/* In dir (NULL: $TMPDIR, else /tmp). NULL on failure: err says why. */
struct spool *spool_open(const char *dir, struct err *err);

/* 0, or -1 (a full disk). head.len is filled from s. */
int spool_put(struct spool *s, struct spool_page *p, struct err *err);

/* Start reading from the first page; bodies too when with_text is set. 0 or -1. */
int spool_rewind(struct spool *s, int with_text, struct err *err);

/* The next page: 1, 0 at the end, -1 on a failed read. */
int spool_next(struct spool *s, struct spool_page *p, struct err *err);

uint64_t spool_pages(const struct spool *s);
uint64_t spool_stored(const struct spool *s);    // bytes in the file
void spool_close(struct spool *s);               // s may be NULL

#endif
