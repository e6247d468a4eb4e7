/* rng.c - see rng.h. */
#include <assert.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "base/rng.h"

static void philox(uint32_t x[4], uint64_t key)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    int i;

    for (i = 0; i < 10; i++) {
        uint64_t a = (uint64_t)x[0] * 0xD2511F53u, b = (uint64_t)x[2] * 0xCD9E8D57u;
        uint32_t y1 = x[1], y3 = x[3];

        x[0] = (uint32_t)(b >> 32) ^ y1 ^ k0;
        x[1] = (uint32_t)b;
        x[2] = (uint32_t)(a >> 32) ^ y3 ^ k1;
        x[3] = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

uint64_t rng_key(uint64_t seed, const char *purpose)
{
    return XXH64(purpose, strlen(purpose), seed);
}

uint64_t rng_u64(uint64_t key, uint64_t a, uint64_t b)
{
    uint32_t x[4] = { (uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32) };

    philox(x, key);
    return (uint64_t)x[1] << 32 | x[0];
}

static double unit(uint64_t x)
{
    return (double)(x >> 11) * 0x1p-53;
}

double rng_uniform(uint64_t key, uint64_t a, uint64_t b)
{
    return unit(rng_u64(key, a, b));
}

double rng_normal(uint64_t key, uint64_t a, uint64_t b, int truncated)
{
    uint64_t round;
    double x;

    for (round = 0;; round++) {    // the top bits of b count redraws: 2^48 places remain
        uint64_t bits = rng_u64(key, a, b ^ round << 48);
        double u = ((double)(uint32_t)bits + 0.5) * 0x1p-32;
        double v = ((double)(bits >> 32) + 0.5) * 0x1p-32;

        x = sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
        if (!truncated || fabs(x) <= 2.0)
            return x;
    }
}

struct rng rng_at(uint64_t key, uint64_t a)
{
    return (struct rng){ .key = key, .a = a };
}

uint64_t rng_next(struct rng *r)
{
    return rng_u64(r->key, r->a, r->n++);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    uint64_t limit, x;

    assert(n > 0);
    limit = (0 - n) % n;    // 2^64 mod n: what must be thrown away
    do {
        x = rng_next(r);
    } while (x < limit);
    return x % n;
}

/* A Feistel network on 2 * half bits, walked until it lands below n again. */
uint64_t rng_permute(uint64_t key, uint64_t n, uint64_t i)
{
    unsigned half = 1, round;
    uint64_t mask, x = i;

    assert(i < n);
    while (half < 32 && (uint64_t)1 << (2 * half) < n)
        half++;
    mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = x >> half, right = x & mask;

        for (round = 0; round < 6; round++) {
            uint64_t next = left ^ (rng_u64(key, right, round) & mask);

            left = right;
            right = next;
        }
        x = left << half | right;
    } while (x >= n);
    return x;
}
