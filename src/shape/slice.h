/* slice.h - the parameters of a rank that holds 1 / n_slice of the heads, hidden units and
 * vocabulary: a slice of a tensor is a run of its rows (axis 0) or columns (axis 1). */
#ifndef SHAPE_SLICE_H
#define SHAPE_SLICE_H

#include <stddef.h>
#include <stdint.h>

struct comm;
struct config;
struct err;
struct param;
struct params_part;
struct tensor;

/* Lay comm out for this model as mesh says (comm/mesh.h; NULL: the usual). -1 where the ranks, the
 * experts or the model do not divide so: rank 0 should end the process, and the others wait. */
int slice_lay(struct comm *comm, const struct config *c, const char *mesh, struct err *err);
/* What this rank holds of a model, as comm is laid out. */
struct params_part slice_part(const struct config *c, const struct comm *comm);
/* Do heads, hidden units and vocabulary divide by n_slice? 0 or -1. */
int slice_check(const struct config *c, int n_slice, struct err *err);
/* The shape of a slice as a network of its own. */
void slice_config(struct config *c, int n_slice);

int slice_is_part(const struct param *p);               // 0: p is whole
int64_t slice_dim(const struct param *p, int i);        // of the whole tensor
size_t slice_size(const struct param *p);               // floats of the whole tensor
size_t slice_index(const struct param *p, size_t j);    // of p's element j, in the whole tensor

/* Runs of elements that lie together in the whole tensor too, and the length of one. */
size_t slice_runs(const struct param *p, size_t *length);

/* p's part of x, which is of the whole shape, into to[p->n]. */
int slice_copy(const struct param *p, const struct tensor *x, float *to, struct err *err);

/* The whole tensor of which the ranks of model have slices: from [p->n] of each; on rank 0 it
 * comes into to [slice_size(p)], by way of scratch [the same]. Collective. */
void slice_gather(const struct param *p, const float *from, struct comm *model, float *scratch,
                  float *to);

#endif
