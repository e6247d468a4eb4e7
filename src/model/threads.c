/* threads.c - see threads.h. */
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#include <unistd.h>
#endif

#include "comm/comm.h"
#include "model/threads.h"
#include "nn/gemm.h"

void threads_calm(char **argv)
{
#ifdef _OPENMP
    char path[4096];    // by its own name, which ps shows
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n < 0 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    path[n] = 0;
    if (setenv("OMP_WAIT_POLICY", "passive", 0) == 0)
        execv(path, argv);    // if it returns, they spin
#else
    (void)argv;
#endif
}

/* What the OpenMP library made of OMP_NUM_THREADS, or 0. */
static int wished(void)
{
#ifdef _OPENMP
    const char *s = getenv("OMP_NUM_THREADS");

    return s && *s ? omp_get_max_threads() : 0;
#else
    return 0;
#endif
}

int threads_set(int64_t asked, const struct comm *c)
{
    int n = asked ? (int)asked : wished();

    if (n == 0)
        n = comm_threads(c);
    gemm_threads(n);
    return n;
}
