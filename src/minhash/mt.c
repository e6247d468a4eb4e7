/* mt.c - see mt.h. MT19937: Matsumoto and Nishimura 1998, seeded as in their version of 2002. */
#include <assert.h>

#include "minhash/mt.h"

enum { N = 624, M = 397 };

void mt_init(struct mt *m, uint32_t seed)
{
    uint32_t i;

    m->state[0] = seed;
    for (i = 1; i < N; i++)
        m->state[i] = 1812433253u * (m->state[i - 1] ^ m->state[i - 1] >> 30) + i;
    m->next = N;
}

static void refill(struct mt *m)
{
    int i;

    for (i = 0; i < N; i++) {
        uint32_t y = (m->state[i] & 0x80000000u) | (m->state[(i + 1) % N] & 0x7FFFFFFFu);

        m->state[i] = m->state[(i + M) % N] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0);
    }
    m->next = 0;
}

uint32_t mt_u32(struct mt *m)
{
    uint32_t y;

    if (m->next == N)
        refill(m);
    y = m->state[m->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

uint64_t mt_below(struct mt *m, uint64_t low, uint64_t high)
{
    uint64_t most = high - 1 - low, mask = UINT64_MAX, x;

    assert(most > UINT32_MAX);
    while (mask >> 1 >= most)
        mask >>= 1;
    do {
        x = (uint64_t)mt_u32(m) << 32;
        x |= mt_u32(m);
        x &= mask;
    } while (x > most);
    return low + x;
}
