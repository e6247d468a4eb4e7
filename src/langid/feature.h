/* feature.h - a text as numbered, weighted features, for each group of a model's shape.
 *
 * The text is cleaned first, as cld3 does: up to max bytes of valid UTF-8, letters and marks of
 * one script after another, lower-cased, other characters a space, repeated parts left out.
 */
#ifndef LANGID_FEATURE_H
#define LANGID_FEATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "langid/model.h"

struct feature {
    uint32_t id;     // a row of the group's embedding
    float weight;    // the weights of a group sum to 1 (or there are none)
};

struct features {
    const struct feature *f;
    size_t begin[LANGID_GROUP_MAX + 1];    // those of group g: f[begin[g]] up to f[begin[g + 1]]
};

struct feature_room;    // one thread's tables

struct feature_room *feature_room_new(const struct langid_shape *shape);
void feature_room_free(struct feature_room *r);    // r may be NULL

/* The features of text, of any bytes: an id comes once in a group, in the order in which it was
 * first met. Valid until the next call on r. 1, or 0 when fewer than min bytes are left of it. */
int feature_find(struct feature_room *r, struct bytes text, size_t min, size_t max,
                 struct features *to);

#endif
