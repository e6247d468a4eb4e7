/* warc.h - the records of a WARC or WET file, by record header and Content-Length.
 *
 * Damage (a header that is none, a length that does not lead to the next record, a cut
 * block, a broken gzip member) costs the record it hits: the reader looks for the next
 * "WARC/1." at the start of a line and goes on; each is counted in `struct warc_damage`.
 */
#ifndef IO_WARC_H
#define IO_WARC_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct stream;
struct warc_reader;

struct warc_record {           // all views; valid until the next call
    struct bytes type;         // WARC-Type
    struct bytes url;          // WARC-Target-URI, without <>
    struct bytes date;         // WARC-Date
    struct bytes languages;    // WARC-Identified-Content-Language: "eng,fra", or empty
    struct bytes content_type;
    struct bytes content_length;    // as written
    struct bytes block;
    uint64_t offset;    // of its first byte in the plain stream
};

struct warc_damage {
    uint64_t records;    // records lost
    uint64_t bytes;      // plain bytes passed over
    char last[512];      // what was said of the last one: file, offset, trouble
};

/* Takes s over. strict: damage is an error instead of a count. */
struct warc_reader *warc_open(struct stream *s, int strict);

/* 1 for a record, 0 at the end, -1 on a failed read (or damage, when strict). */
int warc_next(struct warc_reader *r, struct warc_record *rec, struct err *err);

const struct warc_damage *warc_damage(const struct warc_reader *r);
void warc_close(struct warc_reader *r);    // and its stream; r may be NULL

#endif
