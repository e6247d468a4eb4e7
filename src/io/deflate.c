/* deflate.c - see deflate.h. */
#include <stdlib.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "base/die.h"
#include "io/deflate.h"

enum { FRAME = 64 };    // more than the header and trailer of a member

#ifdef HAVE_ISAL

enum { LEVEL = 3 };

void deflate_member(struct buf *b, struct bytes text)
{
    struct isal_zstream z;
    unsigned char *room = xmalloc(ISAL_DEF_LVL3_DEFAULT);
    size_t bound = text.n + text.n / 8 + FRAME;    // stored blocks at worst

    buf_need(b, b->n + bound);
    isal_deflate_stateless_init(&z);
    z.level = LEVEL;
    z.level_buf = room;
    z.level_buf_size = ISAL_DEF_LVL3_DEFAULT;
    z.gzip_flag = IGZIP_GZIP;
    z.end_of_stream = 1;
    z.next_in = (unsigned char *)text.p;
    z.avail_in = (uint32_t)text.n;
    z.next_out = b->p + b->n;
    z.avail_out = (uint32_t)bound;
    if (isal_deflate_stateless(&z) != COMP_OK)
        die("isal_deflate: no room");    // there is
    b->n += bound - z.avail_out;
    free(room);
}

#else

enum { LEVEL = 6 };

void deflate_member(struct buf *b, struct bytes text)
{
    z_stream z = { 0 };
    size_t bound;

    if (deflateInit2(&z, LEVEL, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        die("out of memory (zlib)");
    bound = deflateBound(&z, text.n) + FRAME;
    buf_need(b, b->n + bound);
    z.next_in = (unsigned char *)text.p;
    z.avail_in = (uInt)text.n;
    z.next_out = b->p + b->n;
    z.avail_out = (uInt)bound;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        die("zlib: no room");    // there is
    b->n += bound - z.avail_out;
    deflateEnd(&z);
}

#endif
