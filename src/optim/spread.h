/* spread.h - the work of an update spread over ranks that hold the same tensors.
 *
 * Each tensor has an owner among them. The sum of its gradient comes to the owner alone, which
 * alone has its slots and updates it; the new values go from there to the others. Tensors next to
 * one another travel together, in buckets, the last first: that is the order in which a backward
 * pass is done with them, so that sums move while it goes on.
 */
#ifndef OPTIM_SPREAD_H
#define OPTIM_SPREAD_H

#include <stddef.h>

struct comm;
struct params;

struct spread_bucket {
    size_t first, end;    // tensors
    size_t at, n;         // floats
    int owner;
    struct comm *comm;
};

struct spread {
    struct params *params;
    struct comm *shared, *experts;    // AXIS_DATA, AXIS_REPLICA
    int *owner;                       // [tensors] its rank on the axis
    unsigned char *own;               // [tensors] it is this one
    struct spread_bucket *bucket;     // shared ones, the last first; then experts
    size_t n_bucket, n_shared;
    size_t n_begun;
    float **w, **g;    // of each rank along data, where they are on one machine; else NULL
    size_t *bytes;     // [ranks] of one of them
};

/* Whose each tensor is, of so many ranks for shared tensors and for experts. owner [tensors]. */
void spread_owners(const struct params *p, int n_shared, int n_experts, int *owner);

/* All buckets for so many ranks, in the order of the tensors; *n_b_shared of *n_b are of shared
 * ones. Only tensors and owner are set. free() it. */
struct spread_bucket *spread_plan(const struct params *p, int n_shared, int n_experts, size_t *n_b,
                                  size_t *n_b_shared);

/* On one machine the ranks see one another's p->w and p->g, and take sums and values from there;
 * what p->w held is lost. */
struct spread *spread_new(struct params *p, struct comm *comm);

/* Sums of gradients. Begin those of a step; of shared tensors, all from float `from` on are final,
 * so that their sums may begin (spread is s: as run.ready takes it); wait for all. Collective. */
void spread_begin(struct spread *s);
void spread_ready(void *spread, size_t from);
void spread_sum(struct spread *s);

int spread_sends(const struct spread *s);    // bucket by bucket, or does nobody wait for one?
/* The owner has updated bucket i: its values to the others, without waiting; wait for all. */
void spread_send(struct spread *s, size_t i);
void spread_wait(struct spread *s);
void spread_free(struct spread *s);

#endif
