/* exp of a row: every variant against the C library's, over the whole range. */
#define _DEFAULT_SOURCE    // MAP_ANONYMOUS
#include "arrays.h"

/* exp over the whole range where it is neither 0 nor infinite, and the sum of what came out. */
static void exp_range(const struct kernels *ref, const struct kernels *k)
{
    enum { N = 1000 };
    float *x = array_tail(0, N), in[N], at = -120, sum;
    double total, want;
    uint32_t bits;
    int i;

    (void)ref;
    while (at < 100) {
        for (i = 0; i < N; i++) {
            x[i] = in[i] = at;
            memcpy(&bits, &at, sizeof(bits));
            bits += at < 0 ? -5003 : 5003;
            if ((bits & 0x7fffffff) <
                0x30000000)    // near 0 every result is 1: jump to the other side
                bits = 0x30000000;
            memcpy(&at, &bits, sizeof(at));
        }
        sum = k->exp_shift(x, 0, N);
        for (i = 0, total = 0; i < N; i++) {
            want = exp(in[i]);
            total += x[i];
            if (want > FLT_MAX * (1 - EPS))
                assert_true(x[i] >= FLT_MAX * (1 - 2 * EPS));
            else
                check("exp", N, i, x[i], want,
                      want < FLT_MIN ? FLT_MIN : 2 * EPS * pow(2, ilogb(want)));
        }
        if (total < FLT_MAX)
            check("sum of exp", N, 0, sum, total, N * EPS * total);
    }
}

static void exp_shifted(const struct kernels *ref, const struct kernels *k)
{
    float *x, own[ROOM], shift = 1.37f, sum;
    size_t s, i;
    double total;

    (void)ref;
    for (s = 0; s < N_SIZE; s++) {
        x = fill(0, sizes[s], 0, PLAIN);
        memcpy(own, x, sizes[s] * sizeof(*x));
        sum = k->exp_shift(x, shift, sizes[s]);
        for (i = 0, total = 0; i < sizes[s]; i++) {
            check("exp", sizes[s], i, x[i], exp((double)(own[i] - shift)), 2 * EPS * x[i]);
            total += x[i];
        }
        check("sum of exp", sizes[s], 0, sum, total, sizes[s] * EPS * total);
    }
    x = array_tail(0, 5);
    memcpy(x, (float[]){ NAN, -INFINITY, 89, -104, 0 }, 5 * sizeof(*x));
    assert_true(isnan(k->exp_shift(x, 0, 5)));
    assert_true(isnan(x[0]) && x[1] == 0 && x[2] == INFINITY && x[3] == 0 && x[4] == 1);
}

static void test_exp(void **state)
{
    (void)state;
    each_variant(exp_range);
    each_variant(exp_shifted);
}

TESTS("kernel/exp", cmocka_unit_test(test_exp))
