/* site.h - whose a URL is: its host, and the domain that was registered, by the Public Suffix List
 * (of domains under top-level ones, not of those that firms give out). */
#ifndef LISTS_SITE_H
#define LISTS_SITE_H

#include "base/mem.h"

struct site {             // in lower case; views into room
    struct bytes host;    // without user, port and full stops at its end; "" if there is none
    struct bytes
        domain;          // its end, "bbc.co.uk"; "" for an address, a bare suffix and unknown ones
    struct bytes sub;    // what is before the domain, "news", or ""
};

void site_of(struct bytes url, struct buf *room, struct site *s);

#endif
