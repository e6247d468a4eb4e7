/* inflate.h - the parts of a gzip member: header, deflate data decoded piece by piece, and
 * trailer. The engine below stream.c: ISA-L where it was there at build time, else zlib. */
#ifndef IO_INFLATE_H
#define IO_INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The size of the gzip header at p: 0 when n bytes are not all of it, -1 when it is none
 * (its first two bytes are taken for granted). */
ssize_t gzip_header(const unsigned char *p, size_t n);

struct inflater;

enum { INFLATE_BAD = -1, INFLATE_MORE, INFLATE_END };

struct inflater *inflater_new(void);
void inflater_free(struct inflater *d);    // d may be NULL
void inflater_start(struct inflater *d);

/* Decode [*in, in_end) to [*out, out_end) and move both. INFLATE_MORE: room for output is
 * left only if all input was used up. INFLATE_END: *in is just after the last deflate
 * byte, which may be up to 8 bytes before where it stood: what was decoded before must
 * still lie there. INFLATE_BAD: the last bytes before the damage may be missing, or a few
 * be there that were decoded from it. */
int inflater_run(struct inflater *d, const unsigned char **in, const unsigned char *in_end,
                 unsigned char **out, unsigned char *out_end);

uint32_t inflater_crc(const struct inflater *d);     // of what was decoded since the start
uint32_t inflater_size(const struct inflater *d);    // modulo 2^32

/* Do the 8 bytes at p, the trailer, agree with what was decoded? 0, or -1 and why not. */
int gzip_trailer(const struct inflater *d, const unsigned char *p, const char **trouble);

#endif
