/* reference.h - pages of a WET file as the reference's reader finds them, with its weaknesses.
 *
 * It takes the file for text: strict UTF-8, any line end, every line stripped. A line WARC/1.0
 * begins a page; header lines are known by how they begin, in the page's text too; a length means
 * nothing; the first damage ends the file.
 */
#ifndef CRAWL_REFERENCE_H
#define CRAWL_REFERENCE_H

#include "crawl/crawl.h"

struct reference;

enum {    // what a page lacks
    LACKS_URL = 1,
    LACKS_TEXT = 2,
    LACKS_DATE = 4,
    LACKS_TYPE = 8,
    LACKS_LENGTH = 16,
};

/* compat301: text before the first page ends the file, as it ended 3.0.1. NULL on failure. */
struct reference *reference_open(const char *path, int compat301, struct err *err);

/* The next page, of form FORM_LINES, whatever it lacks: 1, 0 at the end, -1 on damage: there is no
 * more. */
int reference_next(struct reference *r, struct page *p, int *lacks, struct err *err);

unsigned long long reference_stored(const struct reference *r);    // bytes read of the file
const char *reference_path(const struct reference *r);
void reference_close(struct reference *r);    // r may be NULL

#endif
