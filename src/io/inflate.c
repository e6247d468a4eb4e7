/* inflate.c - see inflate.h.
 *
 * Headers and trailers are read here by hand, the same for both engines, so that they cannot
 * differ in what they take for a whole member.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "base/die.h"
#include "base/mem.h"
#include "io/inflate.h"

/* The size of the gzip header at p: 0 when n bytes are not all of it, -1 when it is none. */
ssize_t gzip_header(const unsigned char *p, size_t n)
{
    enum { HCRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
    size_t size = 10;
    int flag;

    if ((n > 2 && p[2] != 8) || (n > 3 && p[3] & RESERVED))
        return -1;
    if (n < size)
        return 0;
    if (p[3] & EXTRA) {
        if (n < size + 2)
            return 0;
        size += 2 + (p[size] | (size_t)p[size + 1] << 8);
    }
    for (flag = NAME; flag <= COMMENT; flag *= 2)
        if (p[3] & flag) {
            const unsigned char *nul = n > size ? memchr(p + size, 0, n - size) : NULL;

            if (!nul)
                return 0;
            size = (size_t)(nul - p) + 1;
        }
    if (p[3] & HCRC) {
        if (n < size + 2)
            return 0;
        if ((crc32(0, p, (uInt)size) & 0xffff) != (p[size] | (uint32_t)p[size + 1] << 8))
            return -1;
        size += 2;
    }
    return n < size ? 0 : (ssize_t)size;
}

static uint32_t le32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#ifdef HAVE_ISAL

/* After bad data ISA-L counts bytes as written that it has not written (a copy of up to 258
 * bytes from before the beginning, say): the last ones of a call that ends so are not to be
 * believed. */
enum { DOUBTFUL = 512 };

struct inflater {
    struct inflate_state z;
    uint32_t size;
};

struct inflater *inflater_new(void)
{
    return xcalloc(1, sizeof(struct inflater));    // so that it cannot show what lay there
}

void inflater_free(struct inflater *d)
{
    free(d);
}

void inflater_start(struct inflater *d)
{
    isal_inflate_init(&d->z);
    d->z.crc_flag = ISAL_GZIP_NO_HDR;
    d->size = 0;
}

int inflater_run(struct inflater *d, const unsigned char **in, const unsigned char *in_end,
                 unsigned char **out, unsigned char *out_end)
{
    unsigned char *before = *out;
    int r;

    d->z.next_in = (uint8_t *)*in;
    d->z.avail_in = (uint32_t)(in_end - *in);
    d->z.next_out = *out;
    d->z.avail_out = (uint32_t)(out_end - *out);
    r = isal_inflate(&d->z);
    d->size += (uint32_t)(d->z.next_out - *out);
    *in = d->z.next_in;
    *out = d->z.next_out;
    if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT && r != ISAL_OUT_OVERFLOW) {
        *out -= *out - before < DOUBTFUL ? *out - before : DOUBTFUL;
        return INFLATE_BAD;
    }
    if (d->z.block_state != ISAL_BLOCK_FINISH)
        return INFLATE_MORE;
    *in -= d->z.read_in_length / 8;    // whole bytes that it took but did not need
    return INFLATE_END;
}

uint32_t inflater_crc(const struct inflater *d)
{
    return d->z.crc;
}

#else

struct inflater {
    z_stream z;
    uint32_t crc, size;
};

struct inflater *inflater_new(void)
{
    struct inflater *d = xcalloc(1, sizeof(*d));

    if (inflateInit2(&d->z, -15) != Z_OK)
        die("out of memory (zlib)");
    return d;
}

void inflater_free(struct inflater *d)
{
    if (d)
        inflateEnd(&d->z);
    free(d);
}

void inflater_start(struct inflater *d)
{
    inflateReset(&d->z);
    d->crc = 0;
    d->size = 0;
}

int inflater_run(struct inflater *d, const unsigned char **in, const unsigned char *in_end,
                 unsigned char **out, unsigned char *out_end)
{
    int r;

    d->z.next_in = (unsigned char *)*in;
    d->z.avail_in = (uInt)(in_end - *in);
    d->z.next_out = *out;
    d->z.avail_out = (uInt)(out_end - *out);
    r = inflate(&d->z, Z_NO_FLUSH);
    d->crc = (uint32_t)crc32(d->crc, *out, (uInt)(d->z.next_out - *out));
    d->size += (uint32_t)(d->z.next_out - *out);
    *in = d->z.next_in;
    *out = d->z.next_out;
    if (r == Z_MEM_ERROR)
        die("out of memory (zlib)");
    if (r == Z_STREAM_END)
        return INFLATE_END;
    return r == Z_OK || r == Z_BUF_ERROR ? INFLATE_MORE : INFLATE_BAD;
}

uint32_t inflater_crc(const struct inflater *d)
{
    return d->crc;
}

#endif

uint32_t inflater_size(const struct inflater *d)
{
    return d->size;
}

int gzip_trailer(const struct inflater *d, const unsigned char *p, const char **trouble)
{
    if (le32(p) != inflater_crc(d))
        *trouble = "checksum does not match";
    else if (le32(p + 4) != inflater_size(d))
        *trouble = "size does not match";
    else
        return 0;
    return -1;
}
