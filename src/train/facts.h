/* facts.h - state.json: what a checkpoint says of the run that it is of. */
#ifndef TRAIN_FACTS_H
#define TRAIN_FACTS_H

#include <jansson.h>
#include <stdint.h>

struct err;
struct state_facts;
struct sums;
struct trainer;

/* Write dir/name; takes j. */
int facts_put_json(const char *dir, const char *name, json_t *j, struct err *err);

int facts_save(const struct trainer *t, const struct state_facts *facts, const char *dir,
               struct err *err);

/* Is the checkpoint of this run? 0 and its step; -1: damaged; -2: no. sums: NULL where it has none,
 * as those of old. */
int facts_check(const struct trainer *t, const struct state_facts *facts, const char *dir,
                const struct sums *sums, uint64_t *step, struct err *err);

#endif
