/* run.h - the steps of C4 and mC4 in the reference's order, over any number of files.
 *
 * What must be known of all pages before one can be judged (who owns a URL, who owns a line) takes
 * three passes: clean_read() reads, judges each page by itself and spools it; clean_write() enters
 * the lines of the pages that own their URL, then judges again and writes. Memory holds 32 bytes
 * a URL and 24 a line, at most three quarters full, and one page.
 */
#ifndef CLEAN_RUN_H
#define CLEAN_RUN_H

#include <stdint.h>

#include "base/progress.h"
#include "clean/rules.h"
#include "clean/sink.h"
#include "text/lang.h"

struct err;
struct ledger;
struct out;
struct clean_run;

struct clean_plan {
    enum clean_profile profile;
    int compat301;              // winners as TFDS 3.0.1 chose them, and no date needed
    uint32_t rules;             // a set of rows
    const struct lang *lang;    // of every page; NULL: what each says
    const char *tmpdir;         // NULL: $TMPDIR
    int strict;                 // damage is an error
    struct ledger *ledger;
    struct out *rejects;    // what is dropped, with "reason"; NULL: nowhere
    struct progress *progress;
};

/* NULL on failure. The plan is copied, what it points to must live on. */
struct clean_run *clean_open(const struct clean_plan *plan, struct err *err);

/* Pass 1 over a file. 0, or -1: the run is to be given up. */
int clean_read(struct clean_run *r, const char *path, struct err *err);

/* Passes 2 and 3; fills the ledger's counters. 0 or -1. */
int clean_write(struct clean_run *r, struct sink *to, struct err *err);

struct clean_notes {         // what a user should be told
    uint64_t damaged;        // records and lines lost
    char said[512];          // of the last of them
    uint64_t responses;      // WARC records of HTML, which were not read
    uint64_t no_language;    // pages dropped because nothing says their language
};

const struct clean_notes *clean_notes(const struct clean_run *r);
void clean_close(struct clean_run *r);    // r may be NULL

#endif
