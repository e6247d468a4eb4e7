/* fuzz.h - a file made of the bytes that the fuzzer gives. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The path of a file in memory that holds data; valid until the next call. */
static inline const char *fuzz_file(const uint8_t *data, size_t n)
{
    static char path[40];
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("fuzz", 0);
    if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return path;
}

/* A promise that was not kept. */
static inline void fuzz_check(int kept)
{
    if (!kept)
        abort();
}

#endif
