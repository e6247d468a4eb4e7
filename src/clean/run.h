/* run.h - the steps of C4 and mC4 in the reference's order, over any number of files.
 *
 * What must be known of all pages before one can be judged (who owns a URL, who owns a line) takes
 * three passes. The first reads, judges each page by itself, spools it, and claims its URL and its
 * lines (clean/claim.h); the second sorts the claims; the third judges again and writes. Memory is
 * that of the plan and some constant megabytes a thread; what is written depends on neither.
 */
#ifndef CLEAN_RUN_H
#define CLEAN_RUN_H

#include <stdint.h>

#include "base/progress.h"
#include "clean/sink.h"
#include "crawl/crawl.h"
#include "rules/rules.h"
#include "text/lang.h"

struct badwords;
struct err;
struct langid;
struct ledger;
struct out;
struct punkt_params;

struct clean_plan {
    enum clean_profile profile;
    int compat301;    // winners as TFDS 3.0.1 chose them, and no date needed
    struct rule_choice rules;
    const struct lang *lang;             // of every page; NULL: what each says, without a model
    struct langid *langid;               // tells languages; NULL: they are what is said
    const char *tmpdir;                  // NULL: $TMPDIR
    const struct punkt_params *punkt;    // of English; NULL: sentences by ICU
    const struct badwords *badwords;     // lists; NULL: none
    uint64_t mem;                        // bytes for claims
    int n_thread;
    struct crawl_mode mode;    // how files are read
    struct ledger *ledger;
    int explain;            // write rows of clean/explain.h instead of documents
    struct out *rejects;    // what is dropped, with "reason"; NULL: nowhere
    struct progress *progress;
};

struct clean_notes {         // what a user should be told
    uint64_t damaged;        // records and lines lost
    char said[512];          // of the last of them
    uint64_t no_language;    // pages dropped because nothing says their language
};

/* Clean files (NULL ends them) into to; fills the ledger and the notes. 0, or -1: err says why. */
int clean_run(const struct clean_plan *plan, char **files, struct sink *to,
              struct clean_notes *notes, struct err *err);

#endif
