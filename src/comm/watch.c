/* watch.c - see watch.h.
 *
 * The thread only reads what the process stores; that the parts of a place may be of two moments
 * does no harm, as a process that waits stores nothing.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/die.h"
#include "base/progress.h"
#include "comm/watch.h"

static struct {
    int rank, running;
    double seconds;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t end;    // by the clock that nobody sets
    int ended;
    _Atomic(const char *) stack, work, what;
    atomic_int block;
    atomic_ulong n;    // waits so far, twice; odd: in one
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER, .block = -1 };

static void say(double waited)
{
    const char *stack = watch.stack, *work = watch.work, *what = watch.what;
    char where[128] = "";

    if (stack && watch.block >= 0)
        snprintf(where, sizeof(where), "%s block %d: %s: ", stack, watch.block, work);
    else if (stack)
        snprintf(where, sizeof(where), "%s: %s: ", stack, work);
    fprintf(stderr, "%s: rank %d: %swaiting %.0f s (%s)\n", die_name, watch.rank, where, waited,
            what ? what : "?");
    fflush(stderr);
}

/* Until the end, or for `seconds`. */
static int sleep_for(double seconds)
{
    struct timespec until;
    int ended;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&watch.lock);
    while (!watch.ended && pthread_cond_timedwait(&watch.end, &watch.lock, &until) == 0)
        ;
    ended = watch.ended;
    pthread_mutex_unlock(&watch.lock);
    return ended;
}

static void *look(void *none)
{
    unsigned long last = 0, n;
    double since = clock_seconds(), step = watch.seconds < 4 ? watch.seconds / 4 : 1;

    (void)none;
    while (!sleep_for(step)) {
        n = watch.n;
        if (n != last || n % 2 == 0) {
            last = n;
            since = clock_seconds();
        } else if (clock_seconds() - since >= watch.seconds) {
            say(clock_seconds() - since);
            sleep_for(1);
            _exit(1);    // what started the ranks ends the others
        }
    }
    return NULL;
}

void watch_start(int rank, double seconds)
{
    pthread_condattr_t clock;

    watch_stop();
    if (seconds <= 0)
        return;
    watch.rank = rank;
    watch.seconds = seconds;
    watch.ended = 0;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&watch.end, &clock);
    pthread_condattr_destroy(&clock);
    watch.running = pthread_create(&watch.thread, NULL, look, NULL) == 0;
    if (!watch.running)
        die("no thread to watch over ranks");
}

void watch_stop(void)
{
    if (!watch.running)
        return;
    pthread_mutex_lock(&watch.lock);
    watch.ended = 1;
    pthread_cond_signal(&watch.end);
    pthread_mutex_unlock(&watch.lock);
    pthread_join(watch.thread, NULL);
    pthread_cond_destroy(&watch.end);
    watch.running = 0;
}

void watch_place(const char *stack, int block, const char *work)
{
    atomic_store_explicit(&watch.stack, stack, memory_order_relaxed);
    atomic_store_explicit(&watch.block, block, memory_order_relaxed);
    atomic_store_explicit(&watch.work, work, memory_order_relaxed);
}

void watch_enter(const char *what)
{
    atomic_store_explicit(&watch.what, what, memory_order_relaxed);
    atomic_fetch_add_explicit(&watch.n, 1, memory_order_release);
}

void watch_leave(void)
{
    atomic_fetch_add_explicit(&watch.n, 1, memory_order_release);
}
