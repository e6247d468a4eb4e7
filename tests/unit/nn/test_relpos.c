/* Buckets against the reference and the rule in exact arithmetic; bias and its gradient. */
#include "check.h"

#include "nn/relpos.h"

static void test_reference(void **state)
{
    const char *file = "relpos/buckets.safetensors";
    struct relpos encoder = { 32, 128, 1 }, decoder = { 32, 128, 0 };
    int32_t *rel = golden(file, "relative_position", 2201), i;
    int32_t *both = golden(file, "bucket_bidirectional", 2201);
    int32_t *past = golden(file, "bucket_unidirectional", 2201);

    (void)state;
    for (i = 0; i < 2201; i++) {
        assert_int_equal(relpos_bucket(&encoder, rel[i]), both[i]);
        assert_int_equal(relpos_bucket(&decoder, rel[i]), past[i]);
    }
    free(rel), free(both), free(past);
}

/* (d / e)^more >= (max / e)^k, that is ln(d / e) / ln(max / e) >= k / more, in extended
 * precision; equality is decided in whole numbers of base-2 logarithms, where alone it occurs
 * for the sizes below (all powers of two). */
static int reaches(int d, int exact, int most, int more, int k)
{
    long double x = logl((long double)d / exact) * more, y = logl((long double)most / exact) * k;

    if ((d & (d - 1)) == 0)
        return (__builtin_ctz(d) - __builtin_ctz(exact)) * more >=
               (__builtin_ctz(most) - __builtin_ctz(exact)) * k;
    return x > y;
}

static void test_other_sizes(void **state)
{
    static const int sizes[][2] = {
        { 16, 64 }, { 32, 256 }, { 64, 128 }, { 8, 1024 }, { 32, 2048 }
    };
    size_t s;
    int d, want, most;

    (void)state;
    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct relpos r = { sizes[s][0], sizes[s][1], 0 };
        int exact = r.n_bucket / 2, more = r.n_bucket - exact;

        most = r.max_distance;
        for (d = 0; d < 2 * most; d++) {
            want = d;
            if (d >= exact)
                for (want = exact; want < r.n_bucket - 1; want++)
                    if (!reaches(d, exact, most, more, want + 1 - exact))
                        break;
            assert_int_equal(relpos_bucket(&r, -d), want);
            assert_int_equal(relpos_bucket(&r, d), 0);
        }
    }
}

static void check_bias(const struct relpos *r, int n_head, int s, int t)
{
    enum { ROWS = 2 };
    size_t span = s && t ? (size_t)(s + t - 1) : 0, n = (size_t)n_head * span;
    size_t n_table = (size_t)r->n_bucket * n_head, at, i;
    float *table = random_floats(n_table, 1, 1), *bias = xcalloc(n + 1, sizeof(float));
    float *dbias = random_floats(ROWS * n, 2, 1), *dtable = random_floats(n_table, 3, 1);
    double *want = doubles(dtable, n_table);
    int h, row;

    relpos_forward(r, table, n_head, s, t, bias);
    relpos_backward(r, dbias, ROWS, n_head, s, t, dtable);
    for (h = 0; h < n_head; h++)
        for (i = 0; i < span; i++) {
            at = (size_t)relpos_bucket(r, (int)i - (s - 1)) * n_head + h;
            assert_true(bias[h * span + i] == table[at]);
            for (row = 0; row < ROWS; row++)
                want[at] += dbias[(row * n_head + h) * span + i];
        }
    assert_true(bias[n] == 0);
    check_gradient(dtable, want, n_table);
    free(table), free(bias), free(dbias), free(dtable), free(want);
}

static void test_bias(void **state)
{
    static const int sizes[][2] = { { 5, 7 },     { 7, 5 }, { 1, 9 }, { 9, 1 },
                                    { 150, 131 }, { 0, 3 }, { 3, 0 } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check_bias(&(struct relpos){ 32, 128, 1 }, 3, sizes[i][0], sizes[i][1]);
        check_bias(&(struct relpos){ 32, 128, 0 }, 3, sizes[i][0], sizes[i][1]);
    }
}

TESTS("nn/relpos", cmocka_unit_test(test_reference), cmocka_unit_test(test_other_sizes),
      cmocka_unit_test(test_bias))
