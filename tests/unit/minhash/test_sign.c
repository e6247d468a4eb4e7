/* test_sign.c - hash functions and a signature against NumPy's values; the fast lane against the
 * definition; how often pairs of a known similarity are linked, against the theory. */
#include "../test.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "minhash/sign.h"
#include "minhash/simplify.h"

enum { BUCKETS = 14, HASHES = 8, N = BUCKETS * HASHES };

static uint64_t fold(const uint64_t *x, size_t n)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        sum ^= x[i];
    return sum;
}

/* gen = numpy.random.RandomState(1); gen.randint(1, 2**61 - 1, dtype=uint64, size=(1, 112)), then
 * the same from 0, under NumPy 1.24.2. */
static void test_functions(void **state)
{
    static const uint64_t a[] = { 775169054918279404u, 1758426461858698313u, 2109959069025162u,
                                  965365488286768774u };
    static const uint64_t b[] = { 1062448801025099917u, 1324811268927594100u, 1217488311597731462u,
                                  100775521383383736u };
    struct sign *s = sign_new(N, 1, SIGN_XX64);

    (void)state;
    assert_memory_equal(sign_a(s), a, sizeof(a));
    assert_memory_equal(sign_b(s), b, sizeof(b));
    assert_true(sign_a(s)[N - 1] == 223865076026037746u);
    assert_true(sign_b(s)[N - 1] == 1097409548522419201u);
    assert_true(fold(sign_a(s), N) == 1270572817574910887u);
    assert_true(fold(sign_b(s), N) == 1794676659790790582u);
    sign_free(s);
}

static void test_shingle_hashes(void **state)
{
    const struct bytes abc = { (const unsigned char *)"abc", 3 };
    struct sign *xx = sign_new(1, 1, SIGN_XX64), *sha = sign_new(1, 1, SIGN_SHA1);

    (void)state;
    assert_true(sign_shingle(xx, abc) == 0x44BC2CF5AD770999u);     // xxHash's own XXH64("abc")
    assert_true(sign_shingle(sha, abc) == 0x6A810647363E99A9u);    // FIPS 180: a9993e36 4706816a
    sign_free(xx);
    sign_free(sha);
}

/* A text to its signature, as datatrove's steps give it under Python 3.11 and NumPy 1.24.2. */
static void test_signature(void **state)
{
    static const char text[] = "The Caf\xC3\xA9's prices rose by 1,234.50 euros \xE2\x80\x94 "
                               "\xE2\x80\x9Cna\xC3\xAFve\xE2\x80\x9D readers said so in 2024; "
                               "nobody ever knew why.";
    static const uint64_t first[] = { 46308555767429227u, 209118279672639649u, 107114131616157770u,
                                      66047534813495723u };
    struct simplify *simplify = simplify_new(0);
    struct sign *s = sign_new(N, 1, SIGN_SHA1);
    uint64_t shingle[32], value[N];
    struct simple simple;
    size_t i;

    (void)state;
    simplify_run(simplify, (struct bytes){ (const unsigned char *)text, sizeof(text) - 1 },
                 &simple);
    assert_int_equal(simple.n, 19);
    for (i = 0; i + 5 <= simple.n; i++)
        shingle[i] = sign_shingle(s, simple_shingle(&simple, i, 5));
    assert_true(shingle[0] == 0xA1774AA9C36DFEB2u);
    sign_run(s, shingle, i, value);
    assert_memory_equal(value, first, sizeof(first));
    assert_true(value[N - 1] == 106359568157915089u);
    assert_true(fold(value, N) == 242071095266388567u);
    sign_free(s);
    simplify_free(simplify);
}

/* Functions whose signature by lanes is not that of the definition. */
static size_t count_wrong(size_t functions, size_t shingles, struct rng *r)
{
    struct sign *s = sign_new(functions, (uint32_t)shingles, SIGN_XX64);
    uint64_t hash[100], fast[131], plain[131];
    size_t i, bad;

    for (i = 0; i < shingles; i++)    // 0 and all ones are among them
        hash[i] = i < 2 ? (uint64_t)0 - i : rng_next(r);
    fast[functions] = 77;
    sign_run(s, hash, shingles, fast);
    sign_run_plain(s, hash, shingles, plain);
    bad = fast[functions] != 77;
    for (i = 0; i < functions; i++)
        bad += fast[i] != plain[i];
    sign_free(s);
    return bad;
}

/* On all processors that this one can play. */
static void test_lanes_are_the_definition(void **state)
{
    static const size_t functions[] = { 1, 7, 15, 16, 17, 31, 32, 112, 130 };
    static const size_t shingles[] = { 1, 2, 3, 8, 100 };
    static const char *const kernel[] = { "ref", "avx2", "avx512" };
    struct rng r = rng_at(5, 0);
    size_t i, j, k, bad = 0;

    (void)state;
    for (k = 0; k < sizeof(kernel) / sizeof(kernel[0]); k++) {
        setenv("SWITCHYARD_KERNEL", kernel[k], 1);
        for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
            for (j = 0; j < sizeof(shingles) / sizeof(shingles[0]); j++)
                bad += count_wrong(functions[i], shingles[j], &r);
    }
    unsetenv("SWITCHYARD_KERNEL");
    assert_int_equal(bad, 0);
}

/* Shingles whose image, before it is reduced, lies at the edges of the modulus. */
static void test_edges_of_the_modulus(void **state)
{
    static const uint64_t edge[] = { 0,
                                     1,
                                     ((uint64_t)1 << 61) - 2,
                                     ((uint64_t)1 << 61) - 1,
                                     (uint64_t)1 << 61,
                                     UINT64_MAX - 7,
                                     UINT64_MAX };
    struct sign *s = sign_new(16, 3, SIGN_XX64);
    uint64_t a = sign_a(s)[0], inverse = a, hash, fast[16], plain[16];
    size_t i;

    (void)state;
    assert_true(a & 1);    // so that it has an inverse modulo 2^64, found as Newton would
    for (i = 0; i < 6; i++)
        inverse *= 2 - a * inverse;
    for (i = 0; i < sizeof(edge) / sizeof(edge[0]); i++) {
        hash = (edge[i] - sign_b(s)[0]) * inverse;
        sign_run(s, &hash, 1, fast);
        sign_run_plain(s, &hash, 1, plain);
        assert_true(plain[0] == edge[i] % (((uint64_t)1 << 61) - 1));
        assert_memory_equal(fast, plain, sizeof(fast));
    }
    sign_free(s);
}

/* ---- the theory ---- */

static int linked(const uint64_t *a, const uint64_t *b)
{
    int i;

    for (i = 0; i < BUCKETS; i++)
        if (!memcmp(a + i * HASHES, b + i * HASHES, HASHES * sizeof(*a)))
            return 1;
    return 0;
}

/* Pairs of sets of 60 hashes in all, `both` of them in both: how many are linked; and the sum of
 * values that agree. */
static int count_linked(const struct sign *s, size_t both, int pairs, uint64_t key, double *agree)
{
    enum { ALL = 60 };
    uint64_t hash[2 * ALL], a[N], b[N];
    size_t one = both + (ALL - both) / 2, i;
    int pair, n = 0;

    for (pair = 0; pair < pairs; pair++) {
        struct rng r = rng_at(key, (uint64_t)pair);

        for (i = 0; i < ALL; i++)
            hash[i] = rng_next(&r);
        sign_run(s, hash, one, a);
        memmove(hash + both, hash + one, (ALL - one) * sizeof(*hash));
        sign_run(s, hash, ALL - one + both, b);
        n += linked(a, b);
        for (i = 0; i < N; i++)
            *agree += a[i] == b[i];
    }
    return n;
}

/* Pairs are independent, each linked with chance p: their number is binomial, and 5 deviations are
 * left with a chance below 1e-6. So it is with agreement in a value, whose chance is s; values of
 * a pair are not independent of each other in theory, so its variance is that of whole pairs at
 * most: s (1 - s) over pairs. */
static void test_chance_of_a_link(void **state)
{
    static const size_t both[] = { 0, 30, 42, 48, 54, 60 };    // of 60: 0, .5, .7, .8, .9, 1
    enum { PAIRS = 2000 };
    struct sign *s = sign_new(N, 1, SIGN_XX64);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
        double jaccard = (double)both[i] / 60, p = sign_chance(jaccard, BUCKETS, HASHES), sum = 0;
        int n = count_linked(s, both[i], PAIRS, i, &sum);

        assert_true(fabs(n - PAIRS * p) <= 5 * sqrt(PAIRS * p * (1 - p)));
        assert_true(fabs(sum / N / PAIRS - jaccard) <= 5 * sqrt(jaccard * (1 - jaccard) / PAIRS));
    }
    sign_free(s);
    assert_true(fabs(sign_chance(0.8, BUCKETS, HASHES) - 0.924) < 5e-4);    // datatrove's word
    assert_true(fabs(sign_chance(0.5, BUCKETS, HASHES) - 0.0533) < 5e-4);
}

TESTS("minhash/sign", cmocka_unit_test(test_functions), cmocka_unit_test(test_shingle_hashes),
      cmocka_unit_test(test_signature), cmocka_unit_test(test_lanes_are_the_definition),
      cmocka_unit_test(test_edges_of_the_modulus), cmocka_unit_test(test_chance_of_a_link))
