/* chunk.c - see chunk.h. The calls of read and inflate are those of CPython 3.11's gzip.py. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/die.h"
#include "base/err.h"
#include "crawl/chunk.h"
#include "io/inflate.h"

enum { PIECE = 8192, HEADER_MAX = 1 << 16 };

struct chunks {
    FILE *in;
    const char *path;
    unsigned char raw[HEADER_MAX + PIECE], out[PIECE];
    size_t at, n;    // of raw
    unsigned long long stored;
    int is_gzip;
    enum { BETWEEN, WITHIN, BEHIND } place;    // BEHIND the data, before the trailer
    int first;                                 // no member was begun yet
    unsigned long crc, size;                   // of the member so far
    z_stream z;
};

/* Have n bytes in raw, if the file has them. */
static int need(struct chunks *c, size_t n, struct err *err)
{
    size_t got;

    if (c->n - c->at >= n)
        return 0;
    memmove(c->raw, c->raw + c->at, c->n - c->at);
    c->n -= c->at;
    c->at = 0;
    got = fread(c->raw + c->n, 1, n - c->n, c->in);
    c->n += got;
    c->stored += got;
    return ferror(c->in) ? err_set(err, "%s: %s", c->path, strerror(errno)) : 0;
}

struct chunks *chunks_open(const char *path, struct err *err)
{
    struct chunks *c = xcalloc(1, sizeof(*c));
    size_t n = strlen(path);
    int std = !strcmp(path, "-");

    c->first = 1;
    c->path = std ? "standard input" : path;
    c->in = std ? stdin : fopen(path, "rb");
    if (!c->in) {
        err_set(err, "%s: %s", path, strerror(errno));
        free(c);
        return NULL;
    }
    if (inflateInit2(&c->z, -15) != Z_OK)
        die("out of memory (zlib)");
    if (need(c, 2, err) < 0) {
        chunks_close(c);
        return NULL;
    }
    c->is_gzip = (n >= 3 && !strcmp(path + n - 3, ".gz")) ||
                 (c->n >= 2 && c->raw[0] == 0x1f && c->raw[1] == 0x8b);
    return c;
}

/* Past the zeros after a member, and the header of the next: 1, 0 at the end, -1. */
static int begin(struct chunks *c, struct err *err)
{
    ssize_t size = 0;
    size_t want;

    for (;;) {
        if (need(c, 2, err) < 0)
            return -1;
        if (c->first || c->at == c->n || c->raw[c->at])
            break;
        c->at++;
    }
    if (c->at == c->n)
        return 0;
    if (c->n - c->at < 2 || c->raw[c->at] != 0x1f || c->raw[c->at + 1] != 0x8b)
        return err_set(err, "%s: not a gzip member", c->path);
    for (want = 1024; !size && want <= HEADER_MAX; want *= 4) {
        if (need(c, want, err) < 0)
            return -1;
        size = gzip_header(c->raw + c->at, c->n - c->at);
    }
    if (size <= 0)
        return err_set(err, "%s: %s", c->path, size ? "header is damaged" : "cut short");
    c->at += (size_t)size;
    inflateReset(&c->z);
    c->crc = crc32(0, NULL, 0);
    c->size = 0;
    c->first = 0;
    c->place = WITHIN;
    return 1;
}

static unsigned long le32(const unsigned char *p)
{
    return p[0] | (unsigned long)p[1] << 8 | (unsigned long)p[2] << 16 | (unsigned long)p[3] << 24;
}

static int end(struct chunks *c, struct err *err)
{
    const unsigned char *p;

    c->place = BETWEEN;
    if (need(c, 8, err) < 0)
        return -1;
    p = c->raw + c->at;
    if (c->n - c->at < 8)
        return err_set(err, "%s: cut short", c->path);
    if (le32(p) != c->crc || le32(p + 4) != (c->size & 0xffffffff))
        return err_set(err, "%s: checksum or size does not match", c->path);
    c->at += 8;
    return 0;
}

static int next_gzip(struct chunks *c, struct bytes *piece, struct err *err)
{
    int got, r;

    do {
        if (c->place == BEHIND && end(c, err) < 0)
            return -1;
        if (c->place == BETWEEN && (got = begin(c, err)) <= 0)
            return got;
        if (need(c, PIECE, err) < 0)
            return -1;
        c->z.next_in = c->raw + c->at;
        c->z.avail_in = (uInt)(c->n - c->at < PIECE ? c->n - c->at : PIECE);
        if (!c->z.avail_in)
            return err_set(err, "%s: cut short", c->path);
        c->z.next_out = c->out;
        c->z.avail_out = PIECE;
        r = inflate(&c->z, Z_SYNC_FLUSH);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
            return err_set(err, "%s: %s", c->path, c->z.msg ? c->z.msg : "data is damaged");
        c->at = (size_t)(c->z.next_in - c->raw);
        if (r == Z_STREAM_END)
            c->place = BEHIND;
        *piece = (struct bytes){ c->out, PIECE - c->z.avail_out };
        c->crc = crc32(c->crc, piece->p, (uInt)piece->n);
        c->size += piece->n;
    } while (!piece->n);
    return 1;
}

int chunks_next(struct chunks *c, struct bytes *piece, struct err *err)
{
    if (c->is_gzip)
        return next_gzip(c, piece, err);
    if (need(c, PIECE, err) < 0)
        return -1;
    *piece = (struct bytes){ c->raw + c->at, c->n - c->at };
    c->at = c->n;
    return piece->n > 0;
}

unsigned long long chunks_stored(const struct chunks *c)
{
    return c->stored;
}

const char *chunks_path(const struct chunks *c)
{
    return c->path;
}

void chunks_close(struct chunks *c)
{
    if (!c)
        return;
    inflateEnd(&c->z);
    if (c->in != stdin)
        fclose(c->in);
    free(c);
}
