/* print.c - see print.h. */
#include <string.h>

#include "base/mem.h"
#include "spm/encode.h"
#include "spm/print.h"

enum { DIGITS = 9, SPARE = 8 };    // of an id and a space; what is written past the last

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static unsigned char *put_number(unsigned char *p, uint32_t x)
{
    char digit[DIGITS + SPARE];    // an id is below 2^24
    size_t at = DIGITS;

    for (; x >= 100; x /= 100)
        memcpy(digit + (at -= 2), pairs + (size_t)2 * (x % 100), 2);
    if (x >= 10)
        memcpy(digit + (at -= 2), pairs + (size_t)2 * x, 2);
    else
        digit[--at] = (char)('0' + x);
    memcpy(p, digit + at, SPARE);
    return p + DIGITS - at;
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
