/* crawl.h - pages from WET and WARC files and from documents (JSON Lines), told apart by
 * content.
 *
 * Reading is one thread's work and cheap: crawl_next() finds the borders of a record. What a
 * page costs is done by crawl_render(), which any thread may do for a page of its own.
 */
#ifndef CRAWL_CRAWL_H
#define CRAWL_CRAWL_H

#include <stdint.h>

#include "base/mem.h"
#include "text/lang.h"

struct crawl;
struct err;
struct ledger;

enum page_fault {
    PAGE_GOOD,
    PAGE_NOT_UTF8,
    PAGE_NO_URL,
    PAGE_NO_TEXT,
    PAGE_NO_DATE,
    PAGE_LOST,    // and from here on: to damage; it has what is known of it, which may be nothing
    PAGE_LOST_NO_RECORD = PAGE_LOST,
    PAGE_LOST_HEADER,
    PAGE_LOST_TOO_LONG,
    PAGE_LOST_NO_END,
    PAGE_LOST_STREAM,
    PAGE_LOST_LINE,
};

enum page_form {
    FORM_TEXT,        // raw is plain text
    FORM_LINES,       // raw is lines stripped, none empty, parted by LF: rendering it is no work
    FORM_HTTP,        // raw is an HTTP response, with its head
    FORM_RESOURCE,    // raw is HTML or plain text, as content_type says
};

struct page {            // views; valid until the next call of crawl_next()
    struct bytes raw;    // as it came
    enum page_form form;
    struct bytes text;    // by crawl_render(): lines as of FORM_LINES; raw if not UTF-8
    struct bytes url, date, extra;
    struct bytes content_type, content_length;    // as they came; NULL: not said
    const struct lang *lang;    // NULL: said to be one that is none of ours; und: not said
    enum page_fault fault;      // the first that applies, in the order above
    struct bytes trouble;       // of a page that is lost
};

struct crawl_mode {
    int strict;       // damage is an error
    int reference;    // read WET as the reference does, see reference.h
    int compat301;    // ... and that as 3.0.1
    int origin;       // pages get a member "origin": file, and byte of the record or line
};

/* Open path ("-" is standard input). Records without text, damage and its bytes are counted in l.
 * NULL on failure, also when path is neither: err says why. */
struct crawl *crawl_open(const char *path, const struct crawl_mode *mode, struct ledger *l,
                         struct err *err);

/* The next page, all but its text: 1, 0 at the end, -1 on a failed read (on damage, when
 * strict). What is lost to damage is a page, too, with members "origin" and "trouble". */
int crawl_next(struct crawl *c, struct page *p, struct err *err);

struct crawl_room;    // what one thread needs to render pages

struct crawl_room *crawl_room_new(void);
void crawl_room_free(struct crawl_room *r);    // r may be NULL

/* Give back what a giant page took; the text of the last is not valid any more. */
void crawl_room_trim(struct crawl_room *r);

/* Make p->text of p->raw, and set p->fault to the first that applies. The text is valid until the
 * next call with r, and as long as raw is. */
void crawl_render(struct crawl_room *r, struct page *p);

/* Count in l what was lost in pages that r rendered: broken bodies, characters. */
void crawl_room_report(const struct crawl_room *r, struct ledger *l);

uint64_t crawl_offset(const struct crawl *c);    // stored bytes read so far

/* Records and lines lost to damage, and what was said of the last. */
uint64_t crawl_damage(const struct crawl *c, const char **last);

void crawl_close(struct crawl *c);    // c may be NULL

/* Lines (LF, CR or CRLF) of raw stripped, empty ones left out, parted by LF, appended to b. */
void crawl_text(struct buf *b, struct bytes raw);

#endif
