/* mpi.h - what the files of comm over MPI share; others see comm.h. */
#ifndef COMM_MPI_H
#define COMM_MPI_H

#include <mpi.h>
#include <stddef.h>

#include "comm/comm.h"

struct common {
    size_t piece;    // most elements in one message
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
    MPI_Request *started;     // not waited for yet
    size_t n_started, room;
};

void mpi_check(int status, const char *what);    // dies of what failed
int mpi_least(size_t n, size_t piece);

#endif
