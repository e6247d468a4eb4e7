/* print.c - see print.h. */
#include <string.h>

#include "base/mem.h"
#include "spm/encode.h"
#include "spm/print.h"

enum { DIGITS = 9, SPARE = 8 };    // of an id and a space; what is written past the last

/* All eight digits at once, the first in the lowest byte; then those after the zeros. Eight bytes
 * can be written. */
static inline unsigned char *put_number(unsigned char *p, uint32_t x)
{
    uint64_t d = x / 10000 | (uint64_t)(x % 10000) << 32, q;    // two numbers below 10,000
    unsigned zeros;

    q = (d * 10486 >> 20) & 0x0000007F0000007Fu;    // four below 100
    d = q | (d - 100 * q) << 16;
    q = (d * 103 >> 10) & 0x000F000F000F000Fu;    // eight below 10
    d = q | (d - 10 * q) << 8;
    zeros = (unsigned)__builtin_ctzll(d | (uint64_t)1 << 56) / 8;
    d = (d | 0x3030303030303030u) >> 8 * zeros;
    memcpy(p, &d, sizeof(d));
    return p + 8 - zeros;
}

void print_ids(struct buf *b, const struct encoding *e)
{
    unsigned char *p;
    size_t i;

    buf_need(b, b->n + DIGITS * e->n + SPARE);
    p = b->p + b->n;
    for (i = 0; i < e->n; i++) {
        if (i)
            *p++ = ' ';
        p = put_number(p, (uint32_t)e->id[i]);
    }
    b->n = (size_t)(p - b->p);
}

void print_pieces(struct buf *b, const struct encoding *e, const struct vocab *v)
{
    size_t from = b->n, i;

    for (i = 0; i < e->n; i++) {
        if (i)
            buf_add_byte(b, ' ');
        encoding_piece(e, v, i, b);
    }
    for (i = from; i < b->n; i++)
        if (b->p[i] == '\n')
            b->p[i] = ' ';
}
