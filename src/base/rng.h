/* rng.h - random numbers that are counted, not drawn: each is a function of a key and a
 * place, so that threads, ranks and restarts cannot change it.
 *
 * The generator is Philox 4x32 with 10 rounds (Salmon et al., SC 2011).
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* The key for one purpose: a seed and the purpose's name ("init encoder...", "noise"). */
uint64_t rng_key(uint64_t seed, const char *purpose);

/* 64 random bits at place (a, b) of the sequence of key. */
uint64_t rng_u64(uint64_t key, uint64_t a, uint64_t b);

double rng_uniform(uint64_t key, uint64_t a, uint64_t b);    // in [0, 1), 53 bits

/* Normal with deviation 1, values beyond 2 redrawn (place-wise) when truncated is not 0. */
double rng_normal(uint64_t key, uint64_t a, uint64_t b, int truncated);

/* A sequence of draws at one place, for algorithms that need many. */
struct rng {
    uint64_t key, a, n;
};

struct rng rng_at(uint64_t key, uint64_t a);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n);    // unbiased, in [0, n); n > 0

/* The image of i under a pseudo-random permutation of [0, n): a bijection for each key. */
uint64_t rng_permute(uint64_t key, uint64_t n, uint64_t i);

#endif
