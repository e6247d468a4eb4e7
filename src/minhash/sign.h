/* sign.h - the MinHash signature of a set of shingles, as datatrove computes it.
 *
 * Function i takes a shingle's 64-bit hash h to (a_i h + b_i mod 2^64) mod (2^61 - 1); value i of
 * the signature is the least of that over all shingles. The product wraps before it is reduced:
 * that is what NumPy's uint64 does. Two sets agree in a value about as often as their Jaccard
 * similarity says.
 */
#ifndef MINHASH_SIGN_H
#define MINHASH_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum sign_hash { SIGN_XX64, SIGN_SHA1 };    // SHA-1: its first 8 bytes, little endian

struct sign;

/* n functions, drawn by RandomState(seed): all a in [1, 2^61 - 1), then all b in [0, 2^61 - 1). */
struct sign *sign_new(size_t n, uint32_t seed, enum sign_hash hash);
void sign_free(struct sign *s);    // s may be NULL

const uint64_t *sign_a(const struct sign *s);    // [n]
const uint64_t *sign_b(const struct sign *s);    // [n]

uint64_t sign_shingle(const struct sign *s, struct bytes shingle);

/* The signature of n_shingle > 0 hashes into value[n]. */
void sign_run(const struct sign *s, const uint64_t *shingle, size_t n_shingle, uint64_t *value);
void sign_run_plain(const struct sign *s, const uint64_t *shingle, size_t n_shingle,
                    uint64_t *value);    // the definition, for tests

/* The chance that sets of similarity s agree in all hashes of one of the buckets. */
double sign_chance(double s, int n_bucket, int n_hash);

#endif
