/* mesh.h - how ranks are laid out, as a user says it: "data=4,model=2,expert=2". */
#ifndef COMM_MESH_H
#define COMM_MESH_H

struct comm;
struct err;

struct mesh {
    int n_data, n_model, n_expert;    // 0: not said
};

/* Words NAME=N with commas between; any may lack. text may be NULL. 0 or -1. */
int mesh_read(struct mesh *m, const char *text, struct err *err);

/* What was not said, for n_rank ranks and a model of n_expert experts (0: dense): one slice of
 * the model; all other ranks along data; experts over as many of them as can be. -1 where the
 * numbers do not make a mesh. */
int mesh_complete(struct mesh *m, int n_rank, int n_expert, struct err *err);

#endif
