/* filter.h - what a blank may do to its value, by name. */
#ifndef PAIRS_FILTER_H
#define PAIRS_FILTER_H

#include <jansson.h>
#include <stddef.h>

#include "base/mem.h"

struct filter {
    const char *name;
    int (*value)(const json_t *value, struct buf *out);    // the first filter of a blank may; or
    int (*text)(struct bytes text, struct buf *out);       // append to out: 0, or -1
};

const struct filter *filter_find(const char *name);    // NULL when there is none

#endif
