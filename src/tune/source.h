/* source.h - what a model is tuned on and tested with: NAME=FILE:WEIGHT on a command line; a shard
 * of examples, a mixture plan, or text, of which a shard is made first. */
#ifndef TUNE_SOURCE_H
#define TUNE_SOURCE_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct opt_list;
struct rows;

enum source_kind { SOURCE_SHARD, SOURCE_PLAN, SOURCE_TEXT };

struct source {
    char *name;       // what was said, or the file's name without its suffixes
    char *path;       // as it was given
    char *shard;      // path, or the shard that is made of it
    double weight;    // 0: none was said
    enum source_kind kind;
};

struct sources {
    struct source *one;
    int n;
};

struct source_plan {                // how shards are made of text
    const char *folder, *prefix;    // folder/PREFIXname.ex
    const char *vocab, *lang;       // NULL: not said
    int64_t n_extra, inputs, targets;
    int quiet;
};

/* All words of a list; reads the beginning of each file. No name may stand twice. -1 and err. */
int sources_parse(struct sources *s, const struct opt_list *words, const struct source_plan *plan,
                  struct err *err);
void sources_release(struct sources *s);

/* Rows that make the shard of a source: lang NULL, of many languages. NULL on failure. */
struct rows *source_rows(const struct source *s, const struct source_plan *plan, const char *lang,
                         struct err *err);
/* Call take for each pair of a file of text: input, tab, target; a header is passed over. */
int source_pairs(const struct source *s,
                 int (*take)(void *to, struct bytes input, struct bytes target, struct err *err),
                 void *to, int quiet, struct err *err);

/* Make the shards of all that is text, with the ids and rows of pack-pairs(1). */
int sources_pack(const struct sources *s, const struct source_plan *plan, struct err *err);

/* -1 when a shard is of another vocabulary than the model in path. */
int sources_check(const struct sources *s, const char *vocab, struct err *err);

#endif
