/* out.h - bytes to a file or a pipe: checked to the last one, whole or not at all.
 *
 * A file is written as PATH.part beside it and renamed by out_close(); until then PATH is
 * untouched. A symbolic link is followed. What is there already and no regular file
 * (/dev/null, a fifo) is written to as it stands. A process that exits, or dies, before
 * out_close() leaves no PATH.part. Names that end in .gz and .zst are compressed. "-" is
 * standard output. A pipe whose reader has gone ends the process by SIGPIPE, as with any
 * filter. Different outs may be used by different threads.
 */
#ifndef IO_OUT_H
#define IO_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct out;

/* NULL on failure: err says why. */
struct out *out_open(const char *path, struct err *err);

/* 0, or -1 (a full disk, a failed write); once failed, it stays failed. */
int out_write(struct out *o, const void *p, size_t n, struct err *err);
int out_printf(struct out *o, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int out_flush(struct out *o, struct err *err);    // so that a reader of the pipe sees it

uint64_t out_offset(const struct out *o);    // plain bytes written so far
int out_is_terminal(const struct out *o);

/* Flush, sync and rename; frees o whatever happens. 0 or -1: then PATH is as it was. */
int out_close(struct out *o, struct err *err);

void out_abandon(struct out *o);    // removes the .part file; o may be NULL

/* Standard output through stdio, for tools that print() text: dies if a byte was lost. */
void out_close_stdout(void);

#endif
