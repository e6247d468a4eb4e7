/* recall.h - a teacher who is not there: what it said of the rows, out of a shard of logits. */
#ifndef TRAIN_RECALL_H
#define TRAIN_RECALL_H

#include <stddef.h>
#include <stdint.h>

struct batch;
struct err;
struct recall;
struct teacher_ask;
struct teacher_place;

struct recall *recall_new(const struct teacher_ask *ask, const struct teacher_place *place,
                          struct err *err);
const char *recall_teacher(const struct recall *r);    // its fingerprint
int64_t recall_k(const struct recall *r);
/* As of teacher.h. */
void recall_clear(struct recall *r);
int recall_fill(struct recall *r, int i, int row, uint64_t number, const struct batch *b,
                struct err *err);
void recall_look(struct recall *r, int i, const struct batch *b);
/* As struct soft_target says. */
const float *recall_logits(void *from, size_t at, size_t n, const double **rest);
void recall_free(struct recall *r);    // r may be NULL

#endif
