/* weights.h - the weights that a run begins with. */
#ifndef CHECKPOINT_WEIGHTS_H
#define CHECKPOINT_WEIGHTS_H

struct config;
struct err;
struct params;
struct tensors;

/* Where folder dir, whose tensors are given, has files.xxh128 (sums.h): are config.json and the
 * files with shared tensors and with those of experts [first, end) as they were written? It reads
 * them all. 1: yes; 0: there are no sums; -1: no. */
int weights_check(const struct tensors *from, const char *dir, int first, int end, struct err *err);

/* params_load() of the tensors of dir, and weights_check() of what that reads. 0 or -1. */
int weights_read(struct params *p, const struct config *c, const char *dir, struct err *err);

/* Fill p, of a model of this config, from a checkpoint, the newest of a run's folder, or a model of
 * others. by_role: it is of another network, of which p takes what it can (model/inherit.h). */
int weights_load(struct params *p, const struct config *c, const char *path, int by_role,
                 struct err *err);

#endif
