/* matrix.c - see matrix.h. */
#include <stdint.h>
#include <string.h>

#include "generate/matrix.h"
#include "kernel/kernel.h"

int matrix_takes(enum tensor_type type)
{
    return type == TENSOR_F32 || type == TENSOR_F16 || type == TENSOR_BF16;
}

int matrix_is_plain(const struct matrix *m)
{
    return m->type == TENSOR_F32 && (uintptr_t)m->data % sizeof(float) == 0;
}

static void widen(enum tensor_type type, float *to, const uint16_t *from, size_t n)
{
    if (type == TENSOR_F16)
        kern.whole_f16(to, from, n);
    else
        kern.whole(to, from, n);
}

/* Halves at an odd address, a few at a time from where they may be read. */
static void widen_odd(enum tensor_type type, float *to, const unsigned char *from, size_t n)
{
    uint16_t some[256];
    size_t i, k;

    for (i = 0; i < n; i += k) {
        k = n - i < 256 ? n - i : 256;
        memcpy(some, from + 2 * i, 2 * k);
        widen(type, to + i, some, k);
    }
}

const float *matrix_floats(const struct matrix *m, size_t at, size_t n, float *room)
{
    const unsigned char *from = (const unsigned char *)m->data + at * tensor_kinds[m->type].size;

    if (matrix_is_plain(m))
        return (const float *)m->data + at;
    if (m->type == TENSOR_F32)
        memcpy(room, from, n * sizeof(*room));
    else if ((uintptr_t)from % sizeof(uint16_t) == 0)
        widen(m->type, room, (const uint16_t *)(const void *)from, n);
    else
        widen_odd(m->type, room, from, n);
    return room;
}
