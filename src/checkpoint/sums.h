/* sums.h - what the files of a checkpoint hash to: files.xxh128 beside them, as xxh128sum(1) writes
 * and checks it. A byte of a weight that has changed is a weight: nothing else would tell. */
#ifndef CHECKPOINT_SUMS_H
#define CHECKPOINT_SUMS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct out;
struct sums;

struct sum {
    int64_t half[2];    // the bytes of the hash
};

extern const char sums_name[];

/* The file's; 0 or -1. */
int sum_file(const char *path, struct sum *sum, struct err *err);

/* A line of files.xxh128 for path, without its folder. */
int sums_put(struct out *o, const char *path, const struct sum *sum, struct err *err);

/* Those of the folder. NULL: there are none, or they cannot be read. */
struct sums *sums_open(const char *dir, struct err *err);

/* Is the file as it was written? -1: no, or it is not among them; err says so. */
int sums_check(const struct sums *s, const char *path, struct err *err);
void sums_close(struct sums *s);    // s may be NULL

#endif
