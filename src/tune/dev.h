/* dev.h - sets that a model answers while it is tuned: for each example the ids it is asked, and
 * the texts that would be right. */
#ifndef TUNE_DEV_H
#define TUNE_DEV_H

#include <stdint.h>

#include "base/mem.h"
#include "generate/tongue.h"

struct err;
struct source;
struct source_plan;

struct dev_example {
    struct ids input;    // with its end
    char *text;          // of the input; NULL: of a shard
    char *id, *lang, *group, *label, **ref;
    int n_ref;
};

struct dev {
    const char *name;    // the source's
    struct dev_example *one;
    int n;
    int has_lang;    // each says its language
};

/* Read a set. Text is a table whose header names the columns input and reference (the latter as
 * often as there are), and perhaps id, lang, group and label, as of eval-score(1); or input, tab,
 * target. Of a shard, references are what its targets say. Inputs are cut to plan->inputs. */
int dev_read(struct dev *d, const struct source *s, const struct source_plan *plan,
             struct tongue *t, struct err *err);
void dev_release(struct dev *d);

/* Make the source's shard of a set that was text, with first references as targets. */
int dev_pack(const struct dev *d, const struct source *s, const struct source_plan *plan,
             struct err *err);

#endif
