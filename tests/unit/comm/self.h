/* self.h - the one process of a test of small products: begun when it is first asked for. */
#ifndef TEST_COMM_SELF_H
#define TEST_COMM_SELF_H

#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "comm/comm.h"
#include "kernel/kernel.h"
#include "nn/gemm.h"

static struct comm *self_begun;

static void self_end(void)
{
    comm_end(self_begun);
}

static struct comm *self(void)
{
    if (self_begun)
        return self_begun;
#ifdef _OPENMP
    omp_set_num_threads(1);
#endif
    gemm_threads(1);
    kernel_init();
    self_begun = comm_init();
    atexit(self_end);
    return self_begun;
}

#endif
