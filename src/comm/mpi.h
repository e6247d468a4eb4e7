/* mpi.h - what the files of comm over MPI share; others see comm.h. */
#ifndef COMM_MPI_H
#define COMM_MPI_H

#include <mpi.h>
#include <stddef.h>

#include "comm/comm.h"

struct box;
struct nodes;

struct common {
    size_t piece;    // most elements in one message
    int n_chunk;     // comm_chunks()
    struct comm_stats stats;
};

struct comm {
    MPI_Comm all;
    int rank, size, node_size, threads;
    int node;         // number of the machine: the first rank on it
    size_t *equal;    // [size] the same count for every rank
    struct comm *of[N_AXIS];
    struct comm *alone;       // of the axes, one that has this rank only
    struct common *common;    // with the axes
    struct nodes *nodes;      // where it spans several machines: mpi_nodes.c
    MPI_Request *started;     // not waited for yet
    size_t n_started, room;
    struct box *box;    // of mpi_post.c
    int n_box;
};

void mpi_check(int status, const char *what);    // dies of what failed
int mpi_least(size_t n, size_t piece);

/* One more communicator, of the ranks of c that say the same color (negative: this rank alone). */
struct comm *mpi_part(const struct comm *c, int color);
void mpi_part_free(struct comm *p);
/* comm_exchange_f32(), one to one and not counted. */
void mpi_exchange(struct comm *c, const float *send, const size_t *send_n, float *recv,
                  const size_t *recv_n, size_t width);

/* Sets c->nodes where the ranks of c are on several machines, several on each; collective. */
void mpi_nodes_see(struct comm *c);
void mpi_nodes_exchange(struct comm *c, const float *send, const size_t *send_n, float *recv,
                        const size_t *recv_n, size_t width);
void mpi_nodes_free(struct comm *c);
void mpi_boxes_free(struct comm *c);

#endif
