/* variant.h - options that make another network of a config: how its routers choose, and which
 * of its layers are sparse. Tools end their own tables with one of these (base/opt.h). */
#ifndef TRAIN_VARIANT_H
#define TRAIN_VARIANT_H

#include "base/opt.h"

struct config;
struct err;

extern struct opt router_opts[];     // --router and what belongs to it
extern struct opt shape_opts[];      // the same, and which layers are sparse
extern struct opt variant_opts[];    // the same, and training_data_opts

/* What the options said, into c: nothing where none was given. Blocks are written "none", "all",
 * "every/K" (the last of each K), "first/K" (the first of each K) or "1,3,5". */
int variant_apply(struct config *c, struct err *err);

#endif
