/* spent.c - see spent.h. */
#include <pthread.h>

#include "base/progress.h"
#include "base/spent.h"

static double total[SPENT_PARTS], since;
static int part, begun;
static pthread_t keeper;

static int is_keeper(void)
{
    if (!begun) {
        begun = 1;
        keeper = pthread_self();
        since = clock_seconds();
    }
    return pthread_equal(keeper, pthread_self());
}

int spent_on(int next)
{
    int was = part;
    double now;

    if (!is_keeper())
        return next;
    now = clock_seconds();
    total[part] += now - since;
    since = now;
    part = next;
    return was;
}

void spent_move(int to, double seconds)
{
    if (!is_keeper())
        return;
    total[part] -= seconds;
    total[to] += seconds;
}

double spent_seconds(int of)
{
    if (is_keeper())
        spent_on(part);
    return total[of];
}

const char *spent_name(int of)
{
    static const char *const name[SPENT_PARTS] = { "other", "gemm",      "attention",
                                                   "loss",  "router",    "exchange",
                                                   "wait",  "optimizer", "input" };

    return name[of];
}
