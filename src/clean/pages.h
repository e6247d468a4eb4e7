/* pages.h - the pages of a list of files, in batches that threads can work on. */
#ifndef CLEAN_PAGES_H
#define CLEAN_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "crawl/crawl.h"

struct err;
struct ledger;
struct pages;

struct pages_batch {      // { 0 } is empty
    struct page *page;    // as of crawl_next(): not rendered
    size_t n;
    uint64_t first;     // the number of its first page among all
    uint64_t offset;    // stored bytes of all files read by then
    struct buf raw;     // what the pages point into
    size_t cap;         // of page
};

/* files ends with NULL and must live on, as must l. */
struct pages *pages_open(char **files, const struct crawl_mode *mode, struct ledger *l);

/* The next batch: about a megabyte, one page at least. 1, 0 at the end, -1. */
int pages_take(struct pages *p, struct pages_batch *b, struct err *err);

struct pages_notes {
    uint64_t files, pages;    // read
    uint64_t damaged;         // records and lines lost
    char said[512];           // of the last of them
};

const struct pages_notes *pages_notes(const struct pages *p);
void pages_batch_done(struct pages_batch *b);    // its pages are not needed any more
void pages_batch_release(struct pages_batch *b);
void pages_close(struct pages *p);    // p may be NULL

#endif
