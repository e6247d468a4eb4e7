/* header.h - what a token shard says of its vocabulary and its languages. */
#ifndef SPM_HEADER_H
#define SPM_HEADER_H

struct err;
struct ids_writer;
struct run_plan;
struct vocab;

/* The label of a language tag, "und" for NULL; a tag of none of ours is its own. */
const char *header_lang(const char *tag);

/* The shard of a plan, with its header. NULL on failure. */
struct ids_writer *header_create(const struct run_plan *p, const struct vocab *v, struct err *err);

#endif
