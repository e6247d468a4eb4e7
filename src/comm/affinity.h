/* affinity.h - which processors a process may run on, and how many of them are its share. */
#ifndef COMM_AFFINITY_H
#define COMM_AFFINITY_H

struct affinity {    // a bit a processor
    unsigned char bits[1024];
};

void affinity_read(struct affinity *own);    // of this process; empty where it cannot be known
/* Of n processes that together may use all: min(own, all / n), at least 1. */
int affinity_share(const struct affinity *own, const struct affinity *all, int n);

#endif
