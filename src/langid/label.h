/* label.h - files of documents or lines, each with its language put to it. */
#ifndef LANGID_LABEL_H
#define LANGID_LABEL_H

#include <stddef.h>

struct err;
struct langid;
struct ledger;
struct out;
struct progress;

struct label_plan {
    const struct langid *model;
    const float *weight;    // [n_label], see langid_find_among(); NULL: all alike
    double min_prob;        // less sure is "und"; negative: the model's own bars
    size_t min, max;        // bytes, see langid_find()
    int lines;              // lines in, "label TAB p" out; else JSON documents
    int strict;             // stop at what is no document, and at damage
    int n_thread;
    struct out *out;
    struct ledger *ledger;
    struct progress *progress;
};

/* All files, a NULL behind the last, to plan->out in their order. 0 or -1. */
int label_run(const struct label_plan *plan, char **file, struct err *err);

#endif
