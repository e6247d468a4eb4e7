/* warc.h - the records of a WARC or WET file, by record header and Content-Length.
 *
 * Versions 0.17 to 1.1, headers with CRLF or LF. A record starts with a line "WARC/1.0" (any
 * digits); its length is believed when it leads to the next start, or to the end. Damage
 * costs the record it hits: the reader goes on at the next line that is a start.
 * - A header without end or fields, a block over 32 MiB, what is no record: one record lost.
 * - A length that is missing, no number, or leads elsewhere, in an otherwise sound header:
 *   the block ends before the next start (or at the end), and the record is mended.
 * - A broken gzip member: the record it begins in or that reaches into it is lost, unless
 *   the next record's start was decoded whole.
 */
#ifndef CRAWL_WARC_H
#define CRAWL_WARC_H

#include <stdint.h>

#include "base/mem.h"

struct err;
struct stream;
struct warc_reader;

enum warc_loss {
    WARC_WHOLE,
    WARC_NO_RECORD,    // bytes where no record begins
    WARC_HEADER,       // a header without end, or without type and length
    WARC_TOO_LONG,     // a block over 32 MiB
    WARC_NO_END,       // a block that is cut short, or without end
    WARC_STREAM,       // a broken gzip member or zstd frame
};

struct warc_record {           // all views; valid until the next call; p is NULL when absent
    struct bytes type;         // WARC-Type
    struct bytes url;          // WARC-Target-URI, without <>
    struct bytes date;         // WARC-Date
    struct bytes languages;    // WARC-Identified-Content-Language: "eng,fra", or empty
    struct bytes content_type;
    struct bytes content_length;    // as written
    struct bytes truncated;         // WARC-Truncated: why the block is not whole
    struct bytes block;
    uint64_t offset;    // of its first byte in the plain stream
    enum warc_loss lost;
    const char *trouble;    // of one that is lost: file, offset, trouble
};

struct warc_damage {
    uint64_t records;    // records lost, as far as can be seen
    uint64_t bytes;      // plain bytes passed over
    uint64_t mended;     // records handed out with another length than they say
    char last[512];      // what was said of the last one: file, offset, trouble; or ""
};

/* Takes s over. strict: damage is an error instead of a count. */
struct warc_reader *warc_open(struct stream *s, int strict);

/* 1 for a record, 0 at the end, -1 on a failed read (or damage, when strict). Of a header
 * field that is there twice, the last counts; folded ones are unfolded. */
int warc_next(struct warc_reader *r, struct warc_record *rec, struct err *err);

/* From now on a record that is lost, one of damage.records, makes warc_next() return 2: it has what
 * is known of it, fields and the first WARC_LOST_MAX bytes, as they came. */
enum { WARC_LOST_MAX = 1 << 20 };
void warc_tell_lost(struct warc_reader *r);

const struct warc_damage *warc_damage(const struct warc_reader *r);
const struct stream *warc_stream(const struct warc_reader *r);    // for its name and offsets
void warc_close(struct warc_reader *r);                           // and its stream; r may be NULL

#endif
