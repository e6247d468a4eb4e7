/* progress.h - how far a tool has come, on standard error: a line that renews itself on a
 * terminal, else one plain line a minute, nothing in the first. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

struct progress {
    const char *unit;    // "pages", "steps"
    uint64_t total;      // 0 when unknown
    double start, last;
    int drawn, terminal, quiet;
};

/* quiet silences it. A tool whose standard output is the same terminal should set it. */
void progress_init(struct progress *p, const char *unit, uint64_t total, int quiet);

/* done units so far, and bytes read (0 when that says nothing). Cheap: looks at the clock only. */
void progress_show(struct progress *p, uint64_t done, uint64_t bytes);

void progress_end(struct progress *p);    // clears the line

double clock_seconds(void);    // a clock that only goes forward

#endif
