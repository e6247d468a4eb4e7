/* state.h - checkpoints: switchyard-checkpoint(5). Their bytes depend on the parameters, the
 * step and the rule; not on the number of ranks, on restarts or on time. */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

struct err;
struct trainer;

struct state_facts {             // of the data; a resumed run must have the same
    const char *mixture;         // its fingerprint
    const char *vocab_sha256;    // may be ""
    const char *teacher;         // teacher_name(), or NULL
};

/* Write dir/step-N, whole or not at all: -1 on every rank when one fails (err.msg says why on
 * those that know, and is empty on the others). Collective; all ranks see one file system. */
int state_save(struct trainer *t, const struct state_facts *facts, const char *dir,
               struct err *err);

/* Load the checkpoint in the folder path into t: 0; -1 when it is not whole or damaged; -2 when
 * it is of another run (model, rule or data). err as above. Collective. */
int state_load(struct trainer *t, const struct state_facts *facts, const char *path,
               struct err *err);

/* What the optimizer of that checkpoint keeps, and no more: 0 or -1, of this rank. */
int state_load_slots(const struct trainer *t, const char *path, struct err *err);

/* The step of a checkpoint, without loading it. */
int state_step(const char *dir, double *step, struct err *err);

#endif
