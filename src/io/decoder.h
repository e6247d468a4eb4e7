/* decoder.h - the plain bytes of a file or a pipe, member by member: the ground below stream.c.
 *
 * What is no member behind the last one is junk, and ends it; damage inside a member is told, and
 * the decoder goes on where a later one begins whole.
 */
#ifndef IO_DECODER_H
#define IO_DECODER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zstd.h>

#include "base/err.h"
#include "io/source.h"

struct inflater;

enum decoder_kind { DECODER_UNKNOWN, DECODER_PLAIN, DECODER_GZIP, DECODER_ZSTD };

struct decoder {    // all 0 before decoder_open(), and after it to be read alone
    struct source in;
    enum decoder_kind kind;
    int in_member, ended;
    int broken;                // `trouble` is to be told, then resume
    size_t search;             // where in the source resume begins to look
    uint64_t member_offset;    // of the current member, stored
    uint64_t member_plain;     // and plain
    uint64_t junk;             // stored bytes behind the last member
    struct err trouble;

    struct inflater *inflater;
    ZSTD_DCtx *zstd;
    unsigned char *to;    // where decoder_read() puts [fill, cap)
    size_t fill, cap;
    uint64_t offset;    // of to[0] among the plain bytes
};

int decoder_open(struct decoder *d, const char *path, struct err *err);    // 0 or -1
void decoder_close(struct decoder *d);    // d may be all 0, or half open

/* Up to n > 0 bytes into p, which is at offset of the plain bytes; 0 at the end; -1 when nothing
 * comes but damage or a failed read, which `trouble` names. */
ssize_t decoder_read(struct decoder *d, unsigned char *p, size_t n, uint64_t offset);

int decoder_resume(struct decoder *d, struct err *err);    // as stream_resume()

#endif
