/* proto.h - the fields of a protobuf message, one after the other, every bound checked. */
#ifndef SPM_PROTO_H
#define SPM_PROTO_H

#include <stdint.h>

#include "base/mem.h"

struct err;

enum {
    PROTO_VARINT,
    PROTO_FIXED64,
    PROTO_LENGTH,
    PROTO_GROUP,
    PROTO_GROUP_END,
    PROTO_FIXED32,
};

struct proto_field {
    uint64_t number;
    unsigned wire;
    uint64_t value;    // of VARINT, FIXED32, FIXED64
    struct bytes b;    // of LENGTH: a view
};

struct proto {
    struct bytes left;            // what is still to be read
    const struct bytes *whole;    // the file, for places in messages
    const char *path;
};

/* The next field that is not (in) a group: 1, 0 at the end, -1 on damage. */
int proto_next(struct proto *r, struct proto_field *f, struct err *err);

/* A reader of the message b, a part of r's file. */
struct proto proto_inside(const struct proto *r, struct bytes b);

#endif
