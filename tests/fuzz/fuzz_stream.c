/* fuzz_stream.c - any file can be read to its end: by pieces, by lines, by looking ahead. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "io/stream.h"

static uint64_t by_pieces(const char *path)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    unsigned char part[5000];
    uint64_t sum = 0;
    ssize_t got;

    fuzz_check(s != NULL);
    do {
        while ((got = stream_read(s, part, sizeof(part), &err)) > 0)
            sum += (uint64_t)got;
    } while (got < 0 && stream_resume(s, &err) > 0);
    fuzz_check(stream_offset(s) == sum);
    stream_close(s);
    return sum;
}

static void by_lines(const char *path, size_t max, uint64_t want)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    struct bytes line;
    int got;

    fuzz_check(s != NULL);
    do {
        err.msg[0] = 0;
        while ((got = stream_line(s, &line, max, &err)) > 0)
            fuzz_check(line.n <= max && (!line.n || !memchr(line.p, '\n', line.n)));
    } while (got < 0 && (strstr(err.msg, "longer than") || stream_resume(s, &err) > 0));
    fuzz_check(stream_offset(s) == want);
    stream_close(s);
}

static void by_peeking(const char *path, uint64_t want)
{
    struct err err;
    struct stream *s = stream_open(path, &err);
    const unsigned char *p;
    unsigned char c;
    ssize_t there;

    fuzz_check(s != NULL);
    do {
        while ((there = stream_peek(s, 300, &p, &err)) > 0) {
            unsigned char first = p[0];

            fuzz_check(stream_read(s, &c, 1, &err) == 1 && c == first);
        }
    } while (there < 0 && stream_resume(s, &err) > 0);
    fuzz_check(stream_offset(s) == want);
    stream_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *path = fuzz_file(data, n);
    uint64_t sum = by_pieces(path);

    by_lines(path, 50, sum);
    by_lines(path, 1 << 20, sum);
    if (sum < 100000)
        by_peeking(path, sum);
    return 0;
}
