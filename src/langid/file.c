/* file.c - see file.h, and langid_save() in model.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "io/out.h"
#include "io/stream.h"
#include "langid/file.h"
#include "langid/langid.h"

enum { PIECE = 1 << 14, LINE_LENGTH = 4096 };    // numbers handled at a time; longest line

static const char *const store_names[] = {
    [LANGID_F32] = "f32", [LANGID_BF16] = "bf16", [LANGID_Q8] = "q8"
};
enum { N_STORE = sizeof(store_names) / sizeof(*store_names) };

static void put32(unsigned char *p, uint32_t x)
{
    p[0] = x & 0xFF;
    p[1] = x >> 8 & 0xFF;
    p[2] = x >> 16 & 0xFF;
    p[3] = x >> 24;
}

static uint32_t get32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t bits_of(float x)
{
    uint32_t u;

    memcpy(&u, &x, sizeof(u));
    return u;
}

static float float_of(uint32_t u)
{
    float x;

    memcpy(&x, &u, sizeof(x));
    return x;
}

static uint16_t bf16_of(float x)    // to the nearest, ties to even
{
    uint32_t u = bits_of(x);

    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

/* Writing */

static void add_f32(struct buf *b, const float *x, size_t n)
{
    unsigned char u[4];
    size_t i;

    for (i = 0; i < n; i++) {
        put32(u, bits_of(x[i]));
        buf_add(b, u, 4);
    }
}

static void add_bf16(struct buf *b, float x)
{
    uint16_t u = bf16_of(x);

    buf_add_byte(b, u & 0xFF);
    buf_add_byte(b, (unsigned char)(u >> 8));
}

/* The smallest scale that holds a row in -127 .. 127. */
static float scale_of(const float *row, size_t dim)
{
    float max = 0, scale;
    uint16_t u;
    size_t i;

    for (i = 0; i < dim; i++)
        max = fabsf(row[i]) > max ? fabsf(row[i]) : max;
    u = bf16_of(max / 127);
    scale = float_of((uint32_t)u << 16);
    return scale * 127 < max ? float_of((uint32_t)(u + 1) << 16) : scale;
}

static void add_q8(struct buf *b, const float *x, size_t ids, size_t dim)
{
    size_t i, j;

    for (i = 0; i < ids; i++)
        add_bf16(b, scale_of(x + i * dim, dim));
    for (i = 0; i < ids; i++) {
        float scale = scale_of(x + i * dim, dim);

        for (j = 0; j < dim; j++)
            buf_add_byte(b,
                         (unsigned char)(128 + (scale > 0 ? lrintf(x[i * dim + j] / scale) : 0)));
    }
}

static void add_embedding(struct buf *b, enum langid_store store, const float *x,
                          const struct langid_group *g)
{
    size_t n = (size_t)g->ids * (size_t)g->dim, i;

    if (store == LANGID_Q8) {
        add_q8(b, x, g->ids, (size_t)g->dim);
        return;
    }
    if (store == LANGID_F32) {
        add_f32(b, x, n);
        return;
    }
    for (i = 0; i < n; i++)
        add_bf16(b, x[i]);
}

static void add_header(struct buf *b, const struct langid *m, enum langid_store store)
{
    char name[LANGID_NAME];
    int i;

    buf_printf(b, "%s\norigin\t%s\nstore\t%s\nhidden\t%d\n", FILE_MAGIC, m->origin ? m->origin : "",
               store_names[store], m->shape.hidden);
    for (i = 0; i < m->shape.n_group; i++) {
        langid_group_name(&m->shape.group[i], name);
        buf_printf(b, "group\t%s\t%" PRIu32 "\t%d\n", name, m->shape.group[i].ids,
                   m->shape.group[i].dim);
    }
    for (i = 0; i < m->shape.n_label; i++)
        buf_printf(b, "label\t%s\t%.9g\n", m->label[i], (double)m->bar[i]);
    buf_add_str(b, "numbers\n");
}

static void add_all(struct buf *b, const struct langid *m, enum langid_store store)
{
    size_t width = (size_t)langid_width(&m->shape), hidden = (size_t)m->shape.hidden,
           labels = (size_t)m->shape.n_label;
    unsigned char sum[4];
    int g;

    add_header(b, m, store);
    for (g = 0; g < m->shape.n_group; g++)
        add_embedding(b, store, m->embed[g], &m->shape.group[g]);
    add_f32(b, m->hidden_w, width * hidden);
    add_f32(b, m->hidden_b, hidden);
    add_f32(b, m->out_w, hidden * labels);
    add_f32(b, m->out_b, labels);
    put32(sum, hash_crc32c(0, b->p, b->n));
    buf_add(b, sum, sizeof(sum));
}

int langid_save(const struct langid *m, enum langid_store store, const char *path, struct err *err)
{
    struct buf b = { 0 };
    struct err why;
    struct out *o;
    int bad;

    if (langid_check(m, &why) < 0)
        return err_set(err, "%s: %s", path, why.msg);
    o = out_open(path, err);
    if (!o)
        return -1;
    add_all(&b, m, store);
    bad = out_write(o, b.p, b.n, err);
    buf_release(&b);
    if (bad) {
        out_abandon(o);
        return -1;
    }
    return out_close(o, err);
}

/* Reading */

struct reader {
    struct stream *s;
    uint32_t sum;    // of all that was read
    unsigned char *piece;
    enum langid_store store;
    struct langid_shape shape;
    char *origin, *label[LANGID_LABEL_MAX];
    float bar[LANGID_LABEL_MAX];
};

static int trouble(const struct reader *r, const char *what, struct err *err)
{
    return err_set(err, "%s: byte %" PRIu64 ": %s", stream_path(r->s), stream_offset(r->s), what);
}

/* The next line, NUL-terminated, as up to four fields parted by tabs; how many, or -1. */
static int read_fields(struct reader *r, char *line, char **field, struct err *err)
{
    struct bytes b;
    int got = stream_line(r->s, &b, LINE_LENGTH - 1, err), n = 0;
    char *p = line;

    if (got < 0)
        return -1;
    if (!got || memchr(b.p, 0, b.n)) {
        trouble(r, got ? "a NUL among the words" : "cut short", err);
        return -1;
    }
    memcpy(line, b.p, b.n);
    line[b.n] = 0;
    r->sum = hash_crc32c(hash_crc32c(r->sum, b.p, b.n), "\n", 1);
    for (; n < 4; p++) {
        field[n++] = p;
        p = strchr(p, '\t');
        if (!p)
            return n;
        *p = 0;
    }
    trouble(r, "too many fields", err);
    return -1;
}

/* A whole number from 1 to max, else 0. */
static long whole(const char *s, long max)
{
    char *end;
    long x = *s >= '1' && *s <= '9' ? strtol(s, &end, 10) : 0;

    return x > 0 && x <= max && !*end ? x : 0;
}

static int read_group(struct reader *r, char **field, struct err *err)
{
    struct langid_group *g = &r->shape.group[r->shape.n_group];

    if (r->shape.n_group == LANGID_GROUP_MAX)
        return trouble(r, "too many groups", err);
    if (langid_group_parse(field[1], g) < 0)
        return trouble(r, "a group of an unknown kind", err);
    g->ids = (uint32_t)whole(field[2], LANGID_ID_MAX);
    g->dim = (int)whole(field[3], LANGID_DIM_MAX);
    if (!g->ids || !g->dim)
        return trouble(r, "a group's ids or dimensions are no number or too many", err);
    r->shape.n_group++;
    return 0;
}

static int read_label(struct reader *r, char **field, struct err *err)
{
    char *end;
    float bar = strtof(field[2], &end);

    if (r->shape.n_label == LANGID_LABEL_MAX)
        return trouble(r, "too many labels", err);
    if (end == field[2] || *end || !(bar >= 0 && bar <= 1))
        return trouble(r, "a label's bar is no probability", err);
    r->bar[r->shape.n_label] = bar;
    r->label[r->shape.n_label++] = xstrdup(field[1]);
    return 0;
}

static int read_store(struct reader *r, char **field, struct err *err)
{
    int i;

    for (i = 0; i < N_STORE; i++)
        if (!strcmp(field[1], store_names[i])) {
            r->store = (enum langid_store)i;
            return 0;
        }
    return trouble(r, "numbers of an unknown kind", err);
}

/* A line of the header: 1, 0 when it was the last, -1. */
static int read_word(struct reader *r, struct err *err)
{
    char line[LINE_LENGTH], *field[4];
    int n = read_fields(r, line, field, err);

    if (n < 0)
        return -1;
    if (n == 1 && !strcmp(field[0], "numbers"))
        return 0;
    if (n == 2 && !strcmp(field[0], "origin") && !r->origin) {
        r->origin = xstrdup(field[1]);
        return 1;
    }
    if (n == 2 && !strcmp(field[0], "store"))
        return read_store(r, field, err) < 0 ? -1 : 1;
    if (n == 2 && !strcmp(field[0], "hidden")) {
        r->shape.hidden = (int)whole(field[1], LANGID_HIDDEN_MAX);
        return 1;
    }
    if (n == 4 && !strcmp(field[0], "group"))
        return read_group(r, field, err) < 0 ? -1 : 1;
    if (n == 3 && !strcmp(field[0], "label"))
        return read_label(r, field, err) < 0 ? -1 : 1;
    return trouble(r, "a line of an unknown kind", err);
}

static int read_header(struct reader *r, struct err *err)
{
    char line[LINE_LENGTH], *field[4];
    int more;

    if (read_fields(r, line, field, err) < 0)
        return -1;
    if (strcmp(line, FILE_MAGIC) != 0)
        return trouble(r, "no model, or of another version", err);
    while ((more = read_word(r, err)) > 0)
        ;
    return more;
}

static int read_bytes(struct reader *r, size_t n, struct err *err)
{
    int got = stream_read_all(r->s, r->piece, n, err);

    if (got <= 0)
        return got < 0 ? -1 : trouble(r, "cut short", err);
    r->sum = hash_crc32c(r->sum, r->piece, n);
    return 0;
}

/* n numbers of size 4 (F32), 2 (BF16) or 1 ((byte - 128) * scale[i / dim]). */
static int read_numbers(struct reader *r, float *to, size_t n, size_t size, const float *scale,
                        size_t dim, struct err *err)
{
    size_t done, i, k;

    for (done = 0; done < n; done += k) {
        k = n - done < PIECE ? n - done : PIECE;
        if (read_bytes(r, k * size, err) < 0)
            return -1;
        for (i = 0; i < k; i++) {
            const unsigned char *p = r->piece + i * size;

            to[done + i] = size == 4   ? float_of(get32(p))
                           : size == 2 ? float_of((uint32_t)(p[0] | p[1] << 8) << 16)
                                       : (float)(*p - 128) * scale[(done + i) / dim];
        }
    }
    return 0;
}

static int read_embedding(struct reader *r, float *to, const struct langid_group *g,
                          struct err *err)
{
    size_t dim = (size_t)g->dim, n = g->ids * dim;
    float *scale;
    int bad;

    if (r->store == LANGID_F32)
        return read_numbers(r, to, n, 4, NULL, 1, err);
    if (r->store == LANGID_BF16)
        return read_numbers(r, to, n, 2, NULL, 1, err);
    scale = xcalloc(g->ids, sizeof(*scale));
    bad = read_numbers(r, scale, g->ids, 2, NULL, 1, err) < 0 ||
          read_numbers(r, to, n, 1, scale, dim, err) < 0;
    free(scale);
    return bad ? -1 : 0;
}

static int read_model(struct reader *r, struct langid *m, struct err *err)
{
    size_t width = (size_t)langid_width(&m->shape), hidden = (size_t)m->shape.hidden,
           labels = (size_t)m->shape.n_label;
    uint32_t sum;
    int g;

    for (g = 0; g < m->shape.n_group; g++)
        if (read_embedding(r, m->embed[g], &m->shape.group[g], err) < 0)
            return -1;
    if (read_numbers(r, m->hidden_w, width * hidden, 4, NULL, 1, err) < 0 ||
        read_numbers(r, m->hidden_b, hidden, 4, NULL, 1, err) < 0 ||
        read_numbers(r, m->out_w, hidden * labels, 4, NULL, 1, err) < 0 ||
        read_numbers(r, m->out_b, labels, 4, NULL, 1, err) < 0)
        return -1;
    sum = r->sum;
    if (read_bytes(r, 4, err) < 0)
        return -1;
    if (get32(r->piece) != sum)
        return trouble(r, "the checksum does not match", err);
    g = stream_read_all(r->s, r->piece, 1, err);
    return g > 0 ? trouble(r, "more than a model", err) : g;
}

static struct langid *read_all(struct reader *r, struct err *err)
{
    struct langid *m;
    struct err why;

    if (read_header(r, err) < 0)
        return NULL;
    m = langid_new(&r->shape, &why);
    if (!m) {
        err_set(err, "%s: %s", stream_path(r->s), why.msg);
        return NULL;
    }
    memcpy(m->label, r->label, sizeof(r->label));
    memcpy(m->bar, r->bar, sizeof(r->bar));
    memset(r->label, 0, sizeof(r->label));
    m->origin = r->origin;
    r->origin = NULL;
    if (read_model(r, m, err) == 0) {
        if (langid_check(m, &why) == 0)
            return m;
        err_set(err, "%s: %s", stream_path(r->s), why.msg);
    }
    langid_free(m);
    return NULL;
}

struct langid *file_read(struct stream *s, struct err *err)
{
    struct reader *r = xcalloc(1, sizeof(*r));
    struct langid *m;
    int i;

    r->s = s;
    r->piece = xmalloc((size_t)PIECE * 4);
    m = read_all(r, err);
    for (i = 0; i < LANGID_LABEL_MAX; i++)
        free(r->label[i]);
    free(r->origin);
    free(r->piece);
    free(r);
    return m;
}
