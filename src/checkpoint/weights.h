/* weights.h - the weights that a run begins with. */
#ifndef CHECKPOINT_WEIGHTS_H
#define CHECKPOINT_WEIGHTS_H

struct config;
struct err;
struct params;

/* Fill p, of a model of this config, from a checkpoint, the newest of a run's folder, or a model of
 * others. by_role: it is of another network, of which p takes what it can (model/inherit.h). */
int weights_load(struct params *p, const struct config *c, const char *path, int by_role,
                 struct err *err);

#endif
