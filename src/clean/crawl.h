/* crawl.h - pages from WET files and from documents (JSON Lines), told apart by content. */
#ifndef CLEAN_CRAWL_H
#define CLEAN_CRAWL_H

#include <stdint.h>

#include "base/mem.h"
#include "text/lang.h"

struct crawl;
struct err;
struct ledger;

enum page_fault { PAGE_GOOD, PAGE_NOT_UTF8, PAGE_NO_URL, PAGE_NO_TEXT, PAGE_NO_DATE };

struct page {             // views; valid until the next call
    struct bytes text;    // lines stripped, none empty, parted by LF; as it came if not UTF-8
    struct bytes url, date, extra;
    const struct lang *lang;    // NULL: said to be one that is none of ours; und: not said
    enum page_fault fault;      // the first that applies, in the order above
};

/* Open path ("-" is standard input). Records without text, damage and its bytes are counted in l.
 * strict: damage is an error. NULL on failure, also when path is neither: err says why. */
struct crawl *crawl_open(const char *path, int strict, struct ledger *l, struct err *err);

/* The next page: 1, 0 at the end, -1 on a failed read (on damage, when strict). */
int crawl_next(struct crawl *c, struct page *p, struct err *err);

uint64_t crawl_offset(const struct crawl *c);    // stored bytes read so far

/* Records and lines lost to damage, and what was said of the last. */
uint64_t crawl_damage(const struct crawl *c, const char **last);

uint64_t crawl_responses(const struct crawl *c);    // records that hold pages as HTML, passed over

void crawl_close(struct crawl *c);    // c may be NULL

/* Lines (LF, CR or CRLF) of raw stripped, empty ones left out, parted by LF, appended to b. */
void crawl_text(struct buf *b, struct bytes raw);

#endif
