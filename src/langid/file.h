/* file.h - switchyard-langid(5): lines of words that say a model's shape, then its numbers. */
#ifndef LANGID_FILE_H
#define LANGID_FILE_H

#include "langid/model.h"

struct stream;

#define FILE_MAGIC "switchyard-langid 1"

/* The model in s, all of it. NULL on failure. */
struct langid *file_read(struct stream *s, struct err *err);

#endif
