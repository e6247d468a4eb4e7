/* sink.h - where kept documents go: one file, or a folder of files as allenai/c4 has them. */
#ifndef CLEAN_SINK_H
#define CLEAN_SINK_H

#include <stdint.h>

#include "base/mem.h"
#include "text/lang.h"

struct err;
struct sink;

struct sink *sink_file(const char *path, struct err *err);    // NULL on failure

struct sink_folder {
    const char *dir;
    int is_english;         // names of C4: en/c4-train.00000-of-01024.json.gz; else of mC4:
                            // multilingual/c4-LANG.tfrecord-00000-of-01024.json.gz
    unsigned validation;    // one page in this many is held out, by its URL's key; 0: none
    unsigned shards;        // files a language; 0: as many as were published
};

/* Files are gzip, each of many members, and take little memory until they are written. There is no
 * file for a shard without documents, and no folder until there is something to write. */
struct sink *sink_folder(const struct sink_folder *plan, struct err *err);

/* Append lines with their LF. lang: of langs; a single file needs neither it nor the key. 0 or -1.
 */
int sink_put(struct sink *s, const struct lang *lang, const unsigned char url_key[16],
             struct bytes line, struct err *err);

/* Bring all files into place; frees s whatever happens. 0, or -1: those not yet there are given up.
 */
int sink_close(struct sink *s, struct err *err);

void sink_abandon(struct sink *s);    // leaves nothing; s may be NULL

#endif
