/* evidence.c - see evidence.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rules/evidence.h"

double evidence_ratio(size_t part, size_t of)
{
    return of ? (double)part / (double)of : part ? INFINITY : 0;
}

/* The fewest digits by which the numbers differ, but two of a share and all of a count. */
static void compare(struct buf *why, double is, const char *sense, double limit)
{
    char a[48], b[48];
    int digits;

    snprintf(b, sizeof(b), "%.10g", limit);
    for (digits = fabs(is) < 1 ? 2 : is == floor(is) ? 15 : 6; digits < 18; digits++) {
        snprintf(a, sizeof(a), "%.*g", digits, is);
        if (strcmp(a, b) != 0 || is == limit)
            break;
    }
    buf_printf(why, "%s %s %s", a, sense, b);
}

void evidence_number(struct buf *why, double is, const char *sense, double limit, const char *unit)
{
    if (!why)
        return;
    compare(why, is, sense, limit);
    buf_printf(why, " %s", unit);
}

void evidence_share(struct buf *why, size_t part, size_t of, const char *sense, double limit,
                    const char *unit)
{
    if (!why)
        return;
    compare(why, evidence_ratio(part, of), sense, limit);
    buf_printf(why, ": %zu of %zu %s", part, of, unit);
}

void evidence_text(struct buf *why, struct bytes s)
{
    if (why)
        buf_add(why, s.p, s.n);
}

void evidence_word(struct buf *why, const char *s)
{
    if (why)
        buf_add_str(why, s);
}
