/* flow.h - the text of HTML as a reader would lay it out: words that flow into lines, and what
 * begins a new line. It gets elements and characters from a parser. */
#ifndef CRAWL_FLOW_H
#define CRAWL_FLOW_H

#include "base/mem.h"

struct flow {
    struct buf *out;
    size_t from;     // where in out the text begins
    int line;        // a new line is due before the next word
    int space;       // a space is
    int pre;         // depth of elements in which white space stays
    int unseen;      // depth of those that are not shown
    int in_title;    // characters are the title's
};

enum flow_kind {
    FLOW_INLINE,
    FLOW_BLOCK,     // a line of its own
    FLOW_PRE,       // ... with its white space
    FLOW_BREAK,     // ends a line
    FLOW_SPACE,     // parts words
    FLOW_UNSEEN,    // not shown, with all that is in it
    FLOW_TITLE,     // shown, though in the head
    FLOW_HEAD,
};

void flow_start(struct flow *f, struct buf *out);

/* The kind of an element, by its lower-case name. */
enum flow_kind flow_kind(const char *name);

void flow_open(struct flow *f, enum flow_kind kind);
void flow_close(struct flow *f, enum flow_kind kind);
void flow_text(struct flow *f, const unsigned char *p, size_t n);

#endif
