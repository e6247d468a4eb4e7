/* mt.h - the Mersenne Twister as NumPy's RandomState has it: where datatrove's hash functions
 * come from. Nothing else here draws from it: base/rng.h counts. */
#ifndef MINHASH_MT_H
#define MINHASH_MT_H

#include <stdint.h>

struct mt {
    uint32_t state[624];
    int next;    // of state
};

void mt_init(struct mt *m, uint32_t seed);    // RandomState(seed)
uint32_t mt_u32(struct mt *m);

/* randint(low, high, dtype=uint64), low + 2^32 < high: 64 bits are drawn, high half first, cut to
 * as few as hold high - 1 - low, until they are no more than that. */
uint64_t mt_below(struct mt *m, uint64_t low, uint64_t high);

#endif
