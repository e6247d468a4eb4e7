/* inherit.h - what one network can take over from another. */
#ifndef SHAPE_INHERIT_H
#define SHAPE_INHERIT_H

struct config;
struct err;
struct params;
struct tensors;

/* The dense network of the same shape, without experts: as much work for a token. */
struct config config_dense(const struct config *c);

/* Fill each parameter of p that has the same role in another network, whose tensors and folder
 * are given: embedding, head, attention, norms, relative positions, and feed-forward nets of
 * blocks that are dense in both. The others stay as they are. A tensor that is missing or of
 * another shape is an error. */
int params_inherit(struct params *p, const struct tensors *from, const char *path, struct err *err);

#endif
