/* types.h - a set of strings, numbered as they came. */
#ifndef PUNKT_TYPES_H
#define PUNKT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define TYPE_NONE UINT32_MAX

struct types;

struct types *types_new(void);
void types_free(struct types *t);    // t may be NULL

/* The number of s, which is copied when it is new: then it is types_count() as it was before. */
uint32_t types_add(struct types *t, struct bytes s);

uint32_t types_find(const struct types *t, struct bytes s);    // TYPE_NONE when it is not there

struct bytes types_get(const struct types *t, uint32_t i);    // valid until the next types_add
size_t types_count(const struct types *t);

#endif
