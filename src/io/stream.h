/* stream.h - bytes of a file or a pipe, decompressed as they come.
 *
 * Plain, gzip (one or many members) and zstd (one or many frames) are told apart by
 * their first bytes. Junk after the last gzip member (zeros, garbage) ends the stream
 * and is counted, as gzip(1) does; damage inside a member is an error, and where a
 * later member begins whole the stream can go on from there.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"

struct err;
struct stream;

/* Open path ("-" is standard input). NULL on failure: err says why. */
struct stream *stream_open(const char *path, struct err *err);

/* Up to n bytes into p; 0 at the end, -1 on damage or a failed read. Short reads happen:
 * what was decoded before the damage is handed out first. */
ssize_t stream_read(struct stream *s, void *p, size_t n, struct err *err);

/* Exactly n bytes: 1; 0 at a clean end before the first byte; -1 on damage, on a failed
 * read and on an end in between ("cut short"). */
int stream_read_all(struct stream *s, void *p, size_t n, struct err *err);

/* The next line without its LF (a CR before it stays); *line is valid until the next call
 * on s. 1, or 0 at the end, or -1 on damage. A last line without LF is a line. A line
 * longer than max is an error; so that a stream can go on, its rest is skipped. A line that
 * damage cuts off is lost with it. */
int stream_line(struct stream *s, struct bytes *line, size_t max, struct err *err);

/* Look at the next bytes without taking them: at least want of them unless the end or
 * damage is nearer. Returns how many there are, 0 at the end, -1 on damage when there are
 * none before it. want is at most 64 KiB. */
ssize_t stream_peek(struct stream *s, size_t want, const unsigned char **p, struct err *err);

/* After damage: skip to the next gzip member or zstd frame that starts whole. 1 when one
 * was found, 0 at the end, -1 when it was the read that failed. Bytes decoded before the
 * damage but not taken yet are dropped. */
int stream_resume(struct stream *s, struct err *err);

/* Whether the last error was damage, so that nothing more comes until stream_resume(). */
int stream_broken(const struct stream *s);

/* Plain offset of the first byte of the gzip member or zstd frame in which the last damage
 * was found: what was handed out from there on is not vouched for by its checksum. */
uint64_t stream_damaged_from(const struct stream *s);

const char *stream_path(const struct stream *s);        // "standard input" for "-"
uint64_t stream_offset(const struct stream *s);         // plain bytes handed out so far
uint64_t stream_file_offset(const struct stream *s);    // stored bytes taken from the file so far
uint64_t stream_junk(const struct stream *s);           // bytes after the last gzip member
void stream_close(struct stream *s);                    // s may be NULL

#endif
