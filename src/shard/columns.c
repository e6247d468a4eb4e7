/* columns.c - see columns.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "shard/columns.h"
#include "shard/ids.h"
#include "shard/shard_frame.h"

enum { TABLE_HEAD = 4, TABLE_ROW = 8, LANG_NAME_MAX = 64 };

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

size_t columns_size(size_t n, size_t bytes)
{
    return padded(TABLE_HEAD + n * TABLE_ROW) + bytes + n * 7;
}

const char *columns_parse(struct columns *c, struct bytes payload)
{
    size_t at, i;

    c->n = payload.n < TABLE_HEAD ? 0 : get32(payload.p);
    if (c->n < 1 || c->n > COLUMN_MAX || payload.n < TABLE_HEAD + c->n * TABLE_ROW)
        return "no table of columns";
    at = TABLE_HEAD + c->n * TABLE_ROW;
    for (i = 0; i < c->n; i++) {
        const unsigned char *row = payload.p + TABLE_HEAD + i * TABLE_ROW;
        struct column *col = &c->col[i];
        size_t n = get32(row + 4), begin = padded(at);

        if (begin > payload.n || n > payload.n - begin)
            return "a column runs over the end of the block";
        for (; at < begin; at++)
            if (payload.p[at])
                return "padding of a column is not zero";
        col->type = row[0];
        col->width = row[1];
        col->data = (struct bytes){ payload.p + begin, n };
        if (row[2] || row[3])
            return "unknown flags of a column";
        at += n;
    }
    for (i = 0; i < c->n; i++)
        if (columns_find(c, c->col[i].type) != &c->col[i])
            return "two columns of one type";
    return at == payload.n ? NULL : "bytes after the last column";
}

const struct column *columns_find(const struct columns *c, int type)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (c->col[i].type == type)
            return &c->col[i];
    return NULL;
}

void columns_add(struct columns *c, int type, int width, const struct buf *data)
{
    c->col[c->n++] = (struct column){ type, width, buf_bytes(data) };
}

static void pad(struct buf *b)
{
    while (b->n % 8)
        buf_add_byte(b, 0);
}

void columns_format(struct buf *b, const struct columns *c)
{
    unsigned char row[TABLE_ROW];
    size_t i;

    put32(row, (uint32_t)c->n);
    buf_add(b, row, TABLE_HEAD);
    for (i = 0; i < c->n; i++) {
        put32(row, (uint32_t)c->col[i].type | (uint32_t)c->col[i].width << 8);
        put32(row + 4, (uint32_t)c->col[i].data.n);
        buf_add(b, row, TABLE_ROW);
    }
    for (i = 0; i < c->n; i++) {
        pad(b);
        buf_add(b, c->col[i].data.p, c->col[i].data.n);
    }
}

size_t varint_size(uint32_t x)
{
    return 1 + (x >> 7 > 0) + (x >> 14 > 0) + (x >> 21 > 0) + (x >> 28 > 0);
}

void varint_put(struct buf *b, uint32_t x)
{
    for (; x >= 0x80; x >>= 7)
        buf_add_byte(b, (unsigned char)(x | 0x80));
    buf_add_byte(b, (unsigned char)x);
}

const char *column_lengths(const struct column *c, uint32_t n, uint32_t *to, uint64_t *sum)
{
    const unsigned char *p, *end;
    uint32_t i;

    if (!c)
        return "a column of lengths is missing";
    p = c->data.p;
    end = p + c->data.n;
    *sum = 0;
    if ((c->width && c->width != 4) || (c->width && c->data.n != (uint64_t)n * 4))
        return "a column of lengths has a wrong size";
    for (i = 0; i < n; i++) {
        uint64_t x = 0;
        unsigned shift = 0;

        if (c->width) {
            x = get32(p);
            p += 4;
        } else {
            do {
                if (p == end || shift > 28)
                    return "a length is cut short or too large";
                x |= (uint64_t)(*p & 0x7f) << shift;
                shift += 7;
            } while (*p++ & 0x80);
        }
        if (x > UINT32_MAX)
            return "a length is too large";
        to[i] = (uint32_t)x;
        *sum += x;
    }
    return p == end ? NULL : "a column of lengths has a wrong size";
}

int column_id_width(int64_t vocab)
{
    return vocab <= 65536 ? 2 : 3;
}

void column_put_ids(struct buf *b, const int32_t *id, size_t n, int width)
{
    unsigned char *p;
    size_t i;

    buf_need(b, b->n + n * (size_t)width);
    p = b->p + b->n;
    b->n += n * (size_t)width;
    if (width == 2) {
        for (i = 0; i < n; i++) {
            p[2 * i] = (unsigned char)id[i];
            p[2 * i + 1] = (unsigned char)(id[i] >> 8);
        }
        return;
    }
    for (i = 0; i < n; i++) {
        p[i] = (unsigned char)id[i];
        p[n + i] = (unsigned char)(id[i] >> 8);
        p[2 * n + i] = (unsigned char)(id[i] >> 16);
    }
}

static uint32_t id_at(const struct column *c, size_t i)
{
    const unsigned char *p = c->data.p;
    size_t n = c->data.n / 3;

    if (c->width == 2)
        return p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
    if (c->width == 3)
        return p[i] | (uint32_t)p[n + i] << 8 | (uint32_t)p[2 * n + i] << 16;
    return get32(p + 4 * i);
}

static uint32_t id_max(const struct column *c, uint64_t n)
{
    uint32_t max = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        uint32_t id = id_at(c, i);

        max = id > max ? id : max;
    }
    return max;
}

const char *column_check_ids(const struct column *c, uint64_t n, int64_t vocab)
{
    if (!c)
        return "a column of ids is missing";
    if (c->width < 2 || c->width > 4)
        return "ids of an unknown width";
    if (c->data.n % (size_t)c->width || c->data.n / (size_t)c->width != n)
        return "ids are not as many as the lengths add up to";
    if (n && id_max(c, n) >= vocab)
        return "an id is not below vocab.size";
    return NULL;
}

void column_ids(const struct column *c, size_t from, size_t n, int32_t *to)
{
    size_t i;

    if (c->width == 2) {
        const unsigned char *p = c->data.p + 2 * from;

        for (i = 0; i < n; i++)
            to[i] = p[2 * i] | p[2 * i + 1] << 8;
        return;
    }
    for (i = 0; i < n; i++)
        to[i] = (int32_t)id_at(c, from + i);
}

const char *column_check_records(const struct columns *c, uint32_t n, const struct langs *l)
{
    const struct column *doc = columns_find(c, COLUMN_DOC), *lang = columns_find(c, COLUMN_LANG);
    uint32_t i;

    if (!doc || doc->width != 8 || doc->data.n != (uint64_t)n * 8)
        return "document numbers are missing or not one for each record";
    if (!lang)
        return l->has_column ? "languages are missing" : NULL;
    if (lang->width != 1 || lang->data.n != n)
        return "languages are not one for each record";
    for (i = 0; i < n; i++)
        if (lang->data.p[i] >= l->n_map)
            return "a language that the header does not name";
    return NULL;
}

uint64_t column_doc(const struct columns *c, uint32_t i)
{
    return get64(columns_find(c, COLUMN_DOC)->data.p + (size_t)i * 8);
}

int column_lang(const struct columns *c, uint32_t i, const struct langs *l)
{
    const struct column *lang = columns_find(c, COLUMN_LANG);

    return l->map[lang ? lang->data.p[i] : 0];
}

static int lang_is_good(const char *name, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 127)
            return 0;
    return n > 0 && n <= LANG_NAME_MAX;
}

static int lang_number(struct langs *l, const char *name, size_t n)
{
    int i;

    for (i = 0; i < l->n; i++)
        if (strlen(l->name[i]) == n && !memcmp(l->name[i], name, n))
            return i;
    l->name = xreallocarray(l->name, (size_t)l->n + 1, sizeof(*l->name));
    l->name[l->n] = xstrndup(name, n);
    return l->n++;
}

int langs_join(struct langs *l, const struct shard_header *h, struct err *err)
{
    const char *list = shard_header_get(h, "langs"), *one = shard_header_get(h, "lang");

    l->has_column = list != NULL;
    l->n_map = 0;
    if (!list)
        list = one && *one ? one : "und";
    for (;;) {
        size_t n = l->has_column ? strcspn(list, ",") : strlen(list);

        if (!lang_is_good(list, n) || l->n_map == IDS_LANG_MAX || l->n == IDS_LANGS_MAX)
            return err_set(err, "header: lang= or langs= is not a list of at most %d languages",
                           IDS_LANG_MAX);
        l->map[l->n_map++] = lang_number(l, list, n);
        if (!list[n])
            return 0;
        list += n + 1;
    }
}

const char *langs_name(const struct langs *l, int lang)
{
    return lang >= 0 && lang < l->n ? l->name[lang] : "und";
}

void langs_release(struct langs *l)
{
    while (l->n > 0)
        free(l->name[--l->n]);
    free(l->name);
}

void origins_add(struct origins *o, uint64_t doc, int lang)
{
    unsigned char bytes[8];

    put64(bytes, doc);
    buf_add(&o->doc, bytes, sizeof(bytes));
    buf_add_byte(&o->lang, (unsigned char)lang);
    o->is_unsorted |= o->n && doc < o->last;
    o->last = doc;
    o->n++;
}

int origins_columns(const struct origins *o, struct columns *c, const struct langs *l)
{
    columns_add(c, COLUMN_DOC, 8, &o->doc);
    if (l->has_column)
        columns_add(c, COLUMN_LANG, 1, &o->lang);
    return o->is_unsorted ? 0 : SHARD_SORTED;
}

void origins_reset(struct origins *o)
{
    buf_reset(&o->doc);
    buf_reset(&o->lang);
    o->n = 0;
    o->is_unsorted = 0;
}

void origins_release(struct origins *o)
{
    buf_release(&o->doc);
    buf_release(&o->lang);
}

int64_t header_vocab(const struct shard_header *h, struct err *err)
{
    int64_t vocab = shard_header_int(h, "vocab.size", -1);

    if (vocab < 1 || vocab > IDS_VOCAB_MAX)
        return err_set(err, "header: vocab.size= is not a number from 1 to 16777216");
    return vocab;
}
