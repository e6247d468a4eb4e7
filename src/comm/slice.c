/* slice.c - who holds which expert; see comm.h. */
#include "comm/comm.h"

int comm_slice(int n_expert, int size, int rank, int *first)
{
    int64_t begin = (int64_t)n_expert * rank / size;
    int64_t end = (int64_t)n_expert * (rank + 1) / size;

    *first = (int)begin;
    return (int)(end - begin);
}
