/* list.h - what is in shards, as rows of a table. */
#ifndef RESHARD_LIST_H
#define RESHARD_LIST_H

#include "io/grid.h"
#include "reshard/lenient.h"

extern const char list_title[], list_lang_title[];

/* A row a segment: by the index of a file; a pipe is read. 0, or -1: told of. */
int list_segments(struct grid *t, const char *path, int skip, void (*tell)(const char *, ...));

/* A row a segment and language: everything is read. */
int list_languages(struct grid *t, const char *path, int skip, void (*tell)(const char *, ...));

#endif
