/* variant.h - options that make another network of a config: how its routers choose, and which
 * of its layers are sparse. */
#ifndef SHAPE_VARIANT_H
#define SHAPE_VARIANT_H

#include "base/opt.h"

struct config;
struct err;

/* Tables to end a tool's own with (base/opt.h). */
extern struct opt router_opts[];     // --router and what belongs to it
extern struct opt variant_opts[];    // which layers are sparse, and the same

/* What the options said, into c: nothing where none was given. Blocks are written "none", "all",
 * "every/K" (the last of each K), "first/K" (the first of each K) or "1,3,5". */
int variant_apply(struct config *c, struct err *err);

#endif
