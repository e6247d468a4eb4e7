/* cluster.h - steps 2 and 3 of run.h: who is like whom, and who stays. */
#ifndef MINHASH_CLUSTER_H
#define MINHASH_CLUSTER_H

#include <stdint.h>

struct dedup_plan;
struct err;
struct sets;
struct sorter;
struct stash;

struct verdict {                   // on a member of a cluster of two or more
    uint64_t document, cluster;    // the cluster's number is that of its first document
    uint32_t is_kept, agree;       // agree: values of the signature that are the survivor's, or 0
};

/* Join the documents that the buckets (a filled sorter) say are alike. NULL: failed. */
struct sets *cluster_join(struct sorter *buckets, uint64_t n_document, struct err *err);

/* Choose who stays of each set: a sorter that is ready to give verdicts, in the order of documents.
 * NULL: failed. Sets of two or more are counted in the ledger as clusters. */
struct sorter *cluster_judge(const struct dedup_plan *p, struct stash *stash, struct sets *sets,
                             struct err *err);

int cluster_next(struct sorter *verdicts, struct verdict *v, struct err *err);    // 1, 0, -1

#endif
