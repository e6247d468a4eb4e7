/* sink.h - where kept documents go: one file, or a folder with a file a language and split. */
#ifndef CLEAN_SINK_H
#define CLEAN_SINK_H

#include <stdint.h>

#include "base/mem.h"
#include "text/lang.h"

struct err;
struct sink;

struct sink *sink_file(const char *path, struct err *err);    // NULL on failure

/* dir/c4-LANG.json.gz, and dir/c4-LANG-validation.json.gz for pages whose URL key is divisible by
 * validation (0: none). Makes dir where there is none. NULL on failure. */
struct sink *sink_folder(const char *dir, unsigned validation, struct err *err);

/* Append a line with its LF. lang: of langs. 0 or -1. */
int sink_put(struct sink *s, const struct lang *lang, const unsigned char url_key[16],
             struct bytes line, struct err *err);

/* Bring all files into place; frees s whatever happens. 0, or -1: those not yet there are given up.
 */
int sink_close(struct sink *s, struct err *err);

void sink_abandon(struct sink *s);    // leaves nothing; s may be NULL

#endif
