/* header.h - what a token shard says of its vocabulary and its languages. */
#ifndef SPM_HEADER_H
#define SPM_HEADER_H

#include <stdint.h>

struct err;
struct ids_writer;
struct run_plan;
struct shard_header;
struct vocab;

/* The label of a language tag, "und" for NULL; a tag of none of ours is its own. */
const char *header_lang(const char *tag);

/* Say of which vocabulary the ids are: the model v from path, with n_extra sentinels behind its
 * pieces (-1: as many as it needs). -1: it has sentinels of its own. */
int header_set_vocab(struct shard_header *h, const struct vocab *v, const char *path,
                     int64_t n_extra, struct err *err);
/* Say that all is of one language, or, for NULL, that it may be of any of langs[]. */
void header_set_lang(struct shard_header *h, const char *label);

/* The shard of a plan, with its header. NULL on failure. */
struct ids_writer *header_create(const struct run_plan *p, const struct vocab *v, struct err *err);

#endif
