/* progress.c - see progress.h. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/die.h"
#include "base/progress.h"

#define TERMINAL_EVERY 0.2
#define LOG_EVERY 60.0

double clock_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_init(struct progress *p, const char *unit, uint64_t total, int quiet)
{
    *p = (struct progress){ .unit = unit, .total = total, .quiet = quiet };
    p->start = p->last = clock_seconds();
    p->terminal = isatty(STDERR_FILENO);
}

static void eta(char *to, size_t size, double seconds)
{
    long s = (long)(seconds + 0.5);

    if (s >= 3600)
        snprintf(to, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(to, size, "%ldm%02lds", s / 60, s % 60);
}

void progress_show(struct progress *p, uint64_t done, uint64_t bytes)
{
    double now, used;
    char left[32];

    if (p->quiet)
        return;
    now = clock_seconds();
    if (now - p->last < (p->terminal ? TERMINAL_EVERY : LOG_EVERY))
        return;
    p->last = now;
    used = now - p->start;
    fprintf(stderr, "%s%s: %" PRIu64 " %s, %.0f/s", p->terminal ? "\r\033[K" : "", die_name, done,
            p->unit, (double)done / used);
    if (bytes)
        fprintf(stderr, ", %.1f MB/s", (double)bytes * 1e-6 / used);
    if (p->total && done) {
        eta(left, sizeof(left), used * (double)(p->total - done) / (double)done);
        fprintf(stderr, ", %.0f %%, %s left", 100.0 * (double)done / (double)p->total, left);
    }
    p->drawn = 1;
    if (!p->terminal)
        fputc('\n', stderr);
}

void progress_end(struct progress *p)
{
    if (p->drawn && p->terminal)
        fputs("\r\033[K", stderr);
    p->drawn = 0;
}
