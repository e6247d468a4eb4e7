/* model.c - see model.h. Field numbers are those of sentencepiece_model.proto. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/out.h"
#include "spm/vocab.h"
#include "vocab/model.h"

struct slot {
    const char *name;    // of a meta piece; NULL: a candidate
    char room[40];
    int type;
};

static void put_varint(struct buf *b, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        buf_add_byte(b, (unsigned char)(x | 0x80));
    buf_add_byte(b, (unsigned char)x);
}

static void put_int(struct buf *b, int field, int64_t x)
{
    put_varint(b, (uint64_t)field << 3);
    put_varint(b, (uint64_t)x);
}

static void put_float(struct buf *b, int field, float x)
{
    unsigned char p[4];
    uint32_t bits;
    int i;

    memcpy(&bits, &x, 4);
    for (i = 0; i < 4; i++)
        p[i] = (unsigned char)(bits >> 8 * i);
    put_varint(b, (uint64_t)field << 3 | 5);
    buf_add(b, p, 4);
}

static void put_bytes(struct buf *b, int field, struct bytes s)
{
    put_varint(b, (uint64_t)field << 3 | 2);
    put_varint(b, s.n);
    buf_add(b, s.p, s.n);
}

static void put_string(struct buf *b, int field, const char *s)
{
    put_bytes(b, field, (struct bytes){ (const unsigned char *)s, strlen(s) });
}

static void put_piece(struct buf *b, struct bytes s, float score, int type)
{
    struct buf one = { 0 };

    put_bytes(&one, 1, s);
    put_float(&one, 2, score);
    if (type != PIECE_NORMAL)
        put_int(&one, 3, type);
    put_bytes(b, 1, buf_bytes(&one));
    buf_release(&one);
}

static void put_trainer(struct buf *b, const struct model_plan *p)
{
    struct buf t = { 0 };
    size_t i;

    for (i = 0; p->input[i]; i++)
        put_string(&t, 1, p->input[i]);
    put_int(&t, 3, p->type);
    put_int(&t, 4, p->size);
    put_float(&t, 10, (float)p->coverage);
    put_int(&t, 20, p->rule.max_chars);
    put_int(&t, 21, p->rule.split_scripts);
    put_int(&t, 22, p->rule.split_spaces);
    put_int(&t, 23, p->rule.split_numbers);
    put_int(&t, 25, p->rule.split_digits);
    for (i = 0; p->user && p->user[i]; i++)
        put_string(&t, 31, p->user[i]);
    put_int(&t, 35, p->byte_fallback);
    put_int(&t, 40, p->unk);
    put_int(&t, 41, p->bos);
    put_int(&t, 42, p->eos);
    put_int(&t, 43, p->pad);
    put_bytes(b, 2, buf_bytes(&t));
    buf_release(&t);
}

static void put_normalizer(struct buf *b, const struct model_plan *p)
{
    struct buf n = { 0 };

    put_string(&n, 1, p->normalizer);
    put_bytes(&n, 2, p->charsmap);
    put_int(&n, 3, 1);
    put_int(&n, 4, 1);
    put_int(&n, 5, 1);
    put_bytes(b, 3, buf_bytes(&n));
    buf_release(&n);
}

static size_t n_user(const struct model_plan *p)
{
    size_t n = 0;

    while (p->user && p->user[n])
        n++;
    return n;
}

int64_t model_meta(const struct model_plan *p)
{
    return (p->pad >= 0) + (p->eos >= 0) + (p->unk >= 0) + (p->bos >= 0) + (int64_t)n_user(p) +
           p->extra_ids + (p->byte_fallback ? 256 : 0);
}

static int set(struct slot *slot, int64_t size, int64_t id, const char *name, int type,
               struct err *err)
{
    if (id < 0)
        return 0;
    if (id >= size)
        return err_set(err, "%s: id %lld is not below the size %lld", name, (long long)id,
                       (long long)size);
    if (slot[id].type)
        return err_set(err, "id %lld is that of %s and of %s", (long long)id, slot[id].name, name);
    slot[id] = (struct slot){ .name = name, .type = type };
    return 0;
}

static void set_first_free(struct slot *slot, int64_t *at, const char *name, int type)
{
    while (slot[*at].type)
        ++*at;
    slot[*at].type = type;
    snprintf(slot[*at].room, sizeof(slot[*at].room), "%s", name);
    slot[*at].name = name;
}

/* Meta pieces at their ids; those without one at the lowest that is free, sentinels at the end. */
static int place_meta(struct slot *slot, const struct model_plan *p, int64_t size, struct err *err)
{
    int64_t at = 0, i;
    char byte[8];

    if (set(slot, size, p->unk, "<unk>", PIECE_UNKNOWN, err) < 0 ||
        set(slot, size, p->bos, "<s>", PIECE_CONTROL, err) < 0 ||
        set(slot, size, p->eos, "</s>", PIECE_CONTROL, err) < 0 ||
        set(slot, size, p->pad, "<pad>", PIECE_CONTROL, err) < 0)
        return -1;
    for (i = 0; i < p->extra_ids; i++) {
        struct slot *s = &slot[size - 1 - i];

        if (s->type)
            return err_set(err, "id %lld is that of %s and of <extra_id_%lld>",
                           (long long)(size - 1 - i), s->name, (long long)i);
        snprintf(s->room, sizeof(s->room), "<extra_id_%lld>", (long long)i);
        s->type = PIECE_CONTROL;
    }
    for (i = 0; p->user && p->user[i]; i++)
        set_first_free(slot, &at, p->user[i], PIECE_USER_DEFINED);
    for (i = 0; p->byte_fallback && i < 256; i++) {
        snprintf(byte, sizeof(byte), "<0x%02X>", (unsigned)i);
        set_first_free(slot, &at, byte, PIECE_BYTE);
        slot[at].name = NULL;
    }
    return 0;
}

static void format(struct buf *b, const struct model_plan *p, const struct slot *slot, int64_t size,
                   const struct candidates *c)
{
    size_t next = 0;
    int64_t id;

    for (id = 0; id < size; id++) {
        const struct slot *s = &slot[id];

        if (s->type) {
            const char *name = s->name ? s->name : s->room;

            put_piece(b, (struct bytes){ (const unsigned char *)name, strlen(name) }, 0, s->type);
        } else {
            put_piece(b, c->of[next].s, (float)c->of[next].score, PIECE_NORMAL);
            next++;
        }
    }
    put_trainer(b, p);
    put_normalizer(b, p);
}

int model_write(const char *path, const struct model_plan *p, const struct candidates *c,
                struct err *err)
{
    int64_t size = model_meta(p) + (int64_t)c->n;
    struct slot *slot = xcalloc((size_t)size + 1, sizeof(*slot));
    struct buf b = { 0 };
    struct out *o;
    int bad = place_meta(slot, p, size, err);

    if (!bad) {
        format(&b, p, slot, size, c);
        bad = (o = out_open(path, err)) ? 0 : -1;
        if (!bad && out_write(o, b.p, b.n, err) < 0) {
            out_abandon(o);
            bad = -1;
        } else if (!bad) {
            bad = out_close(o, err);
        }
    }
    buf_release(&b);
    free(slot);
    return bad;
}
