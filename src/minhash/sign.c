/* sign.c - see sign.h.
 *
 * The functions are worked on LANES at a time, their constants and least values in registers,
 * while all shingles of a document go by. The compiler makes vectors of the loop over them: it is
 * compiled for several processors, and the best that this one has is taken.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "minhash/mt.h"
#include "minhash/sign.h"

enum { LANES = 16 };

#define PRIME (((int64_t)1 << 61) - 1)

struct sign {
    enum sign_hash hash;
    size_t n;           // functions
    uint64_t *a, *b;    // up to a multiple of LANES
    void (*least)(const uint64_t *a, const uint64_t *b, const uint64_t *hash, size_t n,
                  uint64_t *least);    // [LANES] each
};

/* The least values of LANES functions over n > 0 hashes. x < 2^64 is (x mod 2^61) + (x / 2^61)
 * modulo PRIME, which is less than PRIME + 8. Numbers are signed where they are compared, since
 * not every processor compares unsigned ones. */
static inline __attribute__((always_inline)) void least_of(const uint64_t *restrict a,
                                                           const uint64_t *restrict b,
                                                           const uint64_t *restrict hash, size_t n,
                                                           uint64_t *restrict least)
{
    int64_t min[LANES];
    size_t i;
    int j;

    for (j = 0; j < LANES; j++)
        min[j] = INT64_MAX;
    for (i = 0; i < n; i++)
        for (j = 0; j < LANES; j++) {
            uint64_t x = a[j] * hash[i] + b[j];
            int64_t y = (int64_t)((x & PRIME) + (x >> 61));

            y = y >= PRIME ? y - PRIME : y;
            min[j] = y < min[j] ? y : min[j];
        }
    memcpy(least, min, sizeof(min));
}

static void least_any(const uint64_t *a, const uint64_t *b, const uint64_t *hash, size_t n,
                      uint64_t *least)
{
    least_of(a, b, hash, n, least);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
least_avx2(const uint64_t *a, const uint64_t *b, const uint64_t *hash, size_t n, uint64_t *least)
{
    least_of(a, b, hash, n, least);
}

__attribute__((target("avx512f,avx512dq,avx512vl"))) static void
least_avx512(const uint64_t *a, const uint64_t *b, const uint64_t *hash, size_t n, uint64_t *least)
{
    least_of(a, b, hash, n, least);
}
#endif

/* $SWITCHYARD_KERNEL asks for less than the best, as everywhere. */
static void least_choose(struct sign *s)
{
    const char *name = getenv("SWITCHYARD_KERNEL");

    s->least = least_any;
    if (name && !strcmp(name, "ref"))
        return;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        s->least = least_avx2;
    if (name && !strcmp(name, "avx2"))
        return;
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        s->least = least_avx512;
#endif
}

struct sign *sign_new(size_t n, uint32_t seed, enum sign_hash hash)
{
    struct sign *s = xcalloc(1, sizeof(*s));
    struct mt mt;
    size_t i;

    s->hash = hash;
    s->n = n;
    s->a = xcalloc(n + LANES, sizeof(*s->a));
    s->b = xcalloc(n + LANES, sizeof(*s->b));
    mt_init(&mt, seed);
    for (i = 0; i < n; i++)
        s->a[i] = mt_below(&mt, 1, PRIME);
    for (i = 0; i < n; i++)
        s->b[i] = mt_below(&mt, 0, PRIME);
    least_choose(s);
    return s;
}

void sign_free(struct sign *s)
{
    if (!s)
        return;
    free(s->a);
    free(s->b);
    free(s);
}

const uint64_t *sign_a(const struct sign *s)
{
    return s->a;
}

const uint64_t *sign_b(const struct sign *s)
{
    return s->b;
}

uint64_t sign_shingle(const struct sign *s, struct bytes shingle)
{
    unsigned char digest[20];
    uint64_t h = 0;
    int i;

    if (s->hash == SIGN_XX64)
        return hash_xx64(shingle.p, shingle.n, 0);
    hash_sha1(shingle.p, shingle.n, digest);
    for (i = 7; i >= 0; i--)
        h = h << 8 | digest[i];
    return h;
}

void sign_run(const struct sign *s, const uint64_t *shingle, size_t n_shingle, uint64_t *value)
{
    uint64_t last[LANES];
    size_t i;

    for (i = 0; i + LANES <= s->n; i += LANES)
        s->least(s->a + i, s->b + i, shingle, n_shingle, value + i);
    if (i == s->n)
        return;
    s->least(s->a + i, s->b + i, shingle, n_shingle, last);
    memcpy(value + i, last, (s->n - i) * sizeof(*last));
}

void sign_run_plain(const struct sign *s, const uint64_t *shingle, size_t n_shingle,
                    uint64_t *value)
{
    size_t i, j;

    for (i = 0; i < s->n; i++) {
        value[i] = UINT64_MAX;
        for (j = 0; j < n_shingle; j++) {
            uint64_t x = (s->a[i] * shingle[j] + s->b[i]) % PRIME;

            value[i] = x < value[i] ? x : value[i];
        }
    }
}

double sign_chance(double s, int n_bucket, int n_hash)
{
    return 1 - pow(1 - pow(s, n_hash), n_bucket);
}
