/* tfrecord.c - TFRecord of tf.Example; see foreign.h.
 *
 * A record is a length, its checksum, the data, and their checksum, CRC-32C both, rotated and moved
 * by a constant. An Example is a map from names to lists of numbers: messages of protobuf.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "io/out.h"
#include "io/stream.h"
#include "reshard/foreign.h"
#include "reshard/import.h"
#include "reshard/rewrite.h"
#include "shard/shard.h"
#include "spm/proto.h"

enum { EXAMPLE_MAX = 64 << 20 };

static void put_le(unsigned char *p, uint64_t x, int n)
{
    int i;

    for (i = 0; i < n; i++)
        p[i] = (unsigned char)(x >> 8 * i);
}

static uint64_t get_le(const unsigned char *p, int n)
{
    uint64_t x = 0;

    while (n-- > 0)
        x = x << 8 | p[n];
    return x;
}

static uint32_t masked_crc(const void *p, size_t n)
{
    uint32_t crc = hash_crc32c(0, p, n);

    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

static void put_varint(struct buf *b, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        buf_add_byte(b, (unsigned char)(x | 0x80));
    buf_add_byte(b, (unsigned char)x);
}

static void put_message(struct buf *b, int field, const struct buf *m)
{
    put_varint(b, (uint64_t)field << 3 | 2);
    put_varint(b, m->n);
    buf_add(b, m->p, m->n);
}

struct export
{
    struct out *out;
    struct buf list, feature, entry, map, example;
};

/* A feature: a name and the ids, as an entry of the map. */
static void put_feature(struct export *x, const char *name, const int32_t *id, size_t n)
{
    struct buf ids = { 0 }, word = { 0 };
    size_t i;

    for (i = 0; i < n; i++)
        put_varint(&ids, (uint64_t)id[i]);
    buf_add_str(&word, name);
    buf_reset(&x->list);
    buf_reset(&x->feature);
    buf_reset(&x->entry);
    put_message(&x->list, 1, &ids);
    put_message(&x->feature, 3, &x->list);
    put_message(&x->entry, 1, &word);
    put_message(&x->entry, 2, &x->feature);
    put_message(&x->map, 1, &x->entry);
    buf_release(&ids);
    buf_release(&word);
}

static int put_example(struct export *x, struct err *err)
{
    unsigned char head[12], tail[4];

    buf_reset(&x->example);
    put_message(&x->example, 1, &x->map);
    buf_reset(&x->map);
    put_le(head, x->example.n, 8);
    put_le(head + 8, masked_crc(head, 8), 4);
    put_le(tail, masked_crc(x->example.p, x->example.n), 4);
    return out_write(x->out, head, sizeof(head), err) < 0 ||
                   out_write(x->out, x->example.p, x->example.n, err) < 0 ||
                   out_write(x->out, tail, sizeof(tail), err) < 0
               ? -1
               : 0;
}

static int put_record(void *ctx, const struct record *rec, struct err *err)
{
    struct export *x = ctx;
    const int32_t *input = rec->row.input, *target = rec->row.target;
    size_t i;

    if (!rec->has_target) {
        put_feature(x, "targets", input, rec->row.n_input);
        return put_example(x, err);
    }
    for (i = 0; i < rec->row.n_segment; i++) {
        put_feature(x, "inputs", input, rec->row.segment_input[i]);
        put_feature(x, "targets", target, rec->row.segment_target[i]);
        if (put_example(x, err) < 0)
            return -1;
        input += rec->row.segment_input[i];
        target += rec->row.segment_target[i];
    }
    return 0;
}

int export_tfrecord(char *const *path, const char *to, struct err *err)
{
    struct export x = { .out = out_open(to, err) };
    int bad = x.out ? rewrite_each(path, put_record, &x, err) : -1;

    if (x.out && !bad)
        bad = out_close(x.out, err);
    else
        out_abandon(x.out);
    buf_release(&x.list);
    buf_release(&x.feature);
    buf_release(&x.entry);
    buf_release(&x.map);
    buf_release(&x.example);
    return bad ? -1 : 0;
}

/* Importing. */

struct lists {    // views into the Example: the messages of the two lists
    struct bytes input, target;
    int has_input, has_target;
};

/* Ids of an Int64List, packed or not, into im from n on. */
static int read_list(const struct proto *up, struct bytes list, struct import *im, size_t *n,
                     struct err *err)
{
    struct proto r = proto_inside(up, list);
    struct proto_field f;
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        struct bytes one = f.b;
        uint64_t x = 0;
        unsigned shift = 0;

        if (f.number != 1)
            continue;
        if (f.wire == PROTO_VARINT) {
            import_room(im, *n + 1);
            im->id[(*n)++] = f.value > INT32_MAX ? -1 : (int32_t)f.value;
            continue;
        }
        for (; one.n; one.p++, one.n--) {
            x |= shift < 64 ? (uint64_t)(*one.p & 0x7F) << shift : 0;
            shift += 7;
            if (*one.p & 0x80)
                continue;
            import_room(im, *n + 1);
            im->id[(*n)++] = x > INT32_MAX ? -1 : (int32_t)x;
            x = shift = 0;
        }
        if (shift)
            return err_set(err, "%s: a number has no end", up->path);
    }
    return got;
}

/* The Int64List of a feature. */
static int read_feature(const struct proto *up, struct bytes feature, struct bytes *list,
                        struct err *err)
{
    struct proto r = proto_inside(up, feature);
    struct proto_field f;
    int got;

    *list = (struct bytes){ NULL, 0 };
    while ((got = proto_next(&r, &f, err)) == 1) {
        if (f.number == 3 && f.wire == PROTO_LENGTH)
            *list = f.b;
        else
            return err_set(err, "%s: a feature that is no list of whole numbers", up->path);
    }
    return got;
}

static int is(struct bytes s, const char *word)
{
    return s.n == strlen(word) && !memcmp(s.p, word, s.n);
}

static int read_entry(const struct proto *up, struct bytes entry, struct lists *l, struct err *err)
{
    struct proto r = proto_inside(up, entry);
    struct proto_field f;
    struct bytes key = { 0 }, feature = { 0 };
    int got;

    while ((got = proto_next(&r, &f, err)) == 1) {
        if (f.number == 1)
            key = f.b;
        else if (f.number == 2)
            feature = f.b;
    }
    if (got == 0 && is(key, "inputs")) {
        l->has_input = 1;
        got = read_feature(up, feature, &l->input, err);
    } else if (got == 0 && is(key, "targets")) {
        l->has_target = 1;
        got = read_feature(up, feature, &l->target, err);
    }
    return got;
}

static int read_example(const char *path, struct bytes whole, struct import *im, struct err *err)
{
    struct proto top = { whole, &whole, path }, map;
    struct proto_field f, e;
    struct lists l = { 0 };
    size_t n = 0, n_input;
    int got, more;

    while ((got = proto_next(&top, &f, err)) == 1) {
        if (f.number != 1 || f.wire != PROTO_LENGTH)
            continue;
        map = proto_inside(&top, f.b);
        while ((more = proto_next(&map, &e, err)) == 1)
            if (e.number == 1 && read_entry(&map, e.b, &l, err) < 0)
                return -1;
        if (more < 0)
            return -1;
    }
    if (got < 0)
        return -1;
    if (!l.has_target || (im->plan->inputs && !l.has_input))
        return err_set(err, "an Example without %s", l.has_target ? "inputs" : "targets");
    if (im->plan->inputs && read_list(&top, l.input, im, &n, err) < 0)
        return -1;
    n_input = n;
    if (read_list(&top, l.target, im, &n, err) < 0)
        return -1;
    return im->plan->inputs ? import_put_row(im, n_input, n - n_input, err)
                            : import_put(im, n, err);
}

/* The data of the next record into b: 1, 0 at the end, -1. */
static int read_record(struct stream *s, struct buf *b, struct err *err)
{
    unsigned char head[12];
    uint64_t at = stream_offset(s), n;
    int got = stream_read_all(s, head, sizeof(head), err);

    if (got <= 0)
        return got;
    n = get_le(head, 8);
    if (get_le(head + 8, 4) != masked_crc(head, 8))
        return err_set(err, "%s: byte %" PRIu64 ": no TFRecord, or its length is damaged",
                       stream_path(s), at);
    if (n > EXAMPLE_MAX)
        return err_set(err, "%s: byte %" PRIu64 ": a record of %" PRIu64 " bytes", stream_path(s),
                       at, n);
    buf_need(b, (size_t)n + 4);
    if (stream_read_all(s, b->p, (size_t)n + 4, err) != 1)
        return err_set(err, "%s: byte %" PRIu64 ": cut short", stream_path(s), at);
    b->n = (size_t)n;
    if (get_le(b->p + n, 4) != masked_crc(b->p, (size_t)n))
        return err_set(err, "%s: byte %" PRIu64 ": damaged", stream_path(s), at);
    return 1;
}

int import_tfrecord(const char *from, const char *to, const struct import_plan *plan,
                    struct err *err)
{
    struct stream *s = stream_open(from, err);
    struct import im = { 0 };
    struct buf b = { 0 };
    struct err why;
    int got = s && import_open(&im, to, plan, err) == 0 ? 1 : -1;

    while (got == 1 && (got = read_record(s, &b, err)) == 1)
        if (read_example(from, buf_bytes(&b), &im, &why) < 0)
            got = err_set(err, "%s: Example %" PRIu64 ": %.400s", from, im.n, why.msg);
    stream_close(s);
    buf_release(&b);
    return import_close(&im, got, err);
}
