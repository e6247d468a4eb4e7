/* html.h - HTML to text, as Common Crawl's WET does it: the title first, then what a reader would
 * see, a line for each block; no scripts, styles or alternative texts. */
#ifndef CRAWL_HTML_H
#define CRAWL_HTML_H

#include "base/mem.h"

enum { HTML_DEPTH_MAX = 1024 };    // elements in each other; what is deeper ends the text

void html_init(void);    // before threads are started

/* Append the text of html, which is valid UTF-8 without NULs. 1 when it was nested too deep. */
int html_to_text(struct bytes html, struct buf *out);

#endif
