/* affinity.c - see affinity.h. */
#define _GNU_SOURCE    // NOLINT(bugprone-reserved-identifier): sched_getaffinity()
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "comm/affinity.h"

void affinity_read(struct affinity *own)
{
    cpu_set_t *set = CPU_ALLOC(8 * sizeof(own->bits));

    memset(own, 0, sizeof(*own));
    if (set && sched_getaffinity(0, sizeof(own->bits), set) == 0)
        memcpy(own->bits, set, sizeof(own->bits));
    CPU_FREE(set);
}

static int count(const struct affinity *a)
{
    size_t i;
    int n = 0, bit;

    for (i = 0; i < sizeof(a->bits); i++)
        for (bit = 0; bit < 8; bit++)
            n += a->bits[i] >> bit & 1;
    return n;
}

int affinity_share(const struct affinity *own, const struct affinity *all, int n)
{
    int most = count(own), even = count(all) / n;

    if (even < most)
        most = even;
    return most > 1 ? most : 1;
}
