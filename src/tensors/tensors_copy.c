/* tensors_copy.c - see tensors.h: numbers out of a file, and files out of numbers. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/out.h"
#include "tensors/tensors.h"

const struct tensor_kind tensor_kinds[N_TENSOR_TYPE] = {
    [TENSOR_F32] = { "F32", 4 }, [TENSOR_I32] = { "I32", 4 },   [TENSOR_I64] = { "I64", 8 },
    [TENSOR_F16] = { "F16", 2 }, [TENSOR_BF16] = { "BF16", 2 }, [TENSOR_U8] = { "U8", 1 },
};

static float half_widen(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 1023, bits;
    float f;

    if (exp == 31) {
        bits = sign | 0x7F800000u | frac << 13;
    } else if (exp) {
        bits = sign | (exp + 112) << 23 | frac << 13;
    } else {    // zero and denormals: frac units of 2^-24
        f = (float)frac * 0x1p-24f;
        return sign ? -f : f;
    }
    memcpy(&f, &bits, 4);
    return f;
}

static int check_copy(const struct tensor *t, size_t n, struct err *err)
{
    if (t->n != n)
        return err_set(err, "%s: %zu elements, not %zu", t->name, t->n, n);
    return 0;
}

int tensor_copy_f32(const struct tensor *t, float *to, size_t n, struct err *err)
{
    const unsigned char *p = t->data;
    uint16_t half;
    uint32_t bits;
    size_t i;

    if (check_copy(t, n, err) < 0)
        return -1;
    switch (t->type) {
    case TENSOR_F32:
        if (n)
            memcpy(to, p, 4 * n);
        return 0;
    case TENSOR_F16:
        for (i = 0; i < n; i++) {
            memcpy(&half, p + 2 * i, 2);
            to[i] = half_widen(half);
        }
        return 0;
    case TENSOR_BF16:
        for (i = 0; i < n; i++) {
            memcpy(&half, p + 2 * i, 2);
            bits = (uint32_t)half << 16;
            memcpy(&to[i], &bits, 4);
        }
        return 0;
    default:
        return err_set(err, "%s: %s where fractions should be", t->name,
                       tensor_kinds[t->type].name);
    }
}

int tensor_copy_i32(const struct tensor *t, int32_t *to, size_t n, struct err *err)
{
    const unsigned char *p = t->data;
    int64_t x;
    size_t i;

    if (check_copy(t, n, err) < 0)
        return -1;
    switch (t->type) {
    case TENSOR_I32:
        if (n)
            memcpy(to, p, 4 * n);
        return 0;
    case TENSOR_I64:
        for (i = 0; i < n; i++) {
            memcpy(&x, p + 8 * i, 8);
            if (x < INT32_MIN || x > INT32_MAX)
                return err_set(err, "%s: element %zu: %lld is too large", t->name, i, (long long)x);
            to[i] = (int32_t)x;
        }
        return 0;
    default:
        return err_set(err, "%s: %s where whole numbers should be", t->name,
                       tensor_kinds[t->type].name);
    }
}

static uint16_t to_bf16(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, 4);
    if (x != x)
        return (uint16_t)(bits >> 16 | 0x40);    // a quiet NaN stays one
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static uint16_t to_half(float x)
{
    uint32_t bits, sign, frac, rest;
    int exp, shift;

    memcpy(&bits, &x, 4);
    sign = bits >> 16 & 0x8000;
    exp = (int)(bits >> 23 & 255) - 112;
    frac = bits & 0x7FFFFF;
    if (exp > 142)    // infinite or no number
        return (uint16_t)(sign | 0x7C00 | (frac ? 0x200 | frac >> 13 : 0));
    if (exp > 30)
        return (uint16_t)(sign | 0x7C00);
    if (exp < -10)
        return (uint16_t)sign;
    shift = exp > 0 ? 13 : 14 - exp;    // denormal: the leading 1 is written out
    frac = exp > 0 ? (uint32_t)exp << 23 | frac : 0x800000 | frac;
    rest = frac & ((1u << shift) - 1);
    frac >>= shift;
    frac += rest > 1u << (shift - 1) || (rest == 1u << (shift - 1) && frac & 1);
    return (uint16_t)(sign | frac);
}

void tensor_pack_f32(void *to, enum tensor_type type, const float *from, size_t n)
{
    unsigned char *p = to;
    uint16_t x;
    size_t i;

    if (type == TENSOR_F32) {
        memcpy(to, from, 4 * n);
        return;
    }
    for (i = 0; i < n; i++) {
        x = type == TENSOR_BF16 ? to_bf16(from[i]) : to_half(from[i]);
        memcpy(p + 2 * i, &x, 2);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct tensor *const *)a)->name,
                  (*(const struct tensor *const *)b)->name);
}

/* By length: io/json.h has a function of its own called as jansson's for C strings. */
static json_t *text_value(const char *s)
{
    return json_stringn(s, strlen(s));
}

/* The header: 8 bytes of length, JSON, spaces up to a multiple of 8. */
static void header_make(const struct tensor *const *t, size_t n, const char *const *meta,
                        struct buf *to)
{
    json_t *j = json_object(), *m = json_object();
    size_t i, at = 0, end;
    uint64_t len;
    char *text;
    int d;

    for (; meta && *meta; meta += 2)
        json_object_set_new(m, meta[0], text_value(meta[1]));
    if (json_object_size(m))
        json_object_set(j, "__metadata__", m);
    json_decref(m);
    for (i = 0; i < n; i++) {
        json_t *shape = json_array();

        for (d = 0; d < t[i]->n_dim; d++)
            json_array_append_new(shape, json_integer(t[i]->dim[d]));
        end = at + t[i]->n * tensor_kinds[t[i]->type].size;
        json_object_set_new(j, t[i]->name,
                            json_pack("{s:s, s:o, s:[I,I]}", "dtype", tensor_kinds[t[i]->type].name,
                                      "shape", shape, "data_offsets", (json_int_t)at,
                                      (json_int_t)end));
        at = end;
    }
    text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    len = (strlen(text) + 7) & ~(uint64_t)7;
    buf_add(to, &len, 8);
    buf_add_str(to, text);
    while (to->n < 8 + len)
        buf_add_byte(to, ' ');
    free(text);
}

struct supply {
    const void *(*data)(void *ctx, const struct tensor *t, struct err *err);
    void *ctx;
};

static int write_all(struct out *o, const struct buf *header, const struct tensor *const *t,
                     size_t n, const struct supply *from, struct err *err)
{
    const void *p;
    size_t i;

    if (out_write(o, header->p, header->n, err) < 0)
        return -1;
    for (i = 0; i < n; i++)
        if (!(p = from->data(from->ctx, t[i], err)) ||
            out_write(o, p, t[i]->n * tensor_kinds[t[i]->type].size, err) < 0)
            return -1;
    return 0;
}

static const void *own_data(void *ctx, const struct tensor *t, struct err *err)
{
    (void)ctx, (void)err;
    return t->data ? t->data : "";    // of none
}

int tensors_write(const char *path, const struct tensor *t, size_t n, const char *const *meta,
                  struct err *err)
{
    return tensors_write_from(path, t, n, meta, own_data, NULL, err);
}

int tensors_write_from(const char *path, const struct tensor *t, size_t n, const char *const *meta,
                       const void *(*data)(void *ctx, const struct tensor *t, struct err *err),
                       void *ctx, struct err *err)
{
    const struct supply from = { data, ctx };
    const struct tensor **in_order = xreallocarray(NULL, n, sizeof(struct tensor *));
    struct buf header = { 0 };
    struct out *o = NULL;
    size_t i;
    int rc = 0;

    for (i = 0; i < n; i++)
        in_order[i] = &t[i];
    if (n)
        qsort(in_order, n, sizeof(struct tensor *), by_name);
    for (i = 1; i < n && rc == 0; i++)
        if (!strcmp(in_order[i - 1]->name, in_order[i]->name))
            rc = err_set(err, "%s: %s comes twice", path, in_order[i]->name);
    if (rc == 0 && !(o = out_open(path, err)))
        rc = -1;
    if (rc == 0) {
        header_make(in_order, n, meta, &header);
        rc = write_all(o, &header, in_order, n, &from, err);
    }
    if (rc == 0)
        rc = out_close(o, err);
    else
        out_abandon(o);
    buf_release(&header);
    free(in_order);
    return rc;
}
