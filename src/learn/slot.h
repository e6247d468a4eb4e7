/* slot.h - one piece of text on its way through the network, forward and back. */
#ifndef LEARN_SLOT_H
#define LEARN_SLOT_H

#include <stddef.h>

#include "base/mem.h"
#include "base/rng.h"
#include "langid/feature.h"
#include "langid/model.h"

struct slot {    // one piece of a batch, all there is to know of it
    struct buf piece;
    struct feature *f;    // copied out of a thread's room, without those dropped
    size_t cap, begin[LANGID_GROUP_MAX + 1];
    int label;           // the caller's
    float *x, *h, *p;    // [D], [H], [L]: forward; p turns into its gradient
    float *dx, *dh;      // [D], [H]
    double loss;
    int right;
};

/* Floats that a slot needs beside its features; cell is as many of them, the caller's. */
size_t slot_cells(const struct langid_shape *shape);
void slot_init(struct slot *s, const struct langid_shape *shape, float *cell);
void slot_release(struct slot *s);

/* The features of text; with drop, a share of them is left out. A text without any has none. */
void slot_read(struct slot *s, const struct langid_shape *shape, struct feature_room *room,
               struct bytes text, struct rng *drop, double share);

void slot_forward(struct slot *s, const struct langid *m);    // x, h, and p: probabilities
int slot_answer(const struct slot *s, int n_label);           // the label of the largest p

/* After slot_forward(): loss and right; p, dh and dx become gradients of the loss, cross entropy
 * with `smooth` of the label's probability spread over all, times scale. */
void slot_backward(struct slot *s, const struct langid *m, double smooth, double scale);

#endif
