/* launch.c - how tools that train begin and end: see options.h. Apart from the options, which tools
 * read that neither load MPI nor BLAS. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/err.h"
#include "comm/comm.h"
#include "kernel/kernel.h"
#include "launch/options.h"
#include "model/threads.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static void catch_signals(void)
{
    static const int caught[] = { SIGTERM, SIGINT, SIGUSR1 };
    struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    size_t i;

    sigemptyset(&a.sa_mask);
    for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        sigaction(caught[i], &a, NULL);
}

struct comm *training_begin(struct training *t)
{
    struct comm *comm = comm_init();

    t->ask.stop = &stop;
    comm_watch(comm, t->timeout);
    catch_signals();
    threads_set(t->threads, comm);
    kernel_init();
    return comm;
}

static void tell_how_to_resume(const struct training *t, const struct comm *comm)
{
    const char *again = strcmp(t->ask.resume, "auto") == 0 ? "" : " --resume auto";

    if (comm_rank(comm) != 0)
        return;
    if (comm_size(comm) > 1)
        fprintf(stderr, "%s: stopped; to go on: mpirun -n %d %s %s%s\n", die_name, comm_size(comm),
                die_name, opt_line(), again);
    else
        fprintf(stderr, "%s: stopped; to go on: %s %s%s\n", die_name, die_name, opt_line(), again);
}

int training_end(const struct training *t, struct comm *comm, int rc, const struct err *err)
{
    if (rc < 0 && err->msg[0])
        warn("%s", err->msg);
    if (rc > 0)
        tell_how_to_resume(t, comm);
    comm_barrier(comm);
    comm_end(comm);
    return rc < 0;
}
