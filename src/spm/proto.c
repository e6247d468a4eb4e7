/* proto.c - see proto.h. */
#include "spm/proto.h"
#include "base/err.h"

enum { DEPTH_MAX = 100 };

static int damaged(const struct proto *r, const char *what, struct err *err)
{
    return err_set(err, "%s: byte %zu: %s (not a SentencePiece model?)", r->path,
                   (size_t)(r->left.p - r->whole->p), what);
}

static int varint(struct proto *r, uint64_t *x, struct err *err)
{
    unsigned shift;

    *x = 0;
    for (shift = 0; shift < 64; shift += 7) {
        unsigned char c;

        if (!r->left.n)
            return damaged(r, "cut short", err);
        c = *r->left.p++;
        r->left.n--;
        *x |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80)
            return 0;
    }
    return damaged(r, "a number has no end", err);
}

static int take(struct proto *r, uint64_t n, struct bytes *b, struct err *err)
{
    if (n > r->left.n)
        return damaged(r, "cut short", err);
    *b = (struct bytes){ r->left.p, (size_t)n };
    r->left.p += n;
    r->left.n -= (size_t)n;
    return 0;
}

static int field_value(struct proto *r, struct proto_field *f, struct err *err)
{
    struct bytes b = { 0 };
    size_t i;

    f->value = 0;
    f->b = (struct bytes){ 0 };
    switch (f->wire) {
    case PROTO_VARINT:
        return varint(r, &f->value, err);
    case PROTO_LENGTH:
        return varint(r, &f->value, err) || take(r, f->value, &f->b, err) ? -1 : 0;
    case PROTO_FIXED64:
    case PROTO_FIXED32:
        if (take(r, f->wire == PROTO_FIXED64 ? 8 : 4, &b, err))
            return -1;
        for (i = 0; i < b.n; i++)
            f->value |= (uint64_t)b.p[i] << (8 * i);
        return 0;
    case PROTO_GROUP:
    case PROTO_GROUP_END:
        return 0;
    default:
        return damaged(r, "no such wire type", err);
    }
}

int proto_next(struct proto *r, struct proto_field *f, struct err *err)
{
    int depth = 0;

    do {
        uint64_t key;

        if (!r->left.n)
            return depth ? damaged(r, "a group has no end", err) : 0;
        if (varint(r, &key, err))
            return -1;
        f->number = key >> 3;
        f->wire = key & 7;
        if (!f->number)
            return damaged(r, "field number 0", err);
        if (field_value(r, f, err))
            return -1;
        depth += (f->wire == PROTO_GROUP) - (f->wire == PROTO_GROUP_END);
        if (depth < 0 || depth > DEPTH_MAX)
            return damaged(r, "groups do not match", err);
    } while (depth || f->wire == PROTO_GROUP_END);
    return 1;
}

struct proto proto_inside(const struct proto *r, struct bytes b)
{
    return (struct proto){ b, r->whole, r->path };
}
