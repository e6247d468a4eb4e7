/* folder.h - the folders of a training run: DIR/step-00000100 is a checkpoint, whole when it has
 * state.json, which is written last; DIR/step-00000100.part is one that was being written. */
#ifndef CHECKPOINT_FOLDER_H
#define CHECKPOINT_FOLDER_H

#include <stddef.h>
#include <stdint.h>

struct err;

char *folder_step(const char *dir, uint64_t step, int part);    // its name; free it

/* Whole checkpoints in dir, newest first: how many; -1 when dir cannot be read. Free *step. */
long folder_list(const char *dir, uint64_t **step, struct err *err);

/* path if it is a checkpoint or a model (has config.json), else the newest whole checkpoint in
 * it. NULL when there is none. Free it. */
char *folder_find(const char *path, struct err *err);

int folder_make(const char *path, struct err *err);      // with its parents; may be there
int folder_sync(const char *path, struct err *err);      // names in it are on disk
int folder_remove(const char *path, struct err *err);    // with the files in it, state.json first
int folder_clear_parts(const char *dir, struct err *err);
/* Remove all but the newest and the one of step spare; those after a step. */
int folder_prune(const char *dir, size_t keep, uint64_t spare, struct err *err);
int folder_forget(const char *dir, uint64_t after, struct err *err);

#endif
