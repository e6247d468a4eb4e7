/* threads.h - how many threads a rank computes with. */
#ifndef MODEL_THREADS_H
#define MODEL_THREADS_H

#include <stdint.h>

struct comm;

enum { THREADS_MAX = 4096 };

/* Threads that wait for work spin by default, which starves whatever else runs on their
 * processors: steps take ten times as long beside one busy process. Unless OMP_WAIT_POLICY or
 * GOMP_SPINCOUNT say otherwise, starts this program again with threads that sleep, as the
 * library reads its rules before main(). To be called first in main(). */
void threads_calm(char **argv);

/* asked; or, when that is 0, OMP_NUM_THREADS if it is set, else comm_threads(). Sets it for
 * all work of this process and returns it. */
int threads_set(int64_t asked, const struct comm *c);

#endif
