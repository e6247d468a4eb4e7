/* source.h - the stored bytes of a file or a pipe, with some of those that went by: the
 * ground below stream.c. */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum {
    SOURCE_CHUNK = 1 << 18,    // one read
    SOURCE_HOLD = 1 << 20,     // most bytes held before `at`
};

struct source {
    char *path;    // "standard input" for "-"
    int fd, failed;
    unsigned char *raw;
    size_t at, end;         // raw[at, end) is not taken yet
    size_t member;          // raw[member, at) is held; a longer one loses its start
    uint64_t raw_offset;    // of raw[0] in the file
};

/* 0, or -1. "-" is standard input. */
int source_open(struct source *s, const char *path, struct err *err);
void source_close(struct source *s);

/* One read more: 1, 0 at the end of the file, -1 when it failed. Moves raw's contents. */
int source_more(struct source *s, struct err *err);

/* At least want bytes (up to SOURCE_CHUNK) at raw[at], if the file has them: how many there
 * are, -1 when a read failed. */
ssize_t source_need(struct source *s, size_t want, struct err *err);

/* Past raw, which must be empty: read(2) to p. */
ssize_t source_read(struct source *s, void *p, size_t n, struct err *err);

uint64_t source_offset(const struct source *s);    // of raw[at] in the file

#endif
