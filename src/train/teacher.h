/* teacher.h - whom a student learns from: a model in memory, its experts over the ranks, or what
 * such a model said of the same rows before (shard/logits.h). It runs as in evaluation. */
#ifndef TRAIN_TEACHER_H
#define TRAIN_TEACHER_H

#include <stddef.h>
#include <stdint.h>

struct batch;
struct comm;
struct err;
struct soft_target;
struct state_facts;
struct teacher;
struct trainer;

struct teacher_ask {
    const char *model;    // a checkpoint, the folder of a run, a model of others'; or NULL and
    const char *cache;    // a shard of logits
    double share, tau;    // f and the temperature: nn/soft.h
};

struct teacher_place {    // where it is to teach
    struct comm *comm;
    int n_row, n_input, n_target, n_micro;    // rows of a microbatch, ..., microbatches of a step
    int group_rows, min_capacity, cap;        // cap: enum route_cap
    int n_vocab;                              // the student's; 0: as the teacher's
    uint64_t n_all;                           // rows that will be asked for; a cache has as many
    const char *mixture, *vocab_sha256;       // of these
};

/* NULL on failure: ranks must agree. */
struct teacher *teacher_new(const struct teacher_ask *ask, const struct teacher_place *place,
                            struct err *err);
/* For the runs of a trainer, of the rows and vocabulary that facts tell. */
struct teacher *teacher_for(const struct trainer *t, const struct teacher_ask *ask,
                            const struct state_facts *facts, uint64_t n_all, struct err *err);
/* Who it is and how it teaches, in a line: the same for the same weights in any files, on any
 * number of ranks. Collective at its first call. */
const char *teacher_name(struct teacher *t);
const char *teacher_fingerprint(struct teacher *t);    // of the weights; likewise

/* A step begins; then row number `number` is place `row` of microbatch i, b. -1: the cache does
 * not have it. */
void teacher_clear(struct teacher *t);
int teacher_fill(struct teacher *t, int i, int row, uint64_t number, const struct batch *b,
                 struct err *err);
/* To look at microbatch i; what it says of it is in its soft target then. Collective. */
void teacher_look(struct teacher *t, int i, const struct batch *b);
const struct soft_target *teacher_target(const struct teacher *t);
/* Of one in memory: its words, and of how many targets it tells at once. */
int teacher_vocab(const struct teacher *t);
size_t teacher_chunk(const struct teacher *t);
void teacher_free(struct teacher *t);    // t may be NULL

#endif
