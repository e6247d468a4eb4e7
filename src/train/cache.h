/* cache.h - write down what a teacher says of the first rows of a mixture: shard/logits.h. */
#ifndef TRAIN_CACHE_H
#define TRAIN_CACHE_H

#include <signal.h>
#include <stdint.h>

#include "train/teacher.h"

struct comm;
struct err;

struct cache_ask {
    struct teacher_ask teacher;    // of a model
    const char *train, *out;       // a mixture plan or example shard; the file to write
    int64_t k;                     // words of a target, no more than the vocabulary has
    int64_t first, n_all;          // the first row, and how many
    int64_t micro_rows, group_rows, min_capacity;    // rows a rank runs at a time: whole groups
    int cap;                                         // enum route_cap
    int quiet;
    const volatile sig_atomic_t *stop;
};

/* 0, or -1 and err, empty where it is another rank's to say. The same bytes each time; on another
 * number of ranks up to the rounding of sums. Collective. */
int cache_write(const struct cache_ask *ask, struct comm *comm, struct err *err);

#endif
